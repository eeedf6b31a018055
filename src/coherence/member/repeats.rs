//! When what was announced is repeated, and when the others are asked to.
//!
//! After a reconnect a member does not know who else was cut off. It waits until the others are back as well, and
//! repeats its last seconds. If it hears no repeat of another member by then, it was cut off alone, and asks them.
//! A gap in a sender's count leads to an ask too. Asks are seldom, and one member's ask serves all who listen.

use std::time::Duration;

use crate::kit::Random;
use crate::time::Tick;

/// How long the others get to come back after a reconnect, before what they may have missed is repeated.
const SETTLE: Duration = Duration::from_millis(2_000);
const SETTLE_SPREAD: Duration = Duration::from_millis(400);
/// How long after the settling a member listens for repeats before it asks.
const LISTEN: Duration = Duration::from_millis(500);
/// The answers to an ask are spread over this time.
const ANSWER_SPREAD: Duration = Duration::from_millis(1_000);
/// The least time between two repeats of one member, however many members ask.
const BETWEEN_REPEATS: Duration = Duration::from_secs(3);
/// The least time between two asks of one member.
const BETWEEN_ASKS: Duration = Duration::from_secs(10);
/// A first connection that takes longer than this is like a reconnect: the bus was away at the start.
const SLOW_START: Duration = Duration::from_secs(1);
/// The time between the messages of one repeat.
pub(super) const MESSAGE_SPREAD: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Repeats {
    random: Random,
    /// When the member began, or lost its connection.
    away_since: Tick,
    was_connected: bool,
    repeat_at: Option<Tick>,
    last_repeat: Option<Tick>,
    ask_at: Option<Tick>,
    last_ask: Option<Tick>,
    /// Whether a reconnect, and not a gap, is why an ask is planned; and no repeat was heard since.
    is_alone: bool,
}

impl Repeats {
    pub(super) fn new(random: Random, now: Tick) -> Self {
        Self {
            random,
            away_since: now,
            was_connected: false,
            repeat_at: None,
            last_repeat: None,
            ask_at: None,
            last_ask: None,
            is_alone: false,
        }
    }

    pub(super) fn on_connected(&mut self, now: Tick) {
        let is_again = self.was_connected || now.since(self.away_since) > SLOW_START;
        self.was_connected = true;
        if is_again {
            let settled = now.after(SETTLE + self.within(SETTLE_SPREAD));
            self.repeat_at = Some(settled);
            self.plan_ask(settled.after(LISTEN));
            self.is_alone = true;
        }
    }

    pub(super) fn on_disconnected(&mut self, now: Tick) {
        self.away_since = now;
        self.repeat_at = None;
        self.ask_at = None;
    }

    /// Another member repeats what it announced.
    pub(super) fn on_repeat(&mut self) {
        self.is_alone = false;
    }

    /// Another member asks.
    pub(super) fn on_ask(&mut self, now: Tick) {
        let earliest = self.last_repeat.map_or(now, |last| last.after(BETWEEN_REPEATS).max(now));
        let planned = earliest.after(self.within(ANSWER_SPREAD));
        self.repeat_at = Some(self.repeat_at.map_or(planned, |earlier| earlier.min(planned)));
        // The answers reach this member too: it may have nothing left to ask for then.
        if let Some(ask_at) = &mut self.ask_at {
            *ask_at = (*ask_at).max(now.after(2 * ANSWER_SPREAD));
        }
    }

    /// A sender's count shows that notices were missed.
    pub(super) fn on_gap(&mut self, now: Tick) {
        if self.ask_at.is_none() {
            let wait = LISTEN + self.within(ANSWER_SPREAD);
            self.plan_ask(now.after(wait));
        }
    }

    fn plan_ask(&mut self, at: Tick) {
        let earliest = self.last_ask.map_or(at, |last| last.after(BETWEEN_ASKS));
        self.ask_at = Some(at.max(earliest));
    }

    /// Whether a repeat is due; it begins then.
    pub(super) fn begin_repeat(&mut self, now: Tick) -> bool {
        let is_due = self.repeat_at.is_some_and(|at| at <= now);
        if is_due {
            self.repeat_at = None;
            self.last_repeat = Some(now);
        }
        is_due
    }

    /// Whether the others are to be asked now. `has_gaps` says whether notices are still missing.
    pub(super) fn begin_ask(&mut self, now: Tick, has_gaps: impl FnOnce() -> bool) -> bool {
        if self.ask_at.is_none_or(|at| at > now) {
            return false;
        }
        self.ask_at = None;
        if !self.is_alone && !has_gaps() {
            return false;
        }
        self.is_alone = false;
        self.last_ask = Some(now);
        true
    }

    pub(super) fn next_deadline(&self) -> Option<Tick> {
        self.repeat_at.into_iter().chain(self.ask_at).min()
    }

    fn within(&self, spread: Duration) -> Duration {
        spread * (self.random.next_u64() >> 32) as u32 / u32::MAX
    }
}
