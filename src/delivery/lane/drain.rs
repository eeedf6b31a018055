//! What a flush or a shutdown asks of a lane.

use std::sync::Arc;

use super::Lane;
use super::state::{Flush, Phase, State};
use crate::delivery::report::DeliveryReport;
use crate::delivery::waiter::{ExporterFailure, Waiter};
use crate::kit::sync::lock;

/// The account when a flush or a shutdown was asked for.
#[derive(Debug)]
pub(in crate::delivery) struct Mark {
    account: DeliveryReport,
    errors: u64,
    target: u64,
}

impl Lane {
    /// Asks for everything queued so far to be sent and flushed; `waiter` hears of it.
    pub(in crate::delivery) fn flush(&self, waiter: &Arc<Waiter>) -> Mark {
        self.ask(waiter, |state, waiter, target| {
            state.flushes.push(Flush { target, waiter });
        })
    }

    /// Lets nothing more in and asks for everything queued to be sent; `waiter` hears of it.
    pub(in crate::delivery) fn stop(&self, waiter: &Arc<Waiter>) -> Mark {
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
    pub(in crate::delivery) fn forget(&self, waiter: &Arc<Waiter>) {
        let mut state = lock(&self.state);
        state.flushes.retain(|flush| !Arc::ptr_eq(&flush.waiter, waiter));
        state.flushing.retain(|other| !Arc::ptr_eq(other, waiter));
    }

    /// What happened since the mark, and what the exporter said where that is not all well.
    pub(in crate::delivery) fn since(
        &self,
        mark: &Mark,
    ) -> (DeliveryReport, Option<ExporterFailure>) {
        let state = lock(&self.state);
        let sending = state.sending.spans_before(mark.target);
        let left = sending + state.queue.spans_before(mark.target) as u64;
        let report = state.account.since(&mark.account, left);
        let error = if report.is_whole() { None } else { state.errors.since(mark.errors) };
        let exporter = Arc::clone(&self.name);
        (report, error.map(|error| ExporterFailure { exporter, error }))
    }
}
