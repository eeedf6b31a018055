//! What time, a flush and a shutdown ask of a recorder.

use std::thread;

use super::Recorder;
use crate::time::Tick;

impl Recorder {
    /// Does what time asks for: decides traces that lingered, drops from the ring what has aged.
    pub(crate) fn poll(&self, now: Tick) {
        // A policy that flushes must not decide further traces inside itself.
        if self.is_decider_running() {
            return;
        }
        self.postponed.drop_all();
        self.completion.decide_lingering(&self.traces, now);
        self.completion.decide_long_open(&self.traces, now);
        self.traces.drop_surplus(now);
    }

    /// Sends on the complete parts of open traces that the tail keeps.
    pub(crate) fn send_complete_parts(&self, now: Tick) {
        if !self.is_decider_running() {
            self.completion.send_complete_parts(&self.traces, now);
        }
    }

    /// Sends on what open traces hold: those in which a span has failed, or all of them.
    pub(crate) fn send_open(&self, is_all: bool, now: Tick) {
        if thread::panicking() {
            // In a panic hook nothing has unwound yet.
            self.draft_holders.fail_by_panic();
        }
        self.completion.send_open(&self.traces, is_all, now);
    }

    /// Ends recording: what is live is decided on what has ended. What has not ended is dropped; how
    /// many spans that were. `None` when another thread has begun that before.
    pub(crate) fn shutdown(&self, now: Tick) -> Option<u64> {
        self.postponed.drop_all();
        if !self.is_closed() {
            self.draft_holders.settle_all(self.id());
        }
        if !self.traces.close() {
            return None;
        }
        self.postponed.close();
        self.postponed.drop_all();
        let unfinished = self.completion.decide_all(&self.traces, now);
        self.traces.foreign.forget_all();
        Some(unfinished)
    }

    /// What the operator is to be told of a sampler and a tail that panicked: once of each.
    pub(crate) fn take_panics_told(&self) -> impl Iterator<Item = String> {
        self.deciders.take_panics_told()
    }
}
