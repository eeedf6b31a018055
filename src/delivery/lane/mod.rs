//! One exporter's queue, shared by those who send and the thread that exports.
//!
//! Everything that both sides must agree on stands under one lock: what waits, what is being sent,
//! who waits for a flush or the shutdown, and the account of this exporter. No exporter runs and no
//! trace is dropped while it is held.

mod state;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::queue::{Bounds, Entry, Offer, Pushed};
use super::report::DeliveryReport;
use super::ticket::{Landed, Ticket};
use super::waiter::{ExporterFailure, Waiter};
use crate::export::{Batching, ExportError};
use crate::kit::sync::{Condvar, Mutex, lock, wait, wait_while};
use crate::ledger::{Ledger, Reason};
use crate::time::{Clock, Tick};
use crate::trace::Trace;
use state::{Fates, Flush, Parcel, Phase, State};
pub(super) use state::{Job, Outcome};

#[derive(Debug)]
pub(super) struct Lane {
    /// The exporter's name.
    pub(super) name: Arc<str>,
    pub(super) clock: Clock,
    pub(super) ledger: Arc<Ledger>,
    batching: Batching,
    state: Mutex<State>,
    /// Wakes the exporting thread, which alone waits on it.
    work: Condvar,
}

/// How a wait between two tries ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    Over,
    /// Somebody waits for the batch now.
    Urged,
    /// The batch has been given up.
    Abandoned,
}

/// The account when a flush or a shutdown was asked for.
#[derive(Debug)]
pub(super) struct Mark {
    account: DeliveryReport,
    errors: u64,
    target: u64,
}

