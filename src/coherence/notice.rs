//! What one service tells the others about a trace that it kept.

use std::sync::Arc;

use crate::model::{Randomness, SpanId, TraceId};

/// The announcement that a trace was kept, or a part of one.
///
/// Costs 16 bytes in a message, 9 more for a part, and its share of the message's beginning.
///
/// ```
/// use tailtrace::coherence::Notice;
/// use tailtrace::{SpanId, TraceId};
///
/// let whole = Notice::new(TraceId::new());
/// assert!(whole.part.is_none());
/// let part = Notice::new(TraceId::new()).with_part(SpanId::new(), None);
/// assert!(part.part.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// The trace that was kept.
    pub trace_id: TraceId,
    /// Which part of it, for a trace that is decided in parts; `None` stands for all of it.
    pub part: Option<KeptPart>,
    /// The randomness of the trace where its caller set one (`rv`); else the trace id has it.
    pub randomness: Option<Randomness>,
    /// The name of the policy that kept it; empty where it is not known.
    pub policy: Arc<str>,
}

/// The part of a trace that a service kept, named by the span at its top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeptPart {
    /// The span that the part begins with.
    pub top: SpanId,
    /// The parent of that span, which another service may have.
    pub parent: Option<SpanId>,
}

impl Notice {
    /// The announcement that all of a trace was kept.
    #[must_use]
    pub fn new(trace_id: TraceId) -> Self {
        Self { trace_id, part: None, randomness: None, policy: Arc::default() }
    }

    /// This for one part of the trace: the span at the top of the part, and the parent of that span.
    #[must_use]
    pub fn with_part(mut self, top: SpanId, parent: Option<SpanId>) -> Self {
        self.part = Some(KeptPart { top, parent });
        self
    }

    /// This with the randomness that the trace's caller set; see [`TraceState::randomness`](crate::model::TraceState::randomness).
    #[must_use]
    pub fn with_randomness(mut self, randomness: Randomness) -> Self {
        self.randomness = Some(randomness);
        self
    }

    /// This with the name of the policy that kept the trace.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Into<Arc<str>>) -> Self {
        self.policy = policy.into();
        self
    }

    /// What the budgets of all services spend by.
    pub(super) fn spent_by(&self) -> Randomness {
        self.randomness.unwrap_or_else(|| Randomness::from_trace_id_bits(self.trace_id.to_bits()))
    }
}
