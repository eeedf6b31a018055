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
//! | `tailtrace.span.live`, `.held`, `.queued` | up-down counter, `{span}` | |
//! | `tailtrace.trace.kept` | counter, `{trace}` | |
//! | `tailtrace.panic`, `tailtrace.value.cut` | counter, `{panic}`, `{value}` | |
//! | `tailtrace.buffer.taken` | counter, `{buffer}` | `tailtrace.buffer.origin`: `pool`, `new` |
//! | `tailtrace.buffer.available` | up-down counter, `{buffer}` | |
//!
//! The component is `otel.component.type` and `otel.component.name`: `tailtrace_pipeline` for the
//! processor, `tailtrace_delivery` for all exporters together, each with a number. What only single exporters or
//! single spans could tell is left out: `otel.span.parent.origin`, `inflight`, `operation.duration`. The
//! capacity of the queue is left out because it is a number of bytes. Tail decisions are not failures of
//! the processor: they stand under `tailtrace.span.dropped` only.

mod rows;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use crate::kit::guarded::lock;
#[cfg(doc)]
use crate::ledger::Reason;
use crate::ledger::Stats;
use crate::pipeline::Pipeline;
use crate::record::{OpenSpans, SpanPool};
use rows::{Kind, ROWS};

/// Observes a pipeline with a meter, for as long as the meter's provider lives.
///
/// It does not keep the pipeline running. Each collection takes one snapshot, which costs a look at every
/// live trace, like [`Pipeline::stats`]; between collections there is nothing to pay. Observing a
/// pipeline twice with one provider counts it twice.
///
/// ```
/// use opentelemetry::global;
/// use tailtrace::{ConsoleExporter, Pipeline, otel};
/// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
/// otel::metrics::observe(&pipeline, &global::meter("tailtrace"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn observe(pipeline: &Pipeline, meter: &Meter) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let source = Arc::new(Source {
        pipeline: pipeline.weak(),
        components: ["tailtrace_pipeline", "tailtrace_delivery"].map(|kind| {
            let name = format!("{kind}/{number}");
            [KeyValue::new("otel.component.type", kind), KeyValue::new("otel.component.name", name)]
        }),
        last: Mutex::new(None),
    });
    for (index, row) in ROWS.iter().enumerate() {
        let source = Arc::clone(&source);
        match row.kind {
            Kind::Counter => {
                let instrument = meter.u64_observable_counter(row.name);
                let observe = move |observer: &dyn AsyncInstrument<u64>| {
                    source.tell(index, |value, of| observer.observe(value, of));
                };
                let instrument = instrument.with_unit(row.unit).with_description(row.says);
                instrument.with_callback(observe).build();
            }
            Kind::UpDown => {
                let instrument = meter.i64_observable_up_down_counter(row.name);
                let observe = move |observer: &dyn AsyncInstrument<i64>| {
                    source.tell(index, |value, of| {
                        observer.observe(i64::try_from(value).unwrap_or(i64::MAX), of);
                    });
                };
                let instrument = instrument.with_unit(row.unit).with_description(row.says);
                instrument.with_callback(observe).build();
            }
        }
    }
}

/// What all instruments of a pipeline share.
struct Source {
    pipeline: Pipeline,
    components: [[KeyValue; 2]; 2],
    last: Mutex<Option<Asked>>,
}

/// The numbers of one moment.
#[derive(Clone, Copy)]
struct Snapshot {
    stats: Stats,
    open: OpenSpans,
    pool: SpanPool,
}

/// A snapshot, and which rows have read it.
struct Asked {
    snapshot: Snapshot,
    by: u64,
}

impl Source {
    /// One snapshot serves all rows of a collection: the row that asks again begins the next.
    fn snapshot(&self, row: usize) -> Snapshot {
        let bit = 1 << row;
        if let Some(asked) = lock(&self.last).as_mut()
            && asked.by & bit == 0
        {
            asked.by |= bit;
            return asked.snapshot;
        }
        let (recorder, pool) = (self.pipeline.recorder(), self.pipeline.span_pool());
        let snapshot = Snapshot { stats: self.pipeline.stats(), open: recorder.open_spans(), pool };
        *lock(&self.last) = Some(Asked { snapshot, by: bit });
        snapshot
    }

    /// Tells the values of a row.
    fn tell(&self, row: usize, mut tell: impl FnMut(u64, &[KeyValue])) {
        let Some(found) = ROWS.get(row) else { return };
        let snapshot = self.snapshot(row);
        let component = found.component.map(|component| &self.components[component as usize]);
        (found.read)(&snapshot, &mut |value, attribute| {
            let attributes: Vec<KeyValue> =
                component.into_iter().flatten().cloned().chain(attribute).collect();
            tell(value, &attributes);
        });
    }
}
