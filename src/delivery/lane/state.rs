//! What both sides of a lane agree on, and what follows from it; nothing waits here.

use std::sync::Arc;
use std::task::Waker;

use crate::delivery::queue::{Bounds, Entry, Queue};
use crate::delivery::report::DeliveryReport;
use crate::delivery::ticket::{Landed, Ticket};
use crate::delivery::waiter::Waiter;
use crate::export::{Batching, ExportError};
use crate::ledger::Reason;
use crate::time::Tick;
use crate::trace::Trace;

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: Queue<Parcel>,
    /// The batch that is being sent: whoever takes these tickets decides its fate.
    pub(super) sending: Vec<(u64, Ticket)>,
    pub(super) account: DeliveryReport,
    pub(super) errors: Errors,
    pub(super) flushes: Vec<Flush>,
    /// Those whose flush the exporter is busy with.
    pub(super) flushing: Vec<Arc<Waiter>>,
    pub(super) stops: Vec<Arc<Waiter>>,
    pub(super) phase: Phase,
    /// How often somebody began to wait for what is queued.
    pub(super) urgency: u64,
    /// Whether the thread waits on `work`, so that a busy one costs its senders no system call.
    pub(super) idle: bool,
    /// Ends the thread's wait for the exporter.
    pub(super) waker: Option<Waker>,
    /// What was given up and takes memory yet.
    pub(super) remains: Vec<Trace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// What waits is still sent, nothing is let in.
    Stopping,
    Ended,
}

#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) trace: Trace,
    pub(super) ticket: Ticket,
}

#[derive(Debug)]
pub(super) struct Flush {
    /// What arrived before this place must have left.
    pub(super) target: u64,
    pub(super) waiter: Arc<Waiter>,
}

/// What the exporter said when a try failed.
#[derive(Debug, Default)]
pub(super) struct Errors {
    pub(super) count: u64,
    pub(super) last: Option<Arc<ExportError>>,
    /// Whether no batch has arrived whole since.
    pub(super) stands: bool,
}

/// What the exporting thread does next.
#[derive(Debug)]
pub(in crate::delivery) enum Job {
    /// Send these, then `Lane::settle`.
    Send(Vec<Trace>),
    /// Let the exporter flush, then call `Lane::flushed`.
    Flush,
    /// Let the exporter shut down, then `Lane::end`.
    Stop,
    /// Nobody waits for anything any more.
    Quit,
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::delivery) enum Outcome {
    /// It arrived but for some spans.
    Sent {
        rejected: u64,
    },
    Lost(Reason),
}

/// Tickets with what became of them, to be told to the ledger once the lock is free.
pub(super) type Fates = Vec<(Ticket, Landed)>;

impl Errors {
    /// The last one, if it still stands or came after the first `count`.
    pub(super) fn since(&self, count: u64) -> Option<Arc<ExportError>> {
        if self.stands || self.count > count { self.last.clone() } else { None }
    }
}

impl State {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            queue: Queue::new(bounds),
            sending: Vec::new(),
            account: DeliveryReport::default(),
            errors: Errors::default(),
            flushes: Vec::new(),
            flushing: Vec::new(),
            stops: Vec::new(),
            phase: Phase::Open,
            urgency: 0,
            idle: false,
            waker: None,
            remains: Vec::new(),
        }
    }

    pub(super) fn is_full(&self, batching: &Batching) -> bool {
        self.queue.fills(batching.max_spans, batching.max_bytes)
    }

    /// What is to be done at `now`, if anything.
    pub(super) fn job(&mut self, batching: &Batching, now: Tick) -> Option<Job> {
        if self.phase == Phase::Ended {
            return Some(Job::Quit);
        }
        let front = self.queue.front();
        let reached = |flush: &Flush| front.is_none_or(|(seq, _)| seq >= flush.target);
        // Before anything newer is sent, or a steady stream would hold a flush up for ever.
        if self.flushes.iter().any(reached) {
            let reached = self.flushes.extract_if(.., |flush| reached(flush));
            self.flushing.extend(reached.map(|flush| flush.waiter));
            return Some(Job::Flush);
        }
        let wanted = self.phase == Phase::Stopping || !self.flushes.is_empty();
        if let Some((_, since)) = front {
            let aged = now.since(since) >= batching.max_age;
            if wanted || aged || self.is_full(batching) {
                return Some(Job::Send(self.take(batching)));
            }
        }
        (self.phase == Phase::Stopping).then_some(Job::Stop)
    }

    pub(super) fn take(&mut self, batching: &Batching) -> Vec<Trace> {
        let batch = self.queue.take(batching.max_spans, batching.max_bytes);
        let mut traces = Vec::with_capacity(batch.len());
        for Entry { seq, item, .. } in batch {
            self.sending.push((seq, item.ticket));
            traces.push(item.trace);
        }
        traces
    }

    /// Enters the fate of the batch that is being sent, unless that has been done.
    pub(super) fn settle(&mut self, outcome: Outcome) -> Fates {
        let mut rejected_left = match outcome {
            Outcome::Sent { rejected } => rejected,
            Outcome::Lost(_) => 0,
        };
        let mut fates = Fates::with_capacity(self.sending.len());
        for (_, ticket) in self.sending.drain(..) {
            let landed = match outcome {
                // Which spans were rejected is not known: the first ones stand for them.
                Outcome::Sent { .. } => {
                    let rejected = rejected_left.min(ticket.spans());
                    rejected_left -= rejected;
                    Landed { accepted: ticket.spans() - rejected, reason: Reason::Refused }
                }
                Outcome::Lost(reason) => Landed::lost(reason),
            };
            let lost = ticket.spans() - landed.accepted;
            self.account.sent += landed.accepted;
            self.account.drop_spans(landed.reason, lost);
            fates.push((ticket, landed));
        }
        fates
    }

    /// Enters everything that waits as lost and hands it out, to be settled without the lock.
    pub(super) fn give_up_queue(&mut self) -> Queue<Parcel> {
        let empty = Queue::new(self.queue.bounds());
        let queue = std::mem::replace(&mut self.queue, empty);
        let spans = queue.spans() as u64;
        self.account.drop_spans(Reason::ShutdownDeadline, spans);
        queue
    }
}
