//! What every line of OpenTelemetry must do, on 0.27.

mod compat;
mod suite;

/// What the suite tests.
use tailtrace_otel_0_27 as adapter;
