//! A span that is not recorded.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::active::ActiveSpan;
use super::local::LocalTrace;
use crate::kit::Tick;
use crate::kit::stripe::Stripe;
use crate::ledger::{Ledger, Reason};
use crate::model::store::NewSpan;
use crate::model::{
    Baggage, LocalHandle, SpanId, SpanKind, TraceContext, TraceFlags, TraceId, TraceState,
};

/// A span of which only the identity exists, to be propagated.
#[derive(Debug)]
pub(crate) struct Unrecorded {
    trace_id: TraceId,
    /// Drawn when somebody asks: most such spans are never propagated. Zero until then.
    id: AtomicU64,
    /// Shared with the children; most have nothing to carry.
    carried: Option<Arc<Carried>>,
    pub(super) fate: Fate,
}

/// What travels along.
#[derive(Debug)]
struct Carried {
    trace_state: TraceState,
    baggage: Baggage,
}

/// Why a span is not recorded, and who counts its children.
#[derive(Debug)]
pub(super) enum Fate {
    /// The head dropped the trace. Children count in the same stripe.
    SampledOut(TraceFlags, Arc<Stripe>),
    /// It came too late or from the wrong thread. Counted already.
    Refused(TraceFlags, Reason, Arc<Ledger>),
    /// Its trace is full. Counted when it ends, unless it fails and is recorded after all.
    Beyond(Box<Beyond>),
}

/// What is needed to record a span beyond the limit after all.
#[derive(Debug)]
pub(super) struct Beyond {
    pub(super) trace: Arc<LocalTrace>,
    pub(super) reason: Reason,
    id: SpanId,
    parent: Option<SpanId>,
    start: Tick,
    name: Cow<'static, str>,
    kind: SpanKind,
    ended: AtomicBool,
}

impl Beyond {
    pub(super) fn new(trace: Arc<LocalTrace>, span: NewSpan, reason: Reason) -> Self {
        let NewSpan {
            id,
            parent,
            start,
            name,
            kind,
        } = span;
        Self {
            trace,
            reason,
            id,
            parent,
            start,
            name,
            kind,
            ended: AtomicBool::new(false),
        }
    }

    /// True the first time it is asked.
    pub(super) fn end_once(&self) -> bool {
        !self.ended.swap(true, Ordering::Relaxed)
    }

    fn finish(&self, end: Option<Tick>) {
        if let Some(recorder) = self.trace.recorder.as_deref() {
            recorder.finish_beyond(self, self.id, end);
        }
    }

    fn span(&self) -> NewSpan {
        let Self {
            id,
            parent,
            start,
            kind,
            ..
        } = self;
        let name = self.name.clone();
        NewSpan {
            id: *id,
            parent: *parent,
            start: *start,
            name,
            kind: *kind,
        }
    }
}

impl Drop for Beyond {
    fn drop(&mut self) {
        self.finish(None);
    }
}

impl Unrecorded {
    pub(super) fn new(
        trace_id: TraceId,
        id: Option<SpanId>,
        trace_state: TraceState,
        baggage: Baggage,
        fate: Fate,
    ) -> Self {
        let id = AtomicU64::new(id.map_or(0, SpanId::to_bits));
        let carries = !(trace_state.is_empty() && baggage.is_empty());
        let carried = carries.then(|| {
            Arc::new(Carried {
                trace_state,
                baggage,
            })
        });
        Self {
            trace_id,
            id,
            carried,
            fate,
        }
    }

    /// The span's id, which is drawn now if nobody asked before.
    pub(super) fn id(&self) -> SpanId {
        let known = SpanId::from_bits(self.id.load(Ordering::Relaxed));
        known.unwrap_or_else(|| {
            let fresh = SpanId::new();
            let (none, some) = (0, fresh.to_bits());
            let raced = self
                .id
                .compare_exchange(none, some, Ordering::Relaxed, Ordering::Relaxed);
            raced.err().and_then(SpanId::from_bits).unwrap_or(fresh)
        })
    }

