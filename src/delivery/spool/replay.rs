//! The thread that sends what a spool holds.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

use super::directory::Taken;
use super::file_name::FileName;
use super::spool_state::SpoolState;
use crate::delivery::Retry;
use crate::delivery::backoff::{Backoff, RetryDecision};
use crate::kit::{Random, internal_log, reentrancy, unwind_safe};
use crate::time::{Clock, unix_nanos};

/// How often the directory is looked at for batches of other processes.
const LOOK: Duration = Duration::from_secs(5);

/// For each part of time that sending takes, so many are left to what is live: a fifth of the link is used.
const LEFT_TO_LIVE: u32 = 4;

/// What became of one look at the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    Sent {
        took: Duration,
    },
    /// The peer does not take it now.
    Away,
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
        let mut began = clock.now();
        let round = unwind_safe::call(|| runtime.block_on(send_oldest(shared)));
        if let Some(Round::Empty) = round {
            shared.look_again();
            shared.signal.wait(LOOK, true);
            // The exporter has just tried what is new on the disk.
            if !shared.is_away() {
                continue;
            }
            began = clock.now();
        }
        let wait = match round {
            Some(Round::Sent { took }) => {
                backoff = fresh();
                pause_after(took)
            }
            Some(Round::Away | Round::Empty) => {
                let asked = shared.take_asked();
                match backoff.failed(began, clock.now(), asked, Random::thread().next_u64()) {
                    RetryDecision::Wait(wait) | RetryDecision::WaitAsAsked(wait) => wait,
                    RetryDecision::GiveUp => retry.max,
                }
            }
            None => retry.max,
        };
        shared.signal.wait(wait, false);
    }
    // Tasks that keep connections must not hold up the end.
    runtime.shutdown_background();
}

/// How long the link is left to what is live after a batch that took so long.
pub(super) fn pause_after(took: Duration) -> Duration {
    took.saturating_mul(LEFT_TO_LIVE)
}

/// Sends the oldest batch that no other process has.
pub(super) async fn send_oldest(shared: &SpoolState) -> Round {
    let names = shared.directory.names().unwrap_or_default();
    let mut too_old = 0;
    let mut round = Round::Empty;
    for name in names {
        let Some(mut taken) = shared.directory.take(name) else { continue };
        if shared.directory.is_too_old(&taken.name, unix_nanos(Clock::system().wall())) {
            shared.lost(&taken.remove());
            too_old += 1;
            continue;
        }
        let Some(bytes) = taken.read() else {
            tell_damaged(shared, &taken.remove());
            continue;
        };
        round = send(shared, taken, bytes).await;
        break;
    }
    shared.tell_thrown_away(too_old);
    round
}

async fn send(shared: &SpoolState, taken: Taken, mut bytes: Vec<u8>) -> Round {
    let clock = Clock::system();
    let start = clock.now();
    match shared.exporter.send_encoded(&mut bytes).await {
        Ok(()) => {
            shared.answered();
            shared.arrived(&taken.remove());
        }
        Err(error) if error.is_retryable() => {
            shared.went_away(&error);
            return Round::Away;
        }
        Err(error) => {
            shared.answered();
            let name = taken.remove();
            shared.lost(&name);
            let spans = name.spans;
            internal_log::warn(&format!("{spans} spans of the spool were refused: {error}"));
        }
    }
    Round::Sent { took: clock.now().since(start) }
}

fn tell_damaged(shared: &SpoolState, name: &FileName) {
    shared.lost(name);
    let spans = name.spans;
    let directory = shared.directory.path.display();
    internal_log::warn(&format!(
        "a batch of {spans} spans in the spool {directory} was damaged and is thrown away: {name}"
    ));
}
