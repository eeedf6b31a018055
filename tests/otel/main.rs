//! OpenTelemetry through its own interfaces, in both directions.
//!
//! The folder `suite` holds what every line of OpenTelemetry must do; the crates in `compat/` run it too.

mod head_and_tail;
mod suite;

/// What the suite tests.
use tailtrace::otel as adapter;
