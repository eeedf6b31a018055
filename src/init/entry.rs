//! The line itself.

use super::builder::InitBuilder;
use super::error::InitError;
use super::guard::Guard;
use crate::config;

/// Sets up logs, traces, export and propagation for a service, and gives what flushes them at the end.
///
/// `service_name` is the `service.name` unless `OTEL_SERVICE_NAME` gives one. [The module](mod@crate::init) lists
/// what is installed, and what replaces each part; [`builder`] is the same with a choice. It starts two
/// threads and reads the environment once.
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let _guard = tailtrace::init("shop")?;
///     tracing::info!("open");
///     Ok(())
/// }
/// ```
///
/// # Errors
/// When a subscriber is installed already, or when the machine refuses a thread. An exporter that the environment
/// names and that cannot be made is left out with a warning.
pub fn init(service_name: impl Into<String>) -> Result<Guard, InitError> {
    builder(service_name).start()
}

/// Prepares what [`init`] does, for a program that chooses some of it.
///
/// ```no_run
/// use std::time::Duration;
/// use tailtrace::{Errors, SlowerThan, TailSampler};
/// let slow = SlowerThan(Duration::from_millis(200));
/// let _guard = tailtrace::init::builder("shop")
///     .with_tail(TailSampler::new().keep(Errors).keep(slow))
///     .with_signals()
///     .start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn builder(service_name: impl Into<String>) -> InitBuilder {
    InitBuilder::new(service_name.into(), config::from_env())
}
