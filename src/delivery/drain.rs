//! A flush or a shutdown that is under way.

use std::sync::Arc;
use std::time::Duration;

use super::channel::{Baseline, Channel};
use super::report::{DeliveryReport, DrainOutcome};
use super::waiter::Waiter;

/// What a drain ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DrainKind {
    Flush,
    /// Dropped before its end, it gives up what still waits.
    Shutdown,
}

#[derive(Debug)]
pub(super) struct Drain<'a> {
    channels: &'a [Arc<Channel>],
    baselines: Vec<Baseline>,
    kind: DrainKind,
    waiter: Arc<Waiter>,
    ended: bool,
}

impl<'a> Drain<'a> {
    pub(super) fn start(channels: &'a [Arc<Channel>], kind: DrainKind) -> Self {
        let waiter = Waiter::new(channels.len());
        let baseline = |channel: &Arc<Channel>| match kind {
            DrainKind::Flush => channel.flush(&waiter),
            DrainKind::Shutdown => channel.stop(&waiter),
        };
        Self {
            baselines: channels.iter().map(baseline).collect(),
            channels,
            kind,
            waiter,
            ended: false,
        }
    }

    /// Blocks until every channel is done, for `limit` at most.
    pub(super) fn wait(mut self, limit: Duration) -> DrainOutcome {
        let in_time = self.waiter.wait(limit);
        self.close(in_time)
    }

    /// Waits until every channel is done without blocking the thread.
    pub(super) async fn ended(mut self) -> DrainOutcome {
        self.waiter.ended().await;
        self.close(true)
    }

    fn close(&mut self, in_time: bool) -> DrainOutcome {
        self.ended = true;
        if !in_time {
            self.give_up();
        }
        let mut report = DeliveryReport::default();
        let mut last_error = None;
        for (channel, baseline) in self.channels.iter().zip(&self.baselines) {
            let (part, error) = channel.since(baseline);
            report.add(&part);
            last_error = last_error.or(error);
        }
        DrainOutcome { report, in_time, failure: self.waiter.failure(), last_error }
    }

    fn give_up(&self) {
        for channel in self.channels {
            match self.kind {
                DrainKind::Flush => channel.forget(&self.waiter),
                DrainKind::Shutdown => channel.end(None),
            }
        }
    }
}

impl Drop for Drain<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.give_up();
        }
    }
}
