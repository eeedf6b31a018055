//! What a flush or a shutdown asks of a channel.

use std::sync::Arc;

use super::Channel;
use super::state::{Flush, Phase, State};
use crate::delivery::report::DeliveryReport;
use crate::delivery::waiter::{ExporterFailure, Waiter};
use crate::kit::sync::lock;

/// The account when a flush or a shutdown was asked for.
#[derive(Debug)]
pub(in crate::delivery) struct Baseline {
    account: DeliveryReport,
    errors: u64,
    target: u64,
}

impl Channel {
    /// Asks for everything queued so far to be sent and flushed; `waiter` hears of it.
    pub(in crate::delivery) fn flush(&self, waiter: &Arc<Waiter>) -> Baseline {
        self.ask(waiter, |state, waiter, target| {
            state.flushes.push(Flush { target, waiter });
        })
    }

    /// Lets nothing more in and asks for everything queued to be sent; `waiter` hears of it.
    pub(in crate::delivery) fn stop(&self, waiter: &Arc<Waiter>) -> Baseline {
        self.ask(waiter, |state, waiter, _| {
            state.phase = Phase::Stopping;
            state.shutdown_waiters.push(waiter);
        })
    }

    fn ask(
        &self,
        waiter: &Arc<Waiter>,
        note: impl FnOnce(&mut State, Arc<Waiter>, u64),
    ) -> Baseline {
        let mut state = lock(&self.state);
        let account = state.account;
        let errors = state.errors.count;
        let baseline = Baseline { account, errors, target: state.queue.next_seq() };
        if state.phase == Phase::Ended {
            drop(state);
            waiter.done(None);
            return baseline;
        }
        note(&mut state, Arc::clone(waiter), baseline.target);
        state.urgency += 1;
        drop(state);
        self.work.notify_one();
        baseline
    }

    /// The flush that `waiter` waited for is of no interest any more.
    pub(in crate::delivery) fn forget(&self, waiter: &Arc<Waiter>) {
        let mut state = lock(&self.state);
        state.flushes.retain(|flush| !Arc::ptr_eq(&flush.waiter, waiter));
        state.flush_waiters.retain(|other| !Arc::ptr_eq(other, waiter));
    }

    /// What happened since the baseline, and what the exporter said where that is not all well.
    pub(in crate::delivery) fn since(
        &self,
        baseline: &Baseline,
    ) -> (DeliveryReport, Option<ExporterFailure>) {
        let state = lock(&self.state);
        let sending = state.sending.spans_before(baseline.target);
        let left = sending + state.queue.spans_before(baseline.target) as u64;
        let report = state.account.since(&baseline.account, left);
        let error = if report.is_whole() { None } else { state.errors.since(baseline.errors) };
        let exporter = Arc::clone(&self.name);
        (report, error.map(|error| ExporterFailure { exporter, error }))
    }
}