    /// What records the span after all if it fails.
    #[inline]
    pub(super) fn beyond(&self) -> Option<&Beyond> {
        if let Fate::Beyond(beyond) = &self.fate {
            Some(beyond)
        } else {
            None
        }
    }

    #[inline]
    pub(super) fn finish(&self, end: Option<Tick>) {
        if let Some(beyond) = self.beyond() {
            beyond.finish(end);
        }
    }

    pub(super) fn baggage(&self) -> &Baggage {
        static NONE: Baggage = Baggage::new();
        self.carried
            .as_ref()
            .map_or(&NONE, |carried| &carried.baggage)
    }

    pub(super) fn context(&self) -> TraceContext {
        let mut context = TraceContext::new(self.trace_id, self.id());
        if let Some(carried) = &self.carried {
            // Whoever continues a trace that is not sampled must not promise a probability for it.
            context.trace_state = carried.trace_state.with_threshold(None);
            context.baggage = carried.baggage.clone();
        }
        match &self.fate {
            Fate::SampledOut(flags, stripe) => {
                let stripe: Arc<Stripe> = Arc::clone(stripe);
                context
                    .with_flags(*flags)
                    .with_local(LocalHandle::new(stripe))
            }
            Fate::Refused(flags, ..) => context.with_flags(*flags),
            Fate::Beyond(beyond) => {
                let mut context = beyond.trace.context(beyond.id, beyond.parent);
                context.baggage = self.baggage().clone();
                context
            }
        }
    }

    #[inline]
    pub(super) fn child(&self, name: Cow<'static, str>) -> ActiveSpan {
        match &self.fate {
            Fate::SampledOut(flags, stripe) => {
                stripe.add(1);
                self.another(Fate::SampledOut(*flags, Arc::clone(stripe)))
            }
            _ => self.child_of_full_trace(name),
        }
    }

    #[cold]
    fn child_of_full_trace(&self, name: Cow<'static, str>) -> ActiveSpan {
        match &self.fate {
            Fate::Beyond(beyond) => {
                let Some(recorder) = beyond.trace.recorder.as_ref() else {
                    return self.another(Fate::SampledOut(TraceFlags::default(), Arc::default()));
                };
                let (start, baggage) = (recorder.clock.now(), self.baggage().clone());
                let kind = SpanKind::Internal;
                recorder.start_child(&beyond.trace, beyond.id, start, name, kind, baggage)
            }
            Fate::Refused(flags, reason, ledger) => {
                ledger.started(1);
                ledger.dropped(*reason, 1);
                self.another(Fate::Refused(*flags, *reason, Arc::clone(ledger)))
            }
            Fate::SampledOut(flags, stripe) => {
                self.another(Fate::SampledOut(*flags, Arc::clone(stripe)))
            }
        }
    }

    /// A span that carries the same.
    #[inline]
    fn another(&self, fate: Fate) -> ActiveSpan {
        let (trace_id, carried, id) = (self.trace_id, self.carried.clone(), AtomicU64::new(0));
        ActiveSpan::Unrecorded(Self {
            trace_id,
            id,
            carried,
            fate,
        })
    }

    /// Records a span beyond the limit after all, because it failed.
    pub(super) fn rescue(&self) {
        let Fate::Beyond(beyond) = &self.fate else {
            return;
        };
        let Some(recorder) = beyond.trace.recorder.as_deref() else {
            return;
        };
        beyond.trace.mark_worth_keeping();
        let limits = &recorder.limits;
        let reserve = (limits.spans_per_trace / 8).max(1);
        let most = limits.spans_per_trace.saturating_add(reserve) as usize;
        let mut live = beyond.trace.live();
        let is_known = live.store.find(u32::MAX, beyond.id).is_some();
        let may = !is_known && live.beyond_limit > 0 && live.store.len() < most;
        if may && live.store.push_span(beyond.span(), &limits.span).is_ok() {
            live.beyond_limit -= 1;
        }
        recorder.unlock(&beyond.trace, live, false);
    }
}
