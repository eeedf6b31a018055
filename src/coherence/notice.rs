//! What one service tells the others about a trace that it kept.

use std::sync::Arc;

use crate::kit::folded_product;
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

    /// The place of the trace in the order by which all services of a group spend their budgets: its id and its
    /// randomness, mixed with the group's name, without which a caller who chooses ids cannot tell which of them come first.
    pub(super) fn place_in(&self, order: SpendingOrder) -> Randomness {
        let id = self.trace_id.to_bits();
        let own = self.randomness.unwrap_or_else(|| Randomness::from_trace_id_bits(id));
        let parts = [(id >> 64) as u64, id as u64, own.bits()];
        Randomness::from_bits(parts.into_iter().fold(order.0, mix))
    }
}

/// The key of the order in which the services of a group spend their budgets.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpendingOrder(u64);

impl SpendingOrder {
    pub(super) fn of_group(group: &str) -> Self {
        Self(group.bytes().map(u64::from).fold(group.len() as u64, mix))
    }
}

/// Alike in all versions, because services of several versions have to agree.
fn mix(hash: u64, word: u64) -> u64 {
    folded_product(hash ^ word ^ 0x2545_f491_4f6c_dd1d, 0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_choice_of_ids_or_randomness_comes_first_in_every_group() {
        let highest = Randomness::from_bits(u64::MAX);
        for group in ["default", "prod-x7k2", "prod-m4qz"] {
            let order = SpendingOrder::of_group(group);
            let places = (1..=1_000_u128).map(|at| {
                let id = TraceId::from_bits(at << 64 | u128::from(u64::MAX)).unwrap();
                Notice::new(id).with_randomness(highest).place_in(order).bits()
            });
            let upper_half = places.filter(|bits| *bits >= 1 << 55).count();
            assert!((400..=600).contains(&upper_half), "{upper_half} of 1,000 in {group}");
        }
        let id = TraceId::from_bits(7).unwrap();
        let place = |group| Notice::new(id).place_in(SpendingOrder::of_group(group));
        assert_eq!(place("prod"), place("prod"));
        assert_ne!(place("prod"), place("test"));
    }
}