impl Lane {
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
        }
    }

    /// Queues a trace; false when there is no room for it.
    pub(super) fn push(&self, trace: Trace, ticket: Ticket, offer: Offer, now: Tick) -> bool {
        let mut state = lock(&self.state);
        if state.phase != Phase::Open {
            let reason = Reason::ShutdownDeadline;
            state.account.drop_spans(reason, ticket.spans());
            drop(state);
            ticket.settle(&self.ledger, Landed::lost(reason));
            return false;
        }
        let (was_empty, was_full) = (state.queue.is_empty(), state.is_full(&self.batching));
        let pushed = state.queue.push(Parcel { trace, ticket }, offer, now);
        let now_full = state.is_full(&self.batching);
        let wake = state.idle && (was_empty || (now_full && !was_full));
        let (accepted, gone) = match pushed {
            Pushed::Accepted(shed) => (true, shed.into_iter().map(|entry| entry.item).collect()),
            Pushed::Refused(parcel) => (false, vec![parcel]),
        };
        for parcel in &gone {
            let spans = parcel.ticket.spans();
            state.account.drop_spans(Reason::QueueFull, spans);
        }
        drop(state);
        if wake {
            self.work.notify_one();
        }
        for parcel in gone {
            let lost = Landed::lost(Reason::QueueFull);
            parcel.ticket.settle(&self.ledger, lost);
        }
        accepted
    }

    /// Blocks the exporting thread until there is something to do.
    pub(super) fn next(&self) -> Job {
        let mut state = lock(&self.state);
        loop {
            let now = self.clock.now();
            if let Some(job) = state.job(&self.batching, now) {
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
    pub(super) fn settle(&self, outcome: Outcome) {
        let mut state = lock(&self.state);
        if outcome == (Outcome::Sent { rejected: 0 }) {
            state.errors.stands = false;
        }
        let fates = state.settle(outcome);
        drop(state);
        self.tell(fates);
    }

    /// Keeps what the exporter said when a try failed, for whoever waits.
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
        let waiters = std::mem::take(&mut lock(&self.state).flushing);
        for waiter in waiters {
            waiter.done(failure.cloned());
        }
    }

    /// How often somebody began to wait for what is queued.
    pub(super) fn urgency(&self) -> u64 {
        lock(&self.state).urgency
    }

    /// Blocks the exporting thread between two tries. Unless the peer asked for the wait, somebody
    /// who began to wait after `urgency` was read ends it.
    pub(super) fn pause(&self, limit: Duration, asked: bool, urgency: &mut u64) -> Pause {
        let state = lock(&self.state);
        let urged = |state: &State| !asked && state.urgency != *urgency;
        let state = wait_while(&self.work, state, limit, |state| {
            state.phase != Phase::Ended && !urged(state)
        });
        if state.phase == Phase::Ended {
            Pause::Abandoned
        } else if urged(&state) {
            *urgency = state.urgency;
            Pause::Urged
        } else {
            Pause::Over
        }
    }

    /// Drives the exporter's future; `None` when the lane was abandoned before it was ready.
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

    /// Asks for everything queued so far to be sent and flushed; `waiter` hears of it.
    pub(super) fn flush(&self, waiter: &Arc<Waiter>) -> Mark {
        self.ask(waiter, |state, waiter, target| {
            state.flushes.push(Flush { target, waiter });
        })
    }

    /// Lets nothing more in and asks for everything queued to be sent; `waiter` hears of it.
    pub(super) fn stop(&self, waiter: &Arc<Waiter>) -> Mark {
        self.ask(waiter, |state, waiter, _| {
            state.phase = Phase::Stopping;
            state.stops.push(waiter);
        })
    }

    fn ask(&self, waiter: &Arc<Waiter>, note: impl FnOnce(&mut State, Arc<Waiter>, u64)) -> Mark {
        let mut state = lock(&self.state);
        let (account, errors) = (state.account, state.errors.count);
        let mark = Mark { account, errors, target: state.queue.next_seq() };
        if state.phase == Phase::Ended {
            drop(state);
            waiter.done(None);
            return mark;
        }
        note(&mut state, Arc::clone(waiter), mark.target);
        state.urgency += 1;
        drop(state);
        self.work.notify_one();
        mark
    }

    /// The flush that `waiter` waited for is of no interest any more.
    pub(super) fn forget(&self, waiter: &Arc<Waiter>) {
        let mut state = lock(&self.state);
        state.flushes.retain(|flush| !Arc::ptr_eq(&flush.waiter, waiter));
        state.flushing.retain(|other| !Arc::ptr_eq(other, waiter));
    }

    /// What happened since the mark, and what the exporter said where that is not all well.
    pub(super) fn since(&self, mark: &Mark) -> (DeliveryReport, Option<ExporterFailure>) {
        let state = lock(&self.state);
        let sending = state.sending.iter().filter(|(seq, _)| *seq < mark.target);
        let sending: u64 = sending.map(|(_, ticket)| ticket.spans()).sum();
        let left = sending + state.queue.spans_before(mark.target) as u64;
        let report = state.account.since(&mark.account, left);
        let error = if report.is_whole() { None } else { state.errors.since(mark.errors) };
        let exporter = Arc::clone(&self.name);
        (report, error.map(|error| ExporterFailure { exporter, error }))
    }

    /// Ends the lane: gives up whatever waits or is being sent, and frees everybody who waits for it.
    /// `failure` is that of the exporter's shutdown.
    pub(super) fn end(&self, failure: Option<&ExporterFailure>) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Ended {
            return;
        }
        state.phase = Phase::Ended;
        let fates = state.settle(Outcome::Lost(Reason::ShutdownDeadline));
        let mut queue = state.give_up_queue();
        let mut waiters = std::mem::take(&mut state.stops);
        waiters.append(&mut state.flushing);
        waiters.extend(state.flushes.drain(..).map(|flush| flush.waiter));
        let waker = state.waker.take();
        drop(state);
        self.tell(fates);
        let waiting = queue.take(usize::MAX, usize::MAX).into_iter();
        let traces = waiting.map(|Entry { item, .. }| {
            let lost = Landed::lost(Reason::ShutdownDeadline);
            item.ticket.settle(&self.ledger, lost);
            item.trace
        });
        let remains = traces.collect();
        lock(&self.state).remains = remains;
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
    /// thread does it, or whoever drops the delivery when that thread is stuck.
    pub(super) fn clear(&self) {
        let remains = std::mem::take(&mut lock(&self.state).remains);
        drop(remains);
    }

    fn tell(&self, fates: Fates) {
        for (ticket, landed) in fates {
            ticket.settle(&self.ledger, landed);
        }
    }
}
