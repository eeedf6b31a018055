//! A span of a trace that the head dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kit::stripe::{STRIPES, Stripe, Striped};
use crate::model::{Baggage, LocalHandle, SpanId, TraceContext, TraceFlags, TraceId, TraceState};

/// A span of which only the identity exists, to be propagated.
///
/// Most services drop most traces, so starting and ending one is kept to a few dozen instructions.
#[derive(Debug)]
pub(crate) struct SampledOut {
    trace_id: TraceId,
    /// Drawn when somebody asks: most such spans are never propagated. Zero until then.
    id: AtomicU64,
    common: Arc<Common>,
}

/// What the spans of a dropped local trace have in common.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Common {
    /// Where they are counted.
    pub(super) stripe: Arc<Stripe>,
    flags: TraceFlags,
    trace_state: TraceState,
    baggage: Baggage,
}

/// What traces with nothing to carry have in common, for each stripe and each value of the flags: made
/// once, so that dropping a trace does not allocate.
#[derive(Debug)]
pub(super) struct Bare([[Arc<Common>; 2]; STRIPES]);

impl Bare {
    pub(super) fn new(counter: &Striped) -> Self {
        let common = |stripe: usize, flags| {
            let stripe = Arc::clone(counter.stripe(stripe));
            let (trace_state, baggage) = (TraceState::default(), Baggage::new());
            Arc::new(Common { stripe, flags, trace_state, baggage })
        };
        let flags = [TraceFlags::default(), TraceFlags::RANDOM];
        Self(std::array::from_fn(|stripe| flags.map(|flags| common(stripe, flags))))
    }

    /// What a trace has in common that is dropped on the calling thread.
    pub(super) fn common(
        &self,
        flags: TraceFlags,
        trace_state: TraceState,
        baggage: Baggage,
    ) -> Arc<Common> {
        let bare = &self.0[Striped::my_index()][usize::from(flags.is_random())];
        if trace_state.is_empty() && baggage.is_empty() {
            return Arc::clone(bare);
        }
        // Whoever continues a trace that is not sampled must not promise a probability for it.
        let trace_state = trace_state.with_threshold(None);
        Arc::new(Common {
            stripe: Arc::clone(&bare.stripe),
            flags: bare.flags,
            trace_state,
            baggage,
        })
    }
}

impl SampledOut {
    /// Counts the span.
    #[inline(always)]
    pub(super) fn new(trace_id: TraceId, common: Arc<Common>) -> Self {
        common.stripe.add(1);
        Self { trace_id, id: AtomicU64::new(0), common }
    }

    #[inline(always)]
    pub(super) fn child(&self) -> Self {
        Self::new(self.trace_id, Arc::clone(&self.common))
    }

    pub(super) fn baggage(&self) -> &Baggage {
        &self.common.baggage
    }

    pub(super) fn context(&self) -> TraceContext {
        let common: Arc<Common> = Arc::clone(&self.common);
        let mut context = TraceContext::new(self.trace_id, self.id()).with_flags(self.common.flags);
        context.trace_state = self.common.trace_state.clone();
        context.baggage = self.common.baggage.clone();
        context.with_local(LocalHandle::new(common))
    }

    /// The span's id, which is drawn now if nobody asked before.
    fn id(&self) -> SpanId {
        let known = SpanId::from_bits(self.id.load(Ordering::Relaxed));
        known.unwrap_or_else(|| {
            let fresh = SpanId::new();
            let (none, some) = (0, fresh.to_bits());
            let raced = self.id.compare_exchange(none, some, Ordering::Relaxed, Ordering::Relaxed);
            raced.err().and_then(SpanId::from_bits).unwrap_or(fresh)
        })
    }
}
