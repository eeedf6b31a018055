//! What the senders and the exporting thread agree on, and what follows from it; nothing waits here.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use crate::delivery::ledger_entry::{LedgerEntry, Settlement};
use crate::delivery::queue::{Bounds, Entry, Queue};
use crate::delivery::queued_batch::{QueuedBatch, WaitingTrace};
use crate::delivery::report::DeliveryReport;
use crate::delivery::waiter::Waiter;
use crate::export::{Batch, Batching, ExportError, Loan, Progress};
use crate::ledger::{Ledger, Reason};
use crate::time::Tick;

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: Queue<QueuedTrace>,
    /// The batch that is being sent.
    pub(super) sending: Sending,
    pub(super) account: DeliveryReport,
    pub(super) errors: Errors,
    pub(super) flushes: Vec<Flush>,
    /// The flushes that the exporter is busy with.
    pub(super) flush_waiters: Vec<Arc<Waiter>>,
    pub(super) shutdown_waiters: Vec<Arc<Waiter>>,
    pub(super) phase: Phase,
    /// How often a flush or a shutdown began to wait for what is queued.
    pub(super) urgency: u64,
    /// Whether the thread waits on `work`, so that a busy one costs its senders no system call.
    pub(super) idle: bool,
    /// Ends the thread's wait for the exporter.
    pub(super) waker: Option<Waker>,
    /// What was given up and takes memory yet.
    pub(super) abandoned: Vec<WaitingTrace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// What waits is still sent, nothing is let in.
    Stopping,
    Ended,
}

/// A trace that waits, with what it owes the ledger.
#[derive(Debug)]
pub(in crate::delivery) struct QueuedTrace {
    pub(in crate::delivery) trace: WaitingTrace,
    pub(in crate::delivery) ledger_entry: LedgerEntry,
}

/// The account of the batch that is being sent: taking ledger entries out of it decides what became of them.
#[derive(Debug, Default)]
pub(super) struct Sending {
    ledger_entries: VecDeque<(u64, LedgerEntry)>,
    /// When the oldest of the batch arrived.
    since: Tick,
    /// What is known about the first ledger entry's spans.
    first: Progress,
    /// Where the exporter baselines what became of the spans.
    loan: Option<Arc<Loan>>,
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
    /// Send these, then `Channel::settle`.
    Send(QueuedBatch),
    /// Let the exporter flush, then call `Channel::flushed`.
    Flush,
    /// Let the exporter shut down, then `Channel::end`.
    Stop,
    /// The channel has ended.
    Quit,
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::delivery) enum BatchOutcome {
    /// It arrived but for some spans.
    Sent {
        rejected: u64,
    },
    Lost(Reason),
}

/// Tickets with what became of them, to be told to the ledger once the lock is free.
pub(super) type Settlements = Vec<(LedgerEntry, Settlement)>;

impl Errors {
    /// The last one, if it still stands or came after the first `count`.
    pub(super) fn since(&self, count: u64) -> Option<Arc<ExportError>> {
        if self.stands || self.count > count { self.last.clone() } else { None }
    }
}

impl Sending {
    /// How many spans have not been answered for.
    pub(super) fn spans(&self) -> u64 {
        self.spans_before(u64::MAX)
    }

    /// How many spans of the traces queued before `target` have not been answered for.
    pub(super) fn spans_before(&self, target: u64) -> u64 {
        let before = self.ledger_entries.iter().filter(|(seq, _)| *seq < target);
        let spans: u64 = before.map(|(_, ledger_entry)| ledger_entry.spans()).sum();
        let has_first = self.ledger_entries.front().is_some_and(|(seq, _)| *seq < target);
        let known = if has_first { self.first.accepted + self.first.rejected } else { 0 };
        debug_assert!(known <= spans, "more is answered for than was sent");
        spans.saturating_sub(known)
    }

    /// How many spans have neither been answered for nor marked by the exporter.
    pub(super) fn unmarked(&self) -> u64 {
        let Progress { accepted, rejected } = self.marked();
        self.spans().saturating_sub(accepted + rejected)
    }

    /// Hands what is left of the batch to the exporter for another try.
    pub(super) fn lend(&mut self, batch: Batch, ledger: &Ledger) -> Batch {
        let (lent, loan) = batch.lend(ledger.sent());
        self.loan = Some(loan);
        lent
    }

    /// What the exporter dropped of the batch when its time was up.
    pub(super) fn reclaim(&self) -> Option<Batch> {
        self.loan.as_ref().and_then(|loan| loan.take_left())
    }

    /// What the exporter has marked in the batch since it was lent. What it marks from now on does not count.
    fn close(&mut self) -> Progress {
        self.loan.take().map_or_else(Progress::default, |loan| loan.close())
    }

    /// What the exporter has marked in the batch since it was lent.
    pub(super) fn marked(&self) -> Progress {
        self.loan.as_ref().map_or_else(Progress::default, |loan| loan.progress())
    }
}

