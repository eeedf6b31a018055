//! The channel to one exporter, shared by the threads that send and the thread that exports.
//!
//! Everything that both sides must agree on stands under one lock: what waits, what is being sent,
//! who waits for a flush or the shutdown, and the account of this exporter. No exporter runs and no
//! trace is dropped while it is held.

mod drain;
mod state;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use super::ledger_entry::Settlement;
use super::queue::{Bounds, Entry, Offer, PushOutcome};
use super::waiter::ExporterFailure;
use crate::export::{Batch, Batching, ExportError, Progress};
use crate::kit::sync::{Condvar, Mutex, lock, wait, wait_while};
use crate::ledger::{Ledger, Reason};
use crate::time::{Clock, Tick};
pub(super) use drain::Baseline;
pub(super) use state::{BatchOutcome, Job, QueuedTrace};
use state::{Phase, Settlements, State};

#[derive(Debug)]
pub(super) struct Channel {
    /// The exporter's name.
    pub(super) name: Arc<str>,
    pub(super) clock: Clock,
    pub(super) ledger: Arc<Ledger>,
    batching: Batching,
    state: Mutex<State>,
    /// Wakes the exporting thread, which alone waits on it.
    work: Condvar,
    /// Whether so much waits that room is worth more than time, as of the last change of the queue.
    // Relaxed: a hint, which spares senders a lock.
    is_filling: AtomicBool,
}

/// How a wait between two tries ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PauseEnd {
    Elapsed,
    /// A flush or a shutdown waits for the batch now.
    Urged,
    /// The batch has been given up.
    Abandoned,
}

impl Channel {
    pub(super) fn new(
        name: Arc<str>,
        bounds: Bounds,
        batching: Batching,
        clock: Clock,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self {
            name,
            clock,
            ledger,
            batching,
            state: Mutex::new(State::new(bounds)),
            work: Condvar::new(),
            is_filling: AtomicBool::new(false),
        }
    }

    /// Queues a trace, or its parts where it is larger than the queue; false when there is no room for any.
    pub(super) fn push(
        &self,
        parcels: impl IntoIterator<Item = (QueuedTrace, Offer)>,
        now: Tick,
    ) -> bool {
        let mut state = lock(&self.state);
        let was_empty = state.queue.is_empty();
        let was_full = state.is_full(&self.batching);
        let reason = match state.phase {
            Phase::Open => Reason::QueueFull,
            Phase::Stopping | Phase::Ended => Reason::ShutdownDeadline,
        };
        // One trace at a time may be larger than the queue. Of another, what fits waits.
        let has_room_on_top = state.queue.has_room_on_top();
        let mut is_accepted = false;
        let mut gone: Vec<QueuedTrace> = Vec::new();
        for (queued, offer) in parcels {
            if state.phase != Phase::Open {
                gone.push(queued);
                continue;
            }
            if offer.is_part && has_room_on_top {
                state.queue.push_on_top(queued, offer, now);
                is_accepted = true;
                continue;
            }
            match state.queue.push(queued, offer, now) {
                PushOutcome::Accepted(shed) => {
                    is_accepted = true;
                    gone.extend(shed.into_iter().map(|entry| entry.item));
                }
                PushOutcome::Refused(queued) => gone.push(queued),
            }
        }
        self.is_filling.store(state.queue.is_filling(), Ordering::Relaxed);
        let now_full = state.is_full(&self.batching);
        let wake = is_accepted && state.idle && (was_empty || (now_full && !was_full));
        for queued in &gone {
            state.account.drop_spans(reason, queued.ledger_entry.spans());
        }
        drop(state);
        if wake {
            self.work.notify_one();
        }
        for queued in gone {
            queued.ledger_entry.settle(&self.ledger, Settlement::lost(reason));
        }
        is_accepted
    }

    /// Whether so much waits that room is worth more than time.
    pub(super) fn is_filling(&self) -> bool {
        self.is_filling.load(Ordering::Relaxed)
    }

    /// Blocks the exporting thread until there is something to do.
    pub(super) fn next(&self) -> Job {
        let mut state = lock(&self.state);
        loop {
            let now = self.clock.now();
            if let Some(job) = state.job(&self.batching, &self.ledger, now) {
                self.is_filling.store(state.queue.is_filling(), Ordering::Relaxed);
                return job;
            }
            let due = |(_, since): (u64, Tick)| since.after(self.batching.max_age);
            let limit = state.queue.front().map(|front| due(front).since(now));
            state.idle = true;
            state = wait(&self.work, state, limit);
            state.idle = false;
        }
    }

    /// Says how the batch of the last `Job::Send` ended.
    pub(super) fn settle(&self, outcome: BatchOutcome) {
        let mut state = lock(&self.state);
        if outcome == (BatchOutcome::Sent { rejected: 0 }) {
            state.errors.stands = false;
        }
        let settlements = state.settle(outcome);
        drop(state);
        self.settle_all(settlements);
    }

    /// When the oldest trace arrived that waits or is being sent.
    pub(super) fn oldest(&self) -> Option<Tick> {
        lock(&self.state).oldest()
    }

