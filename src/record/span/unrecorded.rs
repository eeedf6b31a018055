//! A span that is not recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kit::striped_counter::Stripe;
use crate::kit::thread_stripe::{self, STRIPES};
use crate::ledger::{Ledger, Reason};
use crate::model::{Baggage, LocalHandle, SpanId, TraceContext, TraceFlags, TraceId, TraceState};

/// A span of which only the identity exists, to be propagated.
///
/// Most services drop most traces, so starting and ending one is kept to a few dozen instructions.
#[derive(Debug)]
pub(crate) struct UnrecordedSpan {
    trace_id: TraceId,
    /// Drawn when a caller asks for it: most such spans are never propagated. Zero until then.
    // Relaxed: the id is whole in itself, and of two threads that draw one the first wins.
    id: AtomicU64,
    trace: Arc<UnrecordedTrace>,
}

/// What the spans of a local trace that is not recorded have in common.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct UnrecordedTrace {
    /// Counts the spans.
    stripe: Arc<Stripe>,
    /// Why they are not recorded, unless the head decided so.
    reason: Option<Reason>,
    /// The span that stands for all of them where nothing is recorded: the caller. Zero otherwise.
    caller: u64,
    flags: TraceFlags,
    trace_state: TraceState,
    baggage: Baggage,
}

/// The shared halves of unrecorded traces without trace state and baggage: one for each counter of the
/// ledger and each value of the random flag. They are made once, so that dropping a trace does not allocate.
#[derive(Debug)]
pub(in crate::record) struct UnrecordedTraces {
    sampled_out: [[Arc<UnrecordedTrace>; 2]; STRIPES],
    by_reason: [[Arc<UnrecordedTrace>; 2]; Reason::COUNT],
}

impl UnrecordedTraces {
    pub(in crate::record) fn new(ledger: &Ledger) -> Self {
        let pair = |stripe: &Arc<Stripe>, reason| {
            [TraceFlags::default(), TraceFlags::RANDOM].map(|flags| {
                Arc::new(UnrecordedTrace {
                    stripe: Arc::clone(stripe),
                    reason,
                    caller: 0,
                    flags,
                    trace_state: TraceState::default(),
                    baggage: Baggage::new(),
                })
            })
        };
        let stripe = |index| ledger.sampled_out().stripe(index);
        Self {
            sampled_out: std::array::from_fn(|index| pair(stripe(index), None)),
            by_reason: Reason::ALL.map(|reason| pair(ledger.unrecorded(reason), Some(reason))),
        }
    }

    /// What the spans of a trace that is not recorded have in common: not recorded by the head's decision,
    /// unless there is a `reason`.
    pub(in crate::record) fn trace(
        &self,
        reason: Option<Reason>,
        flags: TraceFlags,
        trace_state: TraceState,
        baggage: Baggage,
    ) -> Arc<UnrecordedTrace> {
        let pair = match reason {
            None => &self.sampled_out[thread_stripe::of_this_thread()],
            Some(reason) => &self.by_reason[reason as usize],
        };
        let bare = &pair[usize::from(flags.is_random())];
        if bare.flags == flags && trace_state.is_empty() && baggage.is_empty() {
            return Arc::clone(bare);
        }
        let stripe = Arc::clone(&bare.stripe);
        Arc::new(UnrecordedTrace { stripe, reason, caller: 0, flags, trace_state, baggage })
    }
}

impl UnrecordedTrace {
    /// Whether these spans are counted in this ledger.
    pub(in crate::record) fn is_counted_in(&self, ledger: &Ledger) -> bool {
        match self.reason {
            None => ledger.sampled_out().has(&self.stripe),
            Some(reason) => Arc::ptr_eq(ledger.unrecorded(reason), &self.stripe),
        }
    }

    /// What the spans have in common that stand for their caller, in a process that records nothing.
    pub(in crate::record) fn of_caller(
        ledger: &Ledger,
        caller: &TraceContext,
        baggage: Baggage,
    ) -> Arc<Self> {
        Arc::new(Self {
            stripe: Arc::clone(ledger.sampled_out().stripe(thread_stripe::of_this_thread())),
            reason: None,
            caller: caller.span_id.to_bits(),
            flags: caller.flags,
            trace_state: caller.trace_state.clone(),
            baggage,
        })
    }

    pub(in crate::record) const fn reason(&self) -> Option<Reason> {
        self.reason
    }
}

impl UnrecordedSpan {
    /// Counts the span.
    #[inline(always)]
    pub(in crate::record) fn new(trace_id: TraceId, trace: Arc<UnrecordedTrace>) -> Self {
        trace.stripe.add(1);
        Self { trace_id, id: AtomicU64::new(0), trace }
    }

    /// This span with an id that may have been propagated already.
    #[inline(always)]
    pub(in crate::record) fn with_id(mut self, id: Option<SpanId>) -> Self {
        if let Some(id) = id {
            *self.id.get_mut() = id.to_bits();
        }
        self
    }

    /// What is left of the span when it has ended.
    #[cfg(feature = "layer")]
    #[inline(always)]
    pub(crate) fn into_trace(self) -> Arc<UnrecordedTrace> {
        self.trace
    }

    /// Makes the account as if the span had never been started.
    #[cfg(feature = "layer")]
    pub(in crate::record) fn cancel(self) {
        self.trace.stripe.subtract(1);
    }

    /// Counts a child that is not made.
    #[cfg(feature = "layer")]
    #[inline(always)]
    pub(crate) fn count_skipped_child(&self) {
        self.trace.stripe.add(1);
    }

    #[inline(always)]
    pub(in crate::record) fn child(&self) -> Self {
        Self::new(self.trace_id, Arc::clone(&self.trace))
    }

    #[cfg(feature = "layer")]
    pub(in crate::record) fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Gives this span, and those that start below it from now on, other baggage.
    #[cfg(feature = "layer")]
    pub(in crate::record) fn set_baggage(&mut self, baggage: Baggage) {
        let UnrecordedTrace { reason, caller, flags, .. } = *self.trace;
        self.trace = Arc::new(UnrecordedTrace {
            stripe: Arc::clone(&self.trace.stripe),
            reason,
            caller,
            flags,
            trace_state: self.trace.trace_state.clone(),
            baggage,
        });
    }

    pub(in crate::record) fn baggage(&self) -> &Baggage {
        &self.trace.baggage
    }

    pub(in crate::record) fn context(&self) -> TraceContext {
        let trace: Arc<UnrecordedTrace> = Arc::clone(&self.trace);
        let mut context = TraceContext::new(self.trace_id, self.id()).with_flags(self.trace.flags);
        context.trace_state = self.trace.trace_state.clone();
        context.baggage = self.trace.baggage.clone();
        context.with_local(LocalHandle::new(trace))
    }

    /// The span's id, which is drawn now if it was not asked for before and the span stands for no caller.
    fn id(&self) -> SpanId {
        let known = SpanId::from_bits(self.id.load(Ordering::Relaxed));
        known.unwrap_or_else(|| {
            let fresh = SpanId::from_bits(self.trace.caller).unwrap_or_else(SpanId::new);
            let drawn = fresh.to_bits();
            let raced = self.id.compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed);
            raced.err().and_then(SpanId::from_bits).unwrap_or(fresh)
        })
    }
}