impl State {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            queue: Queue::new(bounds),
            sending: Sending::default(),
            account: DeliveryReport::default(),
            errors: Errors::default(),
            flushes: Vec::new(),
            flush_waiters: Vec::new(),
            shutdown_waiters: Vec::new(),
            phase: Phase::Open,
            urgency: 0,
            idle: false,
            waker: None,
            abandoned: Vec::new(),
        }
    }

    /// When the oldest arrived that waits or is being sent.
    pub(super) fn oldest(&self) -> Option<Tick> {
        let is_sending = !self.sending.ledger_entries.is_empty();
        let waiting = self.queue.front().map(|(_, since)| since);
        is_sending.then_some(self.sending.since).into_iter().chain(waiting).min()
    }

    pub(super) fn is_full(&self, batching: &Batching) -> bool {
        self.queue.fills(batching.max_spans, batching.max_bytes)
    }

    /// What is to be done at `now`, if anything.
    pub(super) fn job(&mut self, batching: &Batching, ledger: &Ledger, now: Tick) -> Option<Job> {
        if self.phase == Phase::Ended {
            return Some(Job::Quit);
        }
        let front = self.queue.front();
        let reached = |flush: &Flush| front.is_none_or(|(seq, _)| seq >= flush.target);
        // Before anything newer is sent, or a steady stream would hold a flush up for ever.
        if self.flushes.iter().any(reached) {
            let reached = self.flushes.extract_if(.., |flush| reached(flush));
            self.flush_waiters.extend(reached.map(|flush| flush.waiter));
            return Some(Job::Flush);
        }
        let wanted = self.phase == Phase::Stopping || !self.flushes.is_empty();
        if let Some((_, since)) = front {
            let aged = now.since(since) >= batching.max_age;
            if wanted || aged || self.is_full(batching) {
                return Some(self.take(batching, ledger));
            }
        }
        (self.phase == Phase::Stopping).then_some(Job::Stop)
    }

    fn take(&mut self, batching: &Batching, ledger: &Ledger) -> Job {
        let entries = self.queue.take(batching.max_spans, batching.max_bytes);
        debug_assert!(self.sending.ledger_entries.is_empty(), "one batch at a time");
        let mut traces = Vec::with_capacity(entries.len());
        self.sending.since = entries.iter().map(|entry| entry.since).min().unwrap_or_default();
        for Entry { seq, item, .. } in entries {
            self.sending.ledger_entries.push_back((seq, item.ledger_entry));
            traces.push(item.trace);
        }
        let loan = Arc::new(Loan::new(ledger.sent()));
        self.sending.loan = Some(Arc::clone(&loan));
        Job::Send(QueuedBatch { traces, loan })
    }

    /// Enters what became of the batch that is being sent, unless that has been done.
    pub(super) fn settle(&mut self, outcome: BatchOutcome) -> Settlements {
        let open = self.sending.spans();
        let marked = self.sending.close();
        let mut settlements = match outcome {
            BatchOutcome::Sent { rejected } => {
                let rejected = rejected.max(marked.rejected).min(open);
                self.advance(Progress { accepted: open - rejected, rejected })
            }
            // What the exporter has marked in the batch is known whatever came after it.
            BatchOutcome::Lost(_) => self.advance(marked),
        };
        let reason = match outcome {
            BatchOutcome::Sent { .. } => Reason::Refused,
            BatchOutcome::Lost(reason) => reason,
        };
        let mut known = std::mem::take(&mut self.sending.first);
        for (_, ledger_entry) in self.sending.ledger_entries.drain(..) {
            let Progress { accepted, rejected } = std::mem::take(&mut known);
            self.account.drop_spans(reason, ledger_entry.spans() - accepted - rejected);
            settlements.push((ledger_entry, Settlement { accepted, rejected, reason }));
        }
        settlements
    }

    /// Enters what a peer has answered for of the batch that is being sent, in the batch's order.
    pub(super) fn advance(&mut self, progress: Progress) -> Settlements {
        let sending = &mut self.sending;
        let mut settlements = Settlements::with_capacity(sending.ledger_entries.len());
        let mut ahead = progress;
        while let Some((_, ledger_entry)) = sending.ledger_entries.front() {
            let open = ledger_entry.spans() - sending.first.accepted - sending.first.rejected;
            // Which spans were rejected is not known: the first ones stand for them.
            let rejected = ahead.rejected.min(open);
            let accepted = ahead.accepted.min(open - rejected);
            ahead.rejected -= rejected;
            ahead.accepted -= accepted;
            sending.first.rejected += rejected;
            sending.first.accepted += accepted;
            self.account.sent += accepted;
            self.account.drop_spans(Reason::Refused, rejected);
            if accepted + rejected < open {
                break;
            }
            let Progress { accepted, rejected } = std::mem::take(&mut sending.first);
            if let Some((_, ledger_entry)) = sending.ledger_entries.pop_front() {
                settlements.push((
                    ledger_entry,
                    Settlement { accepted, rejected, reason: Reason::Refused },
                ));
            }
        }
        settlements
    }

    /// Enters everything that waits as lost and hands it out, to be settled without the lock.
    pub(super) fn give_up_queue(&mut self) -> Queue<QueuedTrace> {
        let empty = Queue::new(self.queue.bounds());
        let queue = std::mem::replace(&mut self.queue, empty);
        let spans = queue.spans() as u64;
        self.account.drop_spans(Reason::ShutdownDeadline, spans);
        queue
    }
}
