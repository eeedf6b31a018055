//! One service among those of its group, without clock, threads or sockets.
//!
//! A member is told what was decided here, what came from the bus, and whether there is a connection; each time with
//! the present tick. It is asked for messages to publish, for traces to keep, and for when to ask again.

mod echoes;
mod repeats;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::budget::Budget;
use super::codec::{Message, MessageBody, MessageError, ProtocolVersion, group_hash};
use super::heard::HeardNotice;
use super::notice::{Notice, SpendingOrder};
use super::outbox::{Outbox, Run};
use super::remembered::Remembered;
use super::senders::Senders;
use crate::kit::Random;
use crate::ledger::CoherenceCounters;
use crate::time::Tick;
use echoes::Echoes;
use repeats::{MESSAGE_SPREAD, Repeats};

/// How much longer than a repeat reaches back notices are held: the repeat's own messages are spread over a while.
const HELD_BEYOND_REPEAT: Duration = Duration::from_secs(2);

/// What a member is made of.
#[derive(Clone, Debug)]
pub(super) struct MemberSettings {
    pub(super) group: String,
    pub(super) service: Arc<str>,
    pub(super) version: ProtocolVersion,
    pub(super) batch_age: Duration,
    /// How far back a repeat goes.
    pub(super) repeat_back: Duration,
    pub(super) announced_per_second: u64,
    pub(super) accepted_per_second: u64,
}

#[derive(Debug)]
pub(super) struct Member {
    group: u32,
    order: SpendingOrder,
    service: Arc<str>,
    version: ProtocolVersion,
    /// The number that the member draws at its start, and again when another member has the same.
    sender: u64,
    random: Random,
    is_connected: bool,
    repeat_back: Duration,
    outbox: Outbox,
    announced: Budget,
    accepted: Budget,
    senders: Senders,
    remembered: Arc<Remembered>,
    repeats: Repeats,
    /// The repeat that is on its way.
    repeating: Option<Repeating>,
    echoes: Echoes,
    to_keep: VecDeque<HeardNotice>,
    counters: Arc<CoherenceCounters>,
}

/// The rest of a repeat, by the member's running count.
#[derive(Debug)]
struct Repeating {
    from: u64,
    until: u64,
    next_at: Tick,
}

impl Member {
    pub(super) fn new(
        settings: &MemberSettings,
        remembered: Arc<Remembered>,
        counters: Arc<CoherenceCounters>,
        random: Random,
        now: Tick,
    ) -> Self {
        Self {
            group: group_hash(&settings.group),
            order: SpendingOrder::of_group(&settings.group),
            service: Arc::clone(&settings.service),
            version: settings.version,
            sender: random.next_u64(),
            is_connected: false,
            repeat_back: settings.repeat_back,
            outbox: Outbox::new(
                settings.batch_age,
                settings.repeat_back.saturating_add(HELD_BEYOND_REPEAT),
            ),
            announced: Budget::new(settings.announced_per_second),
            accepted: Budget::new(settings.accepted_per_second),
            senders: Senders::default(),
            remembered,
            repeats: Repeats::new(random.clone(), now),
            repeating: None,
            echoes: Echoes::default(),
            to_keep: VecDeque::new(),
            counters,
            random,
        }
    }

    /// This service kept a trace by a policy of content or by a budget, and not because of a notice.
    pub(super) fn on_decided(&mut self, notice: Notice, now: Tick) {
        // What was heard, or announced before, is known to all.
        if self.is_remembered(&notice, now) {
            return;
        }
        if !self.announced.admit(notice.place_in(self.order), now) {
            self.counters.over_budget(1);
            return;
        }
        self.remember(&notice, now);
        if notice.part.is_none() {
            let service = Arc::clone(&self.service);
            let notice = notice.clone();
            self.to_keep.push_back(HeardNotice { notice, service, is_own: true });
        }
        self.counters.announced(1);
        let lost = self.outbox.push(notice, now);
        self.counters.lost_on_the_way_out(lost);
    }

    pub(super) fn on_connected(&mut self, now: Tick) {
        self.is_connected = true;
        self.repeats.on_connected(now);
    }

    pub(super) fn on_disconnected(&mut self, now: Tick) {
        self.is_connected = false;
        self.repeating = None;
        self.repeats.on_disconnected(now);
    }

