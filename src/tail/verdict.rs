//! The answer of a policy.

use std::borrow::Cow;

use crate::model::{Randomness, Threshold};

/// What becomes of a complete local trace.
///
/// The list is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TailDecision {
    /// No opinion. A trace about which no policy has one is dropped.
    #[default]
    Pass,
    /// Keep it.
    Keep,
    /// Drop it on purpose, even if other policies keep it.
    Drop,
}

/// The answer of a [`TailPolicy`](super::TailPolicy).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verdict {
    /// What becomes of the trace.
    pub decision: TailDecision,
    /// For a kept trace, how likely such traces are kept; `None` when that is not known, as with a
    /// budget per second.
    pub threshold: Option<Threshold>,
    /// The name of the policy that decided; empty until a combinator or the pipeline sets it.
    pub policy: Cow<'static, str>,
    pub(super) notes: VerdictNotes,
}

/// What a verdict tells the combinators only.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VerdictNotes {
    /// How many policies panicked on the way to it.
    pub(super) panics: u32,
    /// With other random bits, or at another moment, a trace like this one would be kept.
    pub(super) could_keep: bool,
    /// With other random bits, or at another moment, a trace like this one would be dropped on
    /// purpose: of a policy that keeps it, the probability is unknown then.
    pub(super) could_drop: bool,
    /// It is kept by its random bits alone, which say the same in every service.
    pub(super) is_alike_everywhere: bool,
}

impl VerdictNotes {
    /// Adds the notes of a part that outlast its verdict.
    pub(super) fn absorb(&mut self, part: Self) {
        self.panics = self.panics.saturating_add(part.panics);
        self.could_drop |= part.could_drop;
    }
}

impl Verdict {
    const fn new(decision: TailDecision, threshold: Option<Threshold>) -> Self {
        Self {
            decision,
            threshold,
            policy: Cow::Borrowed(""),
            notes: VerdictNotes {
                panics: 0,
                could_keep: false,
                could_drop: false,
                is_alike_everywhere: false,
            },
        }
    }

    /// Keep the trace, as every trace like it is kept.
    #[must_use]
    pub const fn keep() -> Self {
        Self::new(TailDecision::Keep, Some(Threshold::ALWAYS))
    }

    /// Keep the trace, where only some of its likes are kept. `None` says that it is unknown how many.
    #[must_use]
    pub const fn keep_with(threshold: Option<Threshold>) -> Self {
        Self::new(TailDecision::Keep, threshold)
    }

    /// Have no opinion.
    #[must_use]
    pub const fn pass() -> Self {
        Self::new(TailDecision::Pass, None)
    }

    /// Drop the trace, even if other policies keep it.
    #[must_use]
    pub const fn drop() -> Self {
        Self::new(TailDecision::Drop, None)
    }

    /// This verdict under the name of a policy, unless it has one.
    #[must_use]
    pub fn by(mut self, policy: impl FnOnce() -> Cow<'static, str>) -> Self {
        if self.policy.is_empty() && self.decision != TailDecision::Pass {
            self.policy = policy();
        }
        self
    }

    /// Whether the trace is kept.
    #[must_use]
    pub fn is_keep(&self) -> bool {
        self.decision == TailDecision::Keep
    }

    /// No opinion, because the tail panicked.
    pub(crate) const fn panicked() -> Self {
        let mut pass = Self::pass();
        pass.notes.panics = 1;
        pass
    }

    /// How many policies panicked on the way to this verdict.
    pub(crate) fn panics(&self) -> u32 {
        self.notes.panics
    }

    /// Whether the trace is kept by its random bits alone, so that other services with the same policy keep it too.
    pub(crate) fn is_alike_everywhere(&self) -> bool {
        self.notes.is_alike_everywhere
    }

    /// This verdict as one for which nothing but the random bits of the trace was looked at.
    pub(super) const fn alike_everywhere(mut self) -> Self {
        self.notes.is_alike_everywhere = true;
        self
    }

    /// A pass that other random bits, or another moment, would have made a keep.
    pub(super) const fn pass_by_chance() -> Self {
        let mut pass = Self::pass();
        pass.notes.could_keep = true;
        pass
    }

    /// Keep what meets a condition, have no opinion about the rest.
    pub(super) const fn keep_if(condition: bool) -> Self {
        if condition { Self::keep() } else { Self::pass() }
    }

    /// Keep what reaches the threshold; `None` is never reached.
    pub(super) const fn keep_at(threshold: Option<Threshold>, randomness: Randomness) -> Self {
        match threshold {
            Some(rate) if rate.accepts(randomness) => Self::keep_with(threshold),
            Some(_) => Self::pass_by_chance(),
            None => Self::pass(),
        }
    }

    /// Whether every trace like this one is kept.
    pub(super) fn is_certain(&self) -> bool {
        self.is_keep() && self.threshold == Some(Threshold::ALWAYS)
    }

    /// This verdict as that of a combinator that has collected `notes`: panics count, and a drop that was
    /// a matter of chance leaves a kept trace without a known probability.
    pub(super) fn with_notes(mut self, notes: VerdictNotes) -> Self {
        self.notes = notes;
        if self.is_keep() && self.notes.could_drop {
            self.threshold = None;
        }
        self
    }
}

/// Verdicts are equal when they say the same of the trace.
impl PartialEq for Verdict {
    fn eq(&self, other: &Self) -> bool {
        (self.decision, self.threshold, &self.policy)
            == (other.decision, other.threshold, &other.policy)
    }
}

impl Eq for Verdict {}

/// The threshold of a trace that both sides must keep: the rarer one. An unknown one beside any other
/// stays unknown.
pub(super) fn rarer(one: Option<Threshold>, other: Option<Threshold>) -> Option<Threshold> {
    Some(one?.max(other?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_combine_by_the_table() {
        let rate = |rate| Threshold::for_rate(rate).unwrap();
        let always = rate(1.0);
        let half = rate(0.5);
        let tenth = rate(0.1);
        for (one, other, expect_both, expect_either) in [
            (always, always, always, always),
            (always, tenth, tenth, always),
            (half, tenth, tenth, half),
            (None, tenth, None, None),
            (None, always, None, always),
            (None, None, None, None),
        ] {
            assert_eq!(rarer(one, other), expect_both);
            assert_eq!(rarer(other, one), expect_both);
            assert_eq!(Threshold::either(one, other), expect_either);
            assert_eq!(Threshold::either(other, one), expect_either);
        }
    }

    #[test]
    fn a_verdict_takes_the_first_name_it_is_given_and_a_pass_takes_none() {
        let named = Verdict::keep().by(|| "first".into()).by(|| "second".into());
        assert_eq!(named.policy, "first");
        assert_eq!(Verdict::pass().by(|| "first".into()).policy, "");
    }

    #[test]
    fn a_drop_left_to_chance_makes_the_probability_of_a_keep_unknown() {
        let notes = VerdictNotes { could_drop: true, ..VerdictNotes::default() };
        assert_eq!(Verdict::keep().with_notes(notes), Verdict::keep_with(None));
        assert_eq!(Verdict::keep().with_notes(VerdictNotes::default()), Verdict::keep());
    }

    #[test]
    fn notes_for_combinators_do_not_make_verdicts_differ() {
        assert_eq!(Verdict::pass_by_chance(), Verdict::pass());
    }
}
