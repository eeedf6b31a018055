//! The ledger as OpenTelemetry metrics.
//!
//! Two families, read from the same snapshot. Those under `otel.sdk` are what the semantic conventions
//! ask of an SDK ("OpenTelemetry SDK metrics"), as far as a ledger of spans can tell; those under `tailtrace`
//! are the ledger itself, whose columns add up: `started` = `sampled_out` + `dropped` + `exported` +
//! `live` + `held` + `queued`.
//!
//! | metric | kind, unit | attributes |
//! |---|---|---|
//! | `otel.sdk.span.started` | counter, `{span}` | `otel.span.sampling_result`: `DROP` of what the head dropped; none of the rest |
//! | `otel.sdk.span.live` | up-down counter, `{span}` | `otel.span.sampling_result`: `RECORD_ONLY`, `RECORD_AND_SAMPLE` |
//! | `otel.sdk.processor.span.queue.size` | up-down counter, `{span}` | the component |
//! | `otel.sdk.processor.span.processed` | counter, `{span}` | the component; `error.type`: `queue_full`, `already_shutdown`, `shutdown_deadline` |
//! | `otel.sdk.exporter.span.exported` | counter, `{span}` | the component; `error.type`: `rejected`, `retries_exhausted`, `exporter_panicked` |
//! | `tailtrace.span.started`, `.sampled_out`, `.exported`, `.late`, `.missed` | counter, `{span}` | |
//! | `tailtrace.span.dropped` | counter, `{span}` | `tailtrace.reason`: [`Reason::as_str`] |
//! | `tailtrace.span.live`, `.held`, `.queued`, `.open` | up-down counter, `{span}` | |
//! | `tailtrace.trace.kept` | counter, `{trace}` | |
//! | `tailtrace.trace.live` | up-down counter, `{trace}` | |
//! | `tailtrace.trace.age`, that of the oldest live trace | gauge, `s` | |
//! | `tailtrace.ring.reach` | gauge, `s` | |
//! | `tailtrace.ring.size` | up-down counter, `By` | |
//! | `tailtrace.panic`, `tailtrace.value.cut` | counter, `{panic}`, `{value}` | |
//! | `tailtrace.buffer.taken` | counter, `{buffer}` | `tailtrace.buffer.origin`: `pool`, `new` |
//! | `tailtrace.buffer.available` | up-down counter, `{buffer}` | |
//!
//! The component is `otel.component.type` and `otel.component.name`: `tailtrace_pipeline` for the
//! processor, `tailtrace_delivery` for all exporters together, each with a number. What only single exporters or
//! single spans could tell is left out: `otel.span.parent.origin`, `inflight`, `operation.duration`. The
//! capacity of the queue is left out because it is a number of bytes. Tail decisions are not failures of
//! the processor: they stand under `tailtrace.span.dropped` only.

mod observation;
mod rows;
mod snapshot;

#[cfg(doc)]
use crate::ledger::Reason;

pub use observation::observe;
