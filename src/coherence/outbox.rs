//! What was announced: not sent yet, or sent a short while ago.
//!
//! One queue is both the outbox and what a repeat repeats, in the order of the sender's running count. With the bus
//! away nothing else is kept for later: what leaves the queue unsent is counted as lost.

use std::collections::VecDeque;
use std::time::Duration;

use super::codec::MOST_NOTICES;
use super::notice::Notice;
use crate::time::Tick;

/// The most notices that are held: at the default budget more than what ten seconds announce.
const MOST_HELD: usize = 65_536;

/// Bounded by age and by number: about 64 bytes for each notice of the last seconds.
#[derive(Debug)]
pub(super) struct Outbox {
    held: VecDeque<Held>,
    /// The running count of the first notice that is held.
    first: u64,
    /// How many of those that are held were sent: the first ones.
    sent: usize,
    batch_age: Duration,
    /// How long a notice is held after it was announced.
    reach: Duration,
    /// Whether what waits is sent without waiting for the batch's age.
    is_urged: bool,
}

#[derive(Debug)]
struct Held {
    notice: Notice,
    announced_at: Tick,
}

/// Notices that follow each other in the running count.
#[derive(Debug, PartialEq)]
pub(super) struct Run {
    /// The running count of the first.
    pub(super) first: u64,
    pub(super) notices: Vec<Notice>,
}

impl Outbox {
    pub(super) fn new(batch_age: Duration, reach: Duration) -> Self {
        Self { held: VecDeque::new(), first: 0, sent: 0, batch_age, reach, is_urged: false }
    }

    /// Takes a notice; returns how many had to leave unsent.
    pub(super) fn push(&mut self, notice: Notice, now: Tick) -> u64 {
        let mut lost = 0;
        if self.held.len() == MOST_HELD {
            lost = self.pop_first();
        }
        self.held.push_back(Held { notice, announced_at: now });
        lost
    }

    /// Lets go of what is too old to be of use; returns how many of these were not sent.
    pub(super) fn forget_old(&mut self, now: Tick) -> u64 {
        let mut lost = 0;
        while self.held.front().is_some_and(|held| now.since(held.announced_at) > self.reach) {
            lost += self.pop_first();
        }
        lost
    }

    fn pop_first(&mut self) -> u64 {
        if self.held.pop_front().is_none() {
            return 0;
        }
        self.first += 1;
        let was_sent = self.sent > 0;
        self.sent = self.sent.saturating_sub(1);
        u64::from(!was_sent)
    }

    /// Makes what waits due at once.
    pub(super) fn urge(&mut self) {
        self.is_urged = true;
    }

    /// When the oldest notice that waits is due; `None` when none waits.
    pub(super) fn due_at(&self) -> Option<Tick> {
        let oldest = self.held.get(self.sent)?;
        let is_full = self.held.len() - self.sent >= MOST_NOTICES;
        let wait = if is_full || self.is_urged { Duration::ZERO } else { self.batch_age };
        Some(oldest.announced_at.after(wait))
    }

    /// When the oldest notice that is held is too old to be of use; `None` when none is held.
    pub(super) fn forgets_at(&self) -> Option<Tick> {
        self.held.front().map(|held| held.announced_at.after(self.reach))
    }

    /// The next batch, if one is due.
    pub(super) fn take_batch(&mut self, now: Tick) -> Option<Run> {
        let is_due = self.due_at().is_some_and(|due| due <= now);
        if !is_due {
            self.is_urged &= self.sent < self.held.len();
            return None;
        }
        let end = self.held.len().min(self.sent + MOST_NOTICES);
        let run = self.run(self.sent, end);
        self.sent = end;
        Some(run)
    }

    /// The running count of the first notice announced in the last `back`, for a repeat of what was sent.
    pub(super) fn first_since(&self, back: Duration, now: Tick) -> u64 {
        let older = self.held.partition_point(|held| now.since(held.announced_at) > back);
        self.first + older as u64
    }

    /// The running count behind the last notice that was sent.
    pub(super) fn sent_until(&self) -> u64 {
        self.first + self.sent as u64
    }

    /// What was sent from a running count on, up to another and to what one message may have.
    pub(super) fn sent_run(&self, from: u64, until: u64) -> Option<Run> {
        let start = usize::try_from(from.saturating_sub(self.first)).ok()?;
        let end = usize::try_from(until.saturating_sub(self.first)).ok()?;
        let end = end.min(self.sent).min(start + MOST_NOTICES);
        (start < end).then(|| self.run(start, end))
    }

    fn run(&self, start: usize, end: usize) -> Run {
        let notices = self.held.range(start..end).map(|held| held.notice.clone()).collect();
        Run { first: self.first + start as u64, notices }
    }

    /// Begins a new running count, as a sender does that takes another number.
    pub(super) fn restart_count(&mut self) {
        self.first = 0;
    }

    /// How many wait to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.held.len() - self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TraceId;

    fn at(millis: u64) -> Tick {
        Tick::from_nanos(millis * 1_000_000)
    }

    fn notice(bits: u128) -> Notice {
        Notice::new(TraceId::from_bits(bits).unwrap())
    }

    fn outbox() -> Outbox {
        Outbox::new(Duration::from_millis(20), Duration::from_secs(10))
    }

    #[test]
    fn a_batch_waits_for_its_age_or_its_number() {
        let mut outbox = outbox();
        outbox.push(notice(1), at(0));
        outbox.push(notice(2), at(10));
        assert_eq!(outbox.take_batch(at(19)), None);
        let batch = outbox.take_batch(at(20)).unwrap();
        assert_eq!((batch.first, batch.notices), (0, vec![notice(1), notice(2)]));
        for bits in 0..MOST_NOTICES + 1 {
            outbox.push(notice(bits as u128 + 3), at(20));
        }
        let batch = outbox.take_batch(at(20)).unwrap();
        assert_eq!((batch.first, batch.notices.len()), (2, MOST_NOTICES));
        assert_eq!(outbox.take_batch(at(20)), None);
        outbox.urge();
        assert_eq!(outbox.take_batch(at(20)).unwrap().notices.len(), 1);
    }

    #[test]
    fn what_gets_old_unsent_is_lost_and_its_count_is_not_given_again() {
        let mut outbox = outbox();
        outbox.push(notice(1), at(0));
        outbox.push(notice(2), at(9_000));
        assert_eq!(outbox.forget_old(at(10_001)), 1);
        assert_eq!(outbox.take_batch(at(10_001)).unwrap().first, 1);
        assert_eq!(outbox.forget_old(at(30_000)), 0, "it was sent");
    }

    #[test]
    fn a_repeat_has_what_was_sent_in_the_last_seconds() {
        let mut outbox = outbox();
        outbox.push(notice(1), at(0));
        outbox.push(notice(2), at(5_000));
        outbox.take_batch(at(5_020));
        outbox.push(notice(3), at(6_000));
        let from = outbox.first_since(Duration::from_secs(3), at(6_000));
        let run = outbox.sent_run(from, outbox.sent_until()).unwrap();
        assert_eq!((run.first, run.notices), (1, vec![notice(2)]));
        assert_eq!(outbox.sent_run(2, 3), None, "that one waits to be sent the first time");
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut outbox = outbox();
        let lost: u64 =
            (0..MOST_HELD as u128 + 5).map(|bits| outbox.push(notice(bits + 1), at(0))).sum();
        assert_eq!((lost, outbox.waiting()), (5, MOST_HELD));
    }
}