    /// How many spans of the batch that is being sent no retry, settlement or mark accounts for.
    pub(super) fn unmarked(&self) -> u64 {
        lock(&self.state).sending.unmarked()
    }

    /// Enters what became of a batch of which `left` may be sent again, and hands that out for the next
    /// try; `None` when that is nothing, because all of it is answered for or the channel has ended. Spans that
    /// are neither left nor `rejected` have been accepted.
    pub(super) fn retry(&self, left: Batch, rejected: u64) -> Option<Batch> {
        let mut state = lock(&self.state);
        // An exporter that returns more than it was given has still been given no more.
        let open = state.sending.spans();
        let done = open.saturating_sub(left.span_count() as u64);
        let rejected = rejected.max(state.sending.marked().rejected).min(done);
        let settlements = state.advance(Progress { accepted: done - rejected, rejected });
        let again = state.phase != Phase::Ended && left.span_count() > 0;
        let again = again.then(|| state.sending.lend(left, &self.ledger));
        drop(state);
        self.settle_all(settlements);
        again
    }

    /// What is left of a batch that the exporter has dropped; `None` when the exporter had taken the traces
    /// out of it.
    pub(super) fn reclaim(&self) -> Option<Batch> {
        lock(&self.state).sending.reclaim()
    }

    /// Keeps what the exporter said when a try failed, for flushes and the shutdown.
    pub(super) fn failed(&self, error: Arc<ExportError>) {
        let mut state = lock(&self.state);
        state.errors.count += 1;
        state.errors.stands = true;
        let old = state.errors.last.replace(error);
        drop(state);
        drop(old);
    }

    /// Says how the flush of the last `Job::Flush` ended.
    pub(super) fn flushed(&self, failure: Option<&ExporterFailure>) {
        let waiters = std::mem::take(&mut lock(&self.state).flush_waiters);
        for waiter in waiters {
            waiter.done(failure.cloned());
        }
    }

    /// How often a flush or a shutdown began to wait for what is queued.
    pub(super) fn urgency(&self) -> u64 {
        lock(&self.state).urgency
    }

    /// Blocks the exporting thread between two tries. Unless the peer asked for the wait, a flush or shutdown
    /// that began to wait after `urgency` was read ends it.
    pub(super) fn pause(&self, limit: Duration, asked: bool, urgency: &mut u64) -> PauseEnd {
        let state = lock(&self.state);
        let urged = |state: &State| !asked && state.urgency != *urgency;
        let state = wait_while(&self.work, state, limit, |state| {
            state.phase != Phase::Ended && !urged(state)
        });
        if state.phase == Phase::Ended {
            PauseEnd::Abandoned
        } else if urged(&state) {
            *urgency = state.urgency;
            PauseEnd::Urged
        } else {
            PauseEnd::Elapsed
        }
    }

    /// Drives the exporter's future; `None` when the channel was abandoned before it was ready.
    pub(super) async fn unless_abandoned<F: Future>(&self, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut state = lock(&self.state);
            if state.phase == Phase::Ended {
                return Poll::Ready(None);
            }
            let old = state.waker.replace(waker);
            drop(state);
            drop(old);
            work.as_mut().poll(context).map(Some)
        })
        .await
    }

    /// Ends the channel: gives up what waits or is being sent, and ends every flush and shutdown that waits for it.
    /// `failure` is that of the exporter's shutdown.
    pub(super) fn end(&self, failure: Option<&ExporterFailure>) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Ended {
            return;
        }
        state.phase = Phase::Ended;
        let settlements = state.settle(BatchOutcome::Lost(Reason::ShutdownDeadline));
        let queue = state.give_up_queue();
        self.is_filling.store(false, Ordering::Relaxed);
        let mut waiters = std::mem::take(&mut state.shutdown_waiters);
        waiters.append(&mut state.flush_waiters);
        waiters.extend(state.flushes.drain(..).map(|flush| flush.waiter));
        let waker = state.waker.take();
        drop(state);
        self.settle_all(settlements);
        let traces = queue.into_entries().map(|Entry { item, .. }| {
            let lost = Settlement::lost(Reason::ShutdownDeadline);
            item.ledger_entry.settle(&self.ledger, lost);
            item.trace
        });
        let abandoned = traces.collect();
        lock(&self.state).abandoned = abandoned;
        self.work.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
        for waiter in waiters {
            waiter.done(failure.cloned());
        }
    }

    /// Frees the memory of what was given up.
    ///
    /// Freeing a full queue takes longer than the end of a time limit allows, so that the exporting
    /// thread does it, or the thread that drops the delivery when that thread is stuck.
    pub(super) fn clear(&self) {
        let abandoned = std::mem::take(&mut lock(&self.state).abandoned);
        drop(abandoned);
    }

    fn settle_all(&self, settlements: Settlements) {
        for (ledger_entry, settlement) in settlements {
            ledger_entry.settle(&self.ledger, settlement);
        }
    }
}
