//! The order in which combinators ask policies.

/// When a combinator asks a policy, for policies that need not always be asked.
///
/// [`TailPolicy::evaluation_order`](super::TailPolicy::evaluation_order) tells it. The default is right for every policy;
/// the other orders save work, or a budget. OpenTelemetry's collector knows *stateless* and *stateful*
/// policies and asks both always.
///
/// The list is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvaluationOrder {
    /// Before all other policies: it can only drop, after which no other need be asked.
    First,
    /// Only while its answer can change something: it never drops, and remembers nothing.
    WhileUndecided,
    /// Always: it may drop, or it learns from every trace.
    #[default]
    Always,
    /// After all other policies, and only about traces that none of them keeps: keeping spends a budget,
    /// so that the policy never knows how likely a trace was kept.
    Last,
}

impl EvaluationOrder {
    /// The round of a combinator in which it is asked.
    pub(super) fn round(self) -> u8 {
        match self {
            Self::First => 0,
            Self::WhileUndecided | Self::Always => 1,
            Self::Last => 2,
        }
    }

    /// When a policy is asked whose answer may be that of any of `parts`.
    pub(super) fn any_of(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or(Self::WhileUndecided);
        if parts.all(|part| part == first) { first } else { Self::Always }
    }

    /// When a policy is asked that keeps what all of `parts` keep.
    pub(super) fn all_of(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut most = Self::WhileUndecided;
        for part in parts {
            most = match (most, part) {
                (Self::Always, _) | (_, Self::Always) => return Self::Always,
                // One part that only drops leaves nothing to keep.
                (Self::First, _) | (_, Self::First) => Self::First,
                (Self::Last, _) | (_, Self::Last) => Self::Last,
                (Self::WhileUndecided, Self::WhileUndecided) => Self::WhileUndecided,
            };
        }
        most
    }
}
