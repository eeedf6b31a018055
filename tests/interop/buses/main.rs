//! Coherence over a real NATS and a real Redis: five processes, counted at a collector by trace id.
//!
//! `tests/interop/buses.sh` finds or installs the servers, names them in the environment and runs this program. Without
//! a server its tests say that they were skipped. Tests whose names begin with `long_` have outages of seconds.

mod bad_days;
mod bench;
mod cable;
mod certificates;
mod collector;
mod good_days;
mod logins;
mod node;
mod refusals;
mod run;
mod servers;
mod tiers;

use std::time::Duration;

/// Longer than anything here takes; reaching it is a failure.
const PLENTY: Duration = Duration::from_secs(120);

/// Waits, as the time in these tests is that of real servers.
fn pause(time: Duration) {
    let until = std::time::Instant::now() + time;
    while let Some(left) = until.checked_duration_since(std::time::Instant::now()) {
        std::thread::park_timeout(left);
    }
}
