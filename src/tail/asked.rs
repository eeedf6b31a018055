//! When combinators ask a policy.

/// When a combinator asks a policy, for those that need not always be asked.
///
/// [`TailPolicy::asked`](super::TailPolicy::asked) tells it. The default is right for every policy;
/// the others save work, or a budget. OpenTelemetry's collector knows *stateless* and *stateful*
/// policies and asks both always.
///
/// The list is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// Before the others: all it can do is drop, which settles the matter.
    First,
    /// Only while its answer can change something: it never drops, and remembers nothing.
    WhileOpen,
    /// Always: it may drop, or it learns from every trace.
    #[default]
    Always,
    /// After the others, and only about traces that none of them keeps: keeping spends something, so
    /// it never tells how likely a trace was kept.
    Last,
}

impl Asked {
    /// The round of a combinator in which it is asked.
    pub(super) fn round(self) -> u8 {
        match self {
            Self::First => 0,
            Self::WhileOpen | Self::Always => 1,
            Self::Last => 2,
        }
    }

    /// When a policy is asked whose answer may be that of any of `parts`.
    pub(super) fn any_of(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or(Self::WhileOpen);
        if parts.all(|part| part == first) { first } else { Self::Always }
    }

    /// When a policy is asked that keeps what all of `parts` keep.
    pub(super) fn all_of(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut most = Self::WhileOpen;
        for part in parts {
            most = match (most, part) {
                (Self::Always, _) | (_, Self::Always) => return Self::Always,
                // One part that only drops leaves nothing to keep.
                (Self::First, _) | (_, Self::First) => Self::First,
                (Self::Last, _) | (_, Self::Last) => Self::Last,
                (Self::WhileOpen, Self::WhileOpen) => Self::WhileOpen,
            };
        }
        most
    }
}
