//! A span that is not recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kit::stripe::{STRIPES, Stripe, Striped};
use crate::ledger::{Ledger, Reason};
use crate::model::{Baggage, LocalHandle, SpanId, TraceContext, TraceFlags, TraceId, TraceState};

/// A span of which only the identity exists, to be propagated.
///
/// Most services drop most traces, so starting and ending one is kept to a few dozen instructions.
#[derive(Debug)]
pub(crate) struct UnrecordedSpan {
    trace_id: TraceId,
    /// Drawn when somebody asks: most such spans are never propagated. Zero until then.
    id: AtomicU64,
    common: Arc<UnrecordedTrace>,
}

/// What the spans of a local trace that is not recorded have in common.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct UnrecordedTrace {
    /// Where they are counted.
    stripe: Arc<Stripe>,
    /// Why they are not recorded, unless the head decided so.
    lost: Option<Reason>,
    /// The span that stands for all of them where nothing is recorded: the caller. Zero otherwise.
    caller: u64,
    flags: TraceFlags,
    trace_state: TraceState,
    baggage: Baggage,
}

/// What traces with nothing to carry have in common, for each way to count them and each value of the
/// random flag: made once, so that dropping a trace does not allocate.
#[derive(Debug)]
pub(super) struct UnrecordedTraces {
    sampled_out: [[Arc<UnrecordedTrace>; 2]; STRIPES],
    lost: [[Arc<UnrecordedTrace>; 2]; Reason::COUNT],
}

impl UnrecordedTraces {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let pair = |stripe: &Arc<Stripe>, lost| {
            [TraceFlags::default(), TraceFlags::RANDOM].map(|flags| {
                let (trace_state, baggage) = (TraceState::default(), Baggage::new());
                let stripe = Arc::clone(stripe);
                Arc::new(UnrecordedTrace { stripe, lost, caller: 0, flags, trace_state, baggage })
            })
        };
        let stripe = |index| ledger.sampled_out().stripe(index);
        Self {
            sampled_out: std::array::from_fn(|index| pair(stripe(index), None)),
            lost: Reason::ALL.map(|reason| pair(ledger.unrecorded(reason), Some(reason))),
        }
    }

    /// What a trace has in common that is not recorded: by the head's decision, unless `lost` says
    /// otherwise.
    pub(super) fn common(
        &self,
        lost: Option<Reason>,
        flags: TraceFlags,
        trace_state: TraceState,
        baggage: Baggage,
    ) -> Arc<UnrecordedTrace> {
        let pair = match lost {
            None => &self.sampled_out[Striped::my_index()],
            Some(reason) => &self.lost[reason as usize],
        };
        let bare = &pair[usize::from(flags.is_random())];
        if bare.flags == flags && trace_state.is_empty() && baggage.is_empty() {
            return Arc::clone(bare);
        }
        let stripe = Arc::clone(&bare.stripe);
        Arc::new(UnrecordedTrace { stripe, lost, caller: 0, flags, trace_state, baggage })
    }
}

impl UnrecordedTrace {
    /// Whether these spans are counted in this ledger.
    pub(super) fn is_counted_in(&self, ledger: &Ledger) -> bool {
        match self.lost {
            None => ledger.sampled_out().has(&self.stripe),
            Some(reason) => Arc::ptr_eq(ledger.unrecorded(reason), &self.stripe),
        }
    }

    /// What the spans have in common that stand for their caller, in a process that records nothing.
    pub(super) fn of_caller(ledger: &Ledger, caller: &TraceContext, baggage: Baggage) -> Arc<Self> {
        let stripe = Arc::clone(ledger.sampled_out().stripe(Striped::my_index()));
        let (caller, flags, trace_state) =
            (caller.span_id.to_bits(), caller.flags, caller.trace_state.clone());
        Arc::new(Self { stripe, lost: None, caller, flags, trace_state, baggage })
    }

    pub(super) const fn lost(&self) -> Option<Reason> {
        self.lost
    }
}

impl UnrecordedSpan {
    /// Counts the span.
    #[inline(always)]
    pub(super) fn new(trace_id: TraceId, common: Arc<UnrecordedTrace>) -> Self {
        common.stripe.add(1);
        Self { trace_id, id: AtomicU64::new(0), common }
    }

    /// This span with an id that somebody may know already.
    #[inline(always)]
    pub(super) fn with_id(mut self, id: Option<SpanId>) -> Self {
        if let Some(id) = id {
            *self.id.get_mut() = id.to_bits();
        }
        self
    }

    /// Makes the account as if the span had never been started.
    pub(super) fn cancel(self) {
        self.common.stripe.take_back(1);
    }

    /// A span under one that is being dropped or waits in the pool, which nobody can hold: it belongs
    /// to no pipeline, so none counts it.
    #[cold]
    pub(super) fn nowhere(trace_id: TraceId) -> Self {
        let (stripe, lost, flags) = (Arc::default(), None, TraceFlags::default());
        let (trace_state, baggage) = (TraceState::default(), Baggage::new());
        Self::new(
            trace_id,
            Arc::new(UnrecordedTrace { stripe, lost, caller: 0, flags, trace_state, baggage }),
        )
    }

    #[inline(always)]
    pub(super) fn child(&self) -> Self {
        Self::new(self.trace_id, Arc::clone(&self.common))
    }

    pub(super) fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    pub(super) fn baggage(&self) -> &Baggage {
        &self.common.baggage
    }

    pub(super) fn context(&self) -> TraceContext {
        let common: Arc<UnrecordedTrace> = Arc::clone(&self.common);
        let mut context = TraceContext::new(self.trace_id, self.id()).with_flags(self.common.flags);
        context.trace_state = self.common.trace_state.clone();
        context.baggage = self.common.baggage.clone();
        context.with_local(LocalHandle::new(common))
    }

    /// The span's id, which is drawn now if nobody asked before and it stands for no caller.
    fn id(&self) -> SpanId {
        let known = SpanId::from_bits(self.id.load(Ordering::Relaxed));
        known.unwrap_or_else(|| {
            let fresh = SpanId::from_bits(self.common.caller).unwrap_or_else(SpanId::new);
            let (none, some) = (0, fresh.to_bits());
            let raced = self.id.compare_exchange(none, some, Ordering::Relaxed, Ordering::Relaxed);
            raced.err().and_then(SpanId::from_bits).unwrap_or(fresh)
        })
    }
}
