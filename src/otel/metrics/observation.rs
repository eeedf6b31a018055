//! The instruments that observe a pipeline.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use super::kept_rows::KEPT_ROWS;
use super::row::{InstrumentKind, Row};
use super::rows::ROWS;
use super::snapshot::{SharedSnapshot, Snapshot};
use crate::kit::unwind_safe::lock;
use crate::pipeline::Pipeline;

// `SharedSnapshot` has a bit for each row.
const _: () = assert!(ROWS.len() + KEPT_ROWS.len() <= 64);

/// Observes a pipeline with a meter, for as long as the meter's provider lives.
///
/// The meter does not keep the pipeline running. Each collection takes one snapshot, which costs a look at every
/// live trace, like [`Pipeline::stats`]; between collections nothing is computed. A pipeline that is observed
/// twice with one provider counts twice.
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
    // Relaxed: the number only has to differ from that of another pipeline.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let source = Arc::new(PipelineMetrics {
        pipeline: pipeline.weak(),
        components: ["tailtrace_pipeline", "tailtrace_delivery"].map(|kind| {
            let name = format!("{kind}/{number}");
            [KeyValue::new("otel.component.type", kind), KeyValue::new("otel.component.name", name)]
        }),
        last: Mutex::new(None),
    });
    for (index, row) in ROWS.iter().chain(&KEPT_ROWS).enumerate() {
        let source = Arc::clone(&source);
        match row.kind {
            InstrumentKind::Counter => {
                let instrument = meter.u64_observable_counter(row.name);
                let observe = move |observer: &dyn AsyncInstrument<u64>| {
                    source.report(index, row, |value, attributes| {
                        observer.observe(value, attributes);
                    });
                };
                let instrument = instrument.with_unit(row.unit).with_description(row.description);
                instrument.with_callback(observe).build();
            }
            InstrumentKind::UpDownCounter => {
                let instrument = meter.i64_observable_up_down_counter(row.name);
                let observe = move |observer: &dyn AsyncInstrument<i64>| {
                    source.report(index, row, |value, attributes| {
                        observer.observe(i64::try_from(value).unwrap_or(i64::MAX), attributes);
                    });
                };
                let instrument = instrument.with_unit(row.unit).with_description(row.description);
                instrument.with_callback(observe).build();
            }
            InstrumentKind::Gauge => {
                let instrument = meter.u64_observable_gauge(row.name);
                let observe = move |observer: &dyn AsyncInstrument<u64>| {
                    source.report(index, row, |value, attributes| {
                        observer.observe(value, attributes);
                    });
                };
                let instrument = instrument.with_unit(row.unit).with_description(row.description);
                instrument.with_callback(observe).build();
            }
        }
    }
}

/// What all instruments of a pipeline share.
struct PipelineMetrics {
    pipeline: Pipeline,
    components: [[KeyValue; 2]; 2],
    last: Mutex<Option<SharedSnapshot>>,
}

impl PipelineMetrics {
    /// The snapshot of the collection that a row is read for. One serves all rows: the row that reads again
    /// begins the next collection.
    fn snapshot(&self, row: usize) -> Snapshot {
        if let Some(snapshot) = lock(&self.last).as_mut().and_then(|shared| shared.read(row)) {
            return snapshot;
        }
        // The lock is not held here, because a snapshot takes the locks of all live traces.
        let snapshot = Snapshot {
            stats: self.pipeline.stats(),
            open: self.pipeline.recorder().open_spans(),
            pool: self.pipeline.span_pool(),
            by_policy: self.pipeline.stats_by_policy().into(),
            by_operation: self.pipeline.stats_by_operation().into(),
        };
        *lock(&self.last) = Some(SharedSnapshot::new(snapshot.clone(), row));
        snapshot
    }

    /// Reports the values of a row, each with its attributes.
    fn report(&self, index: usize, row: &Row, mut report: impl FnMut(u64, &[KeyValue])) {
        let snapshot = self.snapshot(index);
        let component = row.component.map(|component| &self.components[component as usize]);
        (row.read)(&snapshot, &mut |value, attribute| {
            let attributes: Vec<KeyValue> =
                component.into_iter().flatten().cloned().chain(attribute).collect();
            report(value, &attributes);
        });
    }
}
