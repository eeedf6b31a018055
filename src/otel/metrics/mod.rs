//! The ledger as OpenTelemetry metrics.
//!
//! Two families, read from the same snapshot. Those under `otel.sdk` are what the semantic conventions
//! ask of an SDK ("OpenTelemetry SDK metrics"), as far as a ledger of spans can tell; those under `tailtrace`
//! are the ledger itself, whose columns add up: `started` = `sampled_out` + `dropped` + `exported` +
//! `live` + `held` + `queued` + `spooled`.
//!
//! [The chapter on running it](crate::manual::running#metrics) has the table of all names.
//!
//! The component is `otel.component.type` and `otel.component.name`: `tailtrace_pipeline` for the
//! processor, `tailtrace_delivery` for all exporters together, each with a number. What only single exporters or
//! single spans could tell is left out: `otel.span.parent.origin`, `inflight`, `operation.duration`. The
//! capacity of the queue is left out because it is a number of bytes. Tail decisions are not failures of
//! the processor: they stand under `tailtrace.span.dropped` only.

mod kept_rows;
mod observation;
mod row;
mod rows;
mod snapshot;

#[cfg(doc)]
use crate::ledger::Reason;

pub use observation::observe;
