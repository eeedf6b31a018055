//! The thread that sends what a spool holds.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

use super::file_name::FileName;
use super::spool_state::SpoolState;
use crate::delivery::Retry;
use crate::delivery::backoff::{Backoff, RetryDecision};
use crate::kit::{Random, internal_log, reentrancy, unwind_safe};
use crate::time::Clock;

/// How often the directory is looked at for batches of other processes.
const LOOK: Duration = Duration::from_secs(5);

/// For each part of time that sending takes, so many parts are left to what is live: a fifth of the link is used.
const PARTS_LEFT: u32 = 4;

/// What became of one look at the spool.
enum Round {
    Sent {
        took: Duration,
    },
    /// The peer does not take it now.
    Away {
        asked: Option<Duration>,
    },
    /// There is nothing to send.
    Empty,
}

/// Starts the thread.
///
/// # Errors
/// When the system refuses a thread.
#[expect(clippy::disallowed_methods, reason = "delivery owns the exporting threads")]
pub(super) fn start(shared: Arc<SpoolState>) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("tailtrace-spool".into()).spawn(move || {
        reentrancy::mark_own_thread();
        unwind_safe::call(|| run(&shared));
    })
}

fn run(shared: &SpoolState) {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().on_thread_start(reentrancy::mark_own_thread);
    let Ok(runtime) = builder.build() else { return };
    let clock = Clock::system();
    // What is on the disk is given up by its age alone.
    let retry = Retry::default().with_budget(Duration::MAX);
    let fresh = || Backoff::new(retry, clock.now());
    let mut backoff = fresh();
    while !shared.signal.is_stopped() {
        let began = clock.now();
        match unwind_safe::call(|| runtime.block_on(send_oldest(shared))) {
            Some(Round::Sent { took }) => {
                backoff = fresh();
                shared.signal.wait(took.saturating_mul(PARTS_LEFT), false);
            }
            Some(Round::Away { asked }) => {
                let next = backoff.failed(began, clock.now(), asked, Random::thread().next_u64());
                let wait = match next {
                    RetryDecision::Wait(wait) | RetryDecision::WaitAsAsked(wait) => wait,
                    RetryDecision::GiveUp => retry.max,
                };
                shared.signal.wait(wait, false);
            }
            Some(Round::Empty) => shared.signal.wait(LOOK, true),
            None => shared.signal.wait(retry.max, false),
        }
    }
    // Tasks that keep connections must not hold up the end.
    runtime.shutdown_background();
}

/// Sends the oldest batch that no other process has.
async fn send_oldest(shared: &SpoolState) -> Round {
    let names = shared.directory.names().unwrap_or_default();
    for name in names {
        let Some(mut taken) = shared.directory.take(name) else { continue };
        let Some(mut bytes) = taken.read() else {
            let name = taken.remove();
            tell_damaged(shared, &name);
            continue;
        };
        let clock = Clock::system();
        let start = clock.now();
        match shared.exporter.send_encoded(&mut bytes).await {
            Ok(()) => {
                shared.came_back();
                let name = taken.remove();
                shared.arrived(&name);
                return Round::Sent { took: clock.now().since(start) };
            }
            Err(error) if error.is_retryable() => {
                shared.went_away();
                return Round::Away { asked: error.retry_after() };
            }
            Err(error) => {
                shared.came_back();
                let name = taken.remove();
                shared.lost(&name);
                let spans = name.spans;
                internal_log::warn(&format!("{spans} spans of the spool were refused: {error}"));
                return Round::Sent { took: clock.now().since(start) };
            }
        }
    }
    shared.came_back();
    Round::Empty
}

fn tell_damaged(shared: &SpoolState, name: &FileName) {
    shared.lost(name);
    let spans = name.spans;
    let directory = shared.directory.path.display();
    internal_log::warn(&format!(
        "a batch of {spans} spans in the spool {directory} was damaged and is thrown away: {name}"
    ));
}
