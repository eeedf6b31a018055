//! A flush when the process is told to end.

use std::io;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::delivery::{DeliveryReport, FlushError};
use crate::kit::internal_log;

/// Flushes a pipeline when SIGTERM or SIGINT comes, and then lets the signal end the process.
///
/// # Errors
/// When the system refuses the handler or the thread.
#[expect(clippy::disallowed_methods, reason = "one of the two rooms that start threads")]
pub(super) fn flush_on_signals(
    flush: impl Fn() -> Result<DeliveryReport, FlushError> + Send + 'static,
) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let wait = move || {
        for signal in signals.forever() {
            if let Err(error) = flush() {
                internal_log::warn(&error.to_string());
            }
            // Where it cannot end the process, the next signal tries again.
            let _ = emulate_default_handler(signal);
        }
    };
    thread::Builder::new().name("tailtrace-signals".into()).spawn(wait).map(drop)
}