    /// A message came from the bus.
    ///
    /// # Errors
    /// When it cannot be read. It is counted.
    pub(super) fn on_message(&mut self, bytes: &[u8], now: Tick) -> Result<(), MessageError> {
        let message = Message::decode(bytes).inspect_err(|_| self.counters.malformed(1))?;
        if message.group != self.group {
            return Ok(());
        }
        if message.sender == self.sender {
            if self.echoes.has(bytes) {
                return Ok(());
            }
            // Another process drew the same number, or is a copy of this one: a machine was cloned.
            self.take_another_number();
        }
        let body = match message.body {
            MessageBody::Ask { .. } => {
                self.repeats.on_ask(now);
                return Ok(());
            }
            MessageBody::Repeat(notices) => {
                self.repeats.on_repeat();
                notices
            }
            MessageBody::Notices(notices) => notices,
        };
        let count = body.len() as u64;
        let continuity = self.senders.on_notices(message.sender, message.first, count, now);
        self.counters.made_up_by_repeats(continuity.filled);
        if continuity.missed > 0 {
            self.counters.missed_on_the_bus(continuity.missed);
            self.repeats.on_gap(now);
        }
        for notice in body {
            self.on_notice(notice, &message.service, now);
        }
        Ok(())
    }

    fn on_notice(&mut self, notice: Notice, service: &Arc<str>, now: Tick) {
        if self.is_remembered(&notice, now) {
            return;
        }
        if !self.accepted.admit(notice.place_in(self.order), now) {
            self.counters.over_budget(1);
            return;
        }
        self.counters.heard(1);
        // Before the recorder is asked: a trace that begins in between finds the id remembered when it ends.
        self.remember(&notice, now);
        let service = Arc::clone(service);
        self.to_keep.push_back(HeardNotice { notice, service, is_own: false });
    }

    fn take_another_number(&mut self) {
        self.sender = self.random.next_u64();
        self.outbox.restart_count();
        self.repeating = None;
    }

    fn is_remembered(&self, notice: &Notice, now: Tick) -> bool {
        let of_part = |part: super::notice::KeptPart| {
            self.remembered.contains_part(notice.trace_id, part.top, now)
        };
        self.remembered.contains(notice.trace_id, now) || notice.part.is_some_and(of_part)
    }

    fn remember(&self, notice: &Notice, now: Tick) {
        match notice.part {
            None => self.remembered.insert(notice.trace_id, now),
            Some(part) => self.remembered.insert_part(notice.trace_id, part.top, now),
        };
    }

    /// Makes what waits due at once.
    pub(super) fn flush(&mut self) {
        self.outbox.urge();
    }

    /// The next message to publish; call again until there is none.
    pub(super) fn poll_publish(&mut self, now: Tick) -> Option<Vec<u8>> {
        let lost = self.outbox.forget_old(now);
        self.counters.lost_on_the_way_out(lost);
        if !self.is_connected {
            return None;
        }
        let (first, body) = self.next_body(now)?;
        let message = Message {
            group: self.group,
            sender: self.sender,
            first,
            service: Arc::clone(&self.service),
            body,
        };
        let bytes = message.encode(self.version);
        self.echoes.add(&bytes);
        Some(bytes)
    }

    fn next_body(&mut self, now: Tick) -> Option<(u64, MessageBody)> {
        if let Some(Run { first, notices }) = self.outbox.take_batch(now) {
            return Some((first, MessageBody::Notices(notices)));
        }
        if self.repeats.begin_ask(now, || self.senders.have_gaps(now)) {
            let back_millis = self.repeat_back.as_millis() as u64;
            return Some((self.outbox.sent_until(), MessageBody::Ask { back_millis }));
        }
        if self.repeats.begin_repeat(now) {
            let from = self.outbox.first_since(self.repeat_back, now);
            let until = self.outbox.sent_until();
            self.repeating = Some(Repeating { from, until, next_at: now });
        }
        let repeating = self.repeating.as_mut().filter(|repeating| repeating.next_at <= now)?;
        let Some(Run { first, notices }) = self.outbox.sent_run(repeating.from, repeating.until)
        else {
            self.repeating = None;
            return None;
        };
        repeating.from = first + notices.len() as u64;
        repeating.next_at = now.after(MESSAGE_SPREAD);
        Some((first, MessageBody::Repeat(notices)))
    }

    /// The next trace to keep; call again until there is none.
    pub(super) fn poll_keep(&mut self) -> Option<HeardNotice> {
        self.to_keep.pop_front()
    }

    /// When to poll for messages again; `None` when only an event can change anything.
    pub(super) fn next_deadline(&self) -> Option<Tick> {
        if !self.is_connected {
            // What waits must leave when it is too old.
            return self.outbox.forgets_at();
        }
        let repeating = self.repeating.as_ref().map(|repeating| repeating.next_at);
        let planned = self.repeats.next_deadline();
        self.outbox.due_at().into_iter().chain(repeating).chain(planned).min()
    }

    /// How many notices wait to be published.
    pub(super) fn waiting(&self) -> usize {
        self.outbox.waiting()
    }
}
