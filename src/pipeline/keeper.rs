//! The thread that looks after time.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::kit::notice::{self, Pending};
use crate::kit::{guarded, own_work};
use crate::ledger::{LossWatch, Notice};
use crate::record::Recorder;

/// How often it looks. Nothing depends on it but how late a lingering trace may be decided.
const PERIOD: Duration = Duration::from_millis(100);

/// Polls the recorder, follows the wall clock and tells when loss starts and ends.
#[derive(Debug)]
pub(super) struct Keeper(Arc<Stop>);

#[derive(Debug, Default)]
struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Keeper {
    /// # Errors
    /// When the machine refuses another thread.
    #[expect(clippy::disallowed_methods, reason = "one of the two rooms that start threads")]
    pub(super) fn start(recorder: Arc<Recorder>, notices: Arc<Pending>) -> io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let theirs = Arc::clone(&stop);
        thread::Builder::new()
            .name("tailtrace".into())
            .spawn(move || look_after(&recorder, &notices, &theirs))?;
        Ok(Self(stop))
    }

    /// A keeper of nothing.
    pub(super) fn absent() -> Self {
        Self(Arc::default())
    }

    /// Asks the thread to end; it ends at its next look.
    pub(super) fn stop(&self) {
        *guarded::lock(&self.0.asked) = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

fn look_after(recorder: &Recorder, notices: &Pending, stop: &Stop) {
    // Policies run here when a trace lingered: what they trace must not come back in.
    own_work::mark_thread();
    let mut losses = LossWatch::default();
    let mut asked = guarded::lock(&stop.asked);
    while !*asked {
        let waited = stop.changed.wait_timeout(asked, PERIOD);
        asked = waited.unwrap_or_else(PoisonError::into_inner).0;
        drop(asked);
        let now = recorder.clock.now();
        recorder.clock.refresh();
        notices.say_if_heard();
        // A bug in one round must not end the rounds after it.
        let _ = guarded::call(|| recorder.poll(now));
        match losses.observe(now, &recorder.losses()) {
            Some(loss @ Notice::Started { .. }) => notice::warn(&loss.message()),
            Some(end @ Notice::Ended { .. }) => notice::info(&end.message()),
            None => {}
        }
        asked = guarded::lock(&stop.asked);
    }
}
