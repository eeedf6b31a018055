//! What other services have announced, by their running counts.
//!
//! A sender counts its notices, so a receiver sees by a gap exactly how many it missed. No clock of a sender is looked
//! at. A sender that restarts draws another number and begins anew.

use std::collections::HashMap;
use std::time::Duration;

use crate::time::Tick;

/// The most senders that are known at a time: about 64 bytes each.
const MOST_SENDERS: usize = 8_192;
/// How long a gap may be filled by a repeat. Afterwards the sender does not hold the notices any more.
const GAP_LASTS: Duration = Duration::from_secs(30);

/// The running count of each sender that was heard.
#[derive(Debug, Default)]
pub(super) struct Senders {
    known: HashMap<u64, Sender>,
}

#[derive(Debug)]
struct Sender {
    /// The count that its next message should begin with.
    next: u64,
    /// What was missed and may still come.
    gap: Option<Gap>,
    heard_at: Tick,
}

#[derive(Debug, Clone, Copy)]
struct Gap {
    from: u64,
    /// The first count behind it.
    until: u64,
    /// How many counts within it were missed and have not come yet: in one that was made of two, some came between.
    missed: u64,
    since: Tick,
}

/// How a message continues those of its sender before it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Continuity {
    /// The notices between those before and this message.
    pub(super) missed: u64,
    /// The notices of this message that were missed before.
    pub(super) filled: u64,
}

impl Sender {
    fn fill(&mut self, first: u64, until: u64) -> u64 {
        // What comes behind the gap says nothing about it.
        let Some(gap) = self.gap.filter(|gap| first < gap.until) else { return 0 };
        let common = until.min(gap.until).saturating_sub(first.max(gap.from));
        let filled = common.min(gap.missed);
        let missed = gap.missed - filled;
        self.gap = if missed == 0 {
            None
        } else if until < gap.until {
            Some(Gap { from: gap.from.max(until), missed, ..gap })
        } else {
            // Messages may overtake each other: what is missed comes before this one then.
            (first > gap.from).then_some(Gap { until: first, missed, ..gap })
        };
        filled
    }
}

impl Senders {
    /// A message with `count` notices came, for the first time or repeated.
    pub(super) fn on_notices(
        &mut self,
        sender: u64,
        first: u64,
        count: u64,
        now: Tick,
    ) -> Continuity {
        let until = first.saturating_add(count);
        let Some(known) = self.known.get_mut(&sender) else {
            self.make_room();
            // What a sender announced before it was heard the first time is not missed: perhaps this one just joined.
            self.known.insert(sender, Sender { next: until, gap: None, heard_at: now });
            return Continuity::default();
        };
        known.heard_at = now;
        let filled = known.fill(first, until);
        let missed = first.saturating_sub(known.next);
        if missed > 0 {
            let earlier = known.gap.filter(|gap| now.since(gap.since) < GAP_LASTS);
            let from = earlier.map_or(known.next, |gap| gap.from);
            let open = missed + earlier.map_or(0, |gap| gap.missed);
            known.gap = Some(Gap { from, until: first, missed: open, since: now });
        }
        // Another process with the same number, or messages that overtake each other, must not turn the count back.
        known.next = known.next.max(until);
        Continuity { missed, filled }
    }

    /// Whether a gap of any sender may still be filled.
    pub(super) fn have_gaps(&self, now: Tick) -> bool {
        let mut gaps = self.known.values().filter_map(|sender| sender.gap);
        gaps.any(|gap| now.since(gap.since) < GAP_LASTS)
    }

    fn make_room(&mut self) {
        if self.known.len() < MOST_SENDERS {
            return;
        }
        // Half of them go, so that a forger of senders does not make each message search for the oldest.
        let mut times: Vec<Tick> = self.known.values().map(|sender| sender.heard_at).collect();
        let (_, median, _) = times.select_nth_unstable(MOST_SENDERS / 2);
        let median = *median;
        self.known.retain(|_, sender| sender.heard_at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Tick {
        Tick::from_nanos(seconds * 1_000_000_000)
    }

    fn missed(missed: u64) -> Continuity {
        Continuity { missed, filled: 0 }
    }

    fn filled(filled: u64) -> Continuity {
        Continuity { missed: 0, filled }
    }

    #[test]
    fn a_gap_tells_exactly_what_was_missed_and_a_repeat_fills_it() {
        let mut senders = Senders::default();
        assert_eq!(senders.on_notices(1, 100, 5, at(0)), missed(0), "it joined late");
        assert_eq!(senders.on_notices(1, 105, 1, at(0)), missed(0));
        assert_eq!(senders.on_notices(1, 110, 1, at(1)), missed(4));
        assert!(senders.have_gaps(at(1)));
        assert_eq!(senders.on_notices(1, 103, 5, at(2)), filled(2));
        assert!(senders.have_gaps(at(2)));
        assert_eq!(senders.on_notices(1, 108, 3, at(2)), filled(2));
        assert!(!senders.have_gaps(at(2)));
        assert_eq!(
            senders.on_notices(1, 103, 8, at(2)),
            filled(0),
            "a second repeat fills nothing"
        );
    }

    #[test]
    fn a_gap_that_was_made_of_two_fills_no_more_than_was_missed() {
        let mut senders = Senders::default();
        senders.on_notices(1, 0, 10, at(0));
        assert_eq!(senders.on_notices(1, 12, 8, at(1)), missed(2));
        assert_eq!(senders.on_notices(1, 23, 1, at(2)), missed(3));
        assert_eq!(senders.on_notices(1, 10, 8, at(3)), filled(5));
        assert_eq!(senders.on_notices(1, 18, 6, at(3)), filled(0));
        assert!(!senders.have_gaps(at(3)));
    }

    #[test]
    fn messages_that_overtake_each_other_miss_nothing_in_the_end() {
        let mut senders = Senders::default();
        senders.on_notices(1, 0, 5, at(0));
        assert_eq!(senders.on_notices(1, 7, 1, at(1)), missed(2));
        assert_eq!(senders.on_notices(1, 6, 1, at(1)), filled(1));
        assert_eq!(senders.on_notices(1, 5, 1, at(1)), filled(1));
        assert!(!senders.have_gaps(at(1)));
    }

    #[test]
    fn a_repeat_that_comes_before_the_gap_is_seen_leaves_none() {
        let mut senders = Senders::default();
        senders.on_notices(1, 0, 5, at(0));
        assert_eq!(senders.on_notices(1, 3, 7, at(1)), missed(0));
        assert_eq!(senders.on_notices(1, 10, 1, at(1)), missed(0));
    }

    #[test]
    fn two_processes_with_one_number_miss_nothing_of_each_other() {
        let mut senders = Senders::default();
        senders.on_notices(1, 0, 100, at(0));
        assert_eq!(senders.on_notices(1, 0, 1, at(0)), missed(0));
        assert_eq!(senders.on_notices(1, 100, 1, at(0)), missed(0));
    }

    #[test]
    fn what_is_known_of_senders_is_bounded() {
        let mut senders = Senders::default();
        for sender in 0..100_000 {
            senders.on_notices(sender, 0, 1, at(sender));
        }
        assert!(senders.known.len() <= MOST_SENDERS);
        assert_eq!(senders.on_notices(99_999, 5, 1, at(100_000)), missed(4), "the last are known");
    }

    #[test]
    fn a_gap_is_not_waited_for_for_ever() {
        let mut senders = Senders::default();
        senders.on_notices(1, 0, 1, at(0));
        senders.on_notices(1, 9, 1, at(0));
        assert!(!senders.have_gaps(at(30)));
    }
}
