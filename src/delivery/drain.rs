//! A flush or a shutdown that is under way.

use std::sync::Arc;
use std::time::Duration;

use super::lane::{Lane, Mark};
use super::report::{DeliveryReport, Ending};
use super::waiter::Waiter;

/// What is asked of the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Flush,
    /// Dropped before its end, it gives up what still waits.
    Shutdown,
}

#[derive(Debug)]
pub(super) struct Drain<'a> {
    lanes: &'a [Arc<Lane>],
    marks: Vec<Mark>,
    ask: Ask,
    waiter: Arc<Waiter>,
    ended: bool,
}

impl<'a> Drain<'a> {
    pub(super) fn begin(lanes: &'a [Arc<Lane>], ask: Ask) -> Self {
        let waiter = Waiter::new(lanes.len());
        let mark = |lane: &Arc<Lane>| match ask {
            Ask::Flush => lane.flush(&waiter),
            Ask::Shutdown => lane.stop(&waiter),
        };
        Self { marks: lanes.iter().map(mark).collect(), lanes, ask, waiter, ended: false }
    }

    /// Blocks until every lane is done, for `limit` at most.
    pub(super) fn wait(mut self, limit: Duration) -> Ending {
        let in_time = self.waiter.wait(limit);
        self.close(in_time)
    }

    /// Waits until every lane is done without blocking the thread.
    pub(super) async fn ended(mut self) -> Ending {
        self.waiter.ended().await;
        self.close(true)
    }

    fn close(&mut self, in_time: bool) -> Ending {
        self.ended = true;
        if !in_time {
            self.give_up();
        }
        let (mut report, mut last_error) = (DeliveryReport::default(), None);
        for (lane, mark) in self.lanes.iter().zip(&self.marks) {
            let (part, error) = lane.since(mark);
            report.add(&part);
            last_error = last_error.or(error);
        }
        Ending { report, in_time, failure: self.waiter.failure(), last_error }
    }

    fn give_up(&self) {
        for lane in self.lanes {
            match self.ask {
                Ask::Flush => lane.forget(&self.waiter),
                Ask::Shutdown => lane.end(None),
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
