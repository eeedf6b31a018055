//! A burst of kept traces of one bare span each, with an exporter that takes none, under the default limits.

use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use opentelemetry::trace::{Tracer as _, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tailtrace::export::{Batch, ExportError};
use tailtrace::otel::TailSpanProcessor;
use tailtrace::{Exporter, Pipeline, TraceView, Verdict};
use tailtrace_benches::heap;
use tracing_subscriber::prelude::*;

/// Traces of a burst.
const TRACES: u64 = 100_000;

/// The most bytes of the heap for one that waits.
const REACH: u64 = 390;

/// The most bytes of the heap at the height of the burst.
const PEAK: u64 = 40 << 20;

/// Never answers.
struct Stuck;

#[async_trait]
impl Exporter for Stuck {
    async fn export(&self, _batch: Batch) -> Result<(), ExportError> {
        std::future::pending().await
    }
}

pub(crate) fn table() {
    println!("{TRACES} kept traces of one bare span, none taken off");
    println!("{:<28} {:>16} {:>12} {:>8}", "way in", "bytes per trace", "peak", "lost");
    row("native", |pipeline| {
        let tracer = pipeline.tracer();
        for _ in 0..TRACES {
            drop(tracer.start_span("op"));
        }
    });
    row("layer", |pipeline| {
        let subscriber = tracing_subscriber::registry().with(pipeline.layer());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..TRACES {
                drop(tracing::info_span!("op"));
            }
        });
    });
    row("processor of the SDK", |pipeline| {
        let processor = TailSpanProcessor::new(pipeline);
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        let tracer = provider.tracer("benches");
        for _ in 0..TRACES {
            drop(tracer.start("op"));
        }
        provider
    });
}

/// What `burst` returns lives until the row has been measured.
fn row<T>(name: &str, burst: impl FnOnce(&Pipeline) -> T) {
    let before = heap::bytes();
    let tail = |_: &TraceView<'_>| Verdict::keep();
    let builder = Pipeline::builder("benches").with_tail(tail).with_exporter(Stuck);
    let pipeline = builder.start().expect("this machine starts threads");
    heap::take_peak();
    let alive = burst(&pipeline);
    let peak = heap::take_peak().saturating_sub(before);
    let per_trace = (heap::bytes() - before) / TRACES;
    let lost = pipeline.stats().lost();
    println!("{name:<28} {per_trace:>16} {:>8} MiB {lost:>8}", peak >> 20);
    if per_trace > REACH {
        println!(
            "falls short: memory: {per_trace} bytes per queued trace, {name}, wanted <= {REACH}"
        );
    }
    if peak > PEAK {
        println!(
            "falls short: memory: {peak} bytes at the height of a burst, {name}, wanted <= {PEAK}"
        );
    }
    if lost > 0 {
        println!(
            "falls short: memory: {lost} of {TRACES} traces of a burst lost, {name}, wanted 0"
        );
    }
    // Nothing is waited for: the exporter is stuck.
    let _lost = pipeline.shutdown(Duration::ZERO);
    drop((alive, pipeline));
    wait_for_release(before);
}

/// Waits until the threads of a row have given its memory back, which would count as there before the next one.
fn wait_for_release(before: u64) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while heap::bytes() > before + (1 << 20) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
}
