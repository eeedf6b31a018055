//! A burst of traces while nothing is exported. A program of its own, because it counts the bytes of all threads.

use std::alloc::System;
use std::borrow::Cow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cap::Cap;
use tailtrace::export::{Batch, ExportError};
use tailtrace::record::RecordLimits;
use tailtrace::{AlwaysOn, Errors, Exporter, Pipeline, Status, TailSampler};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const BURST: usize = 100_000;

const MIB: usize = 1024 * 1024;

const PLENTY: Duration = Duration::from_secs(60);

/// One at a time: the heap is that of the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Drops what it is given.
struct Nowhere;

#[async_trait]
impl Exporter for Nowhere {
    async fn export(&self, _batch: Batch) -> Result<(), ExportError> {
        Ok(())
    }
}

/// Takes nothing before it is released.
struct Gate(Mutex<Receiver<()>>);

impl Gate {
    fn closed() -> (Self, Sender<()>) {
        let (release, released) = channel();
        (Self(Mutex::new(released)), release)
    }
}

#[async_trait]
impl Exporter for Gate {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        // Released once and for all: the other end has gone.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).recv();
        drop(batch);
        Ok(())
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("Gate")
    }
}

/// Makes a burst with the default limits; how much memory it takes when none of it has left, and how many traces of
/// it arrive.
fn burst_of<T>(burst: impl FnOnce(&Pipeline) -> T) -> (usize, u64) {
    let _alone = alone();
    let (gate, release) = Gate::closed();
    let pipeline =
        Pipeline::builder("burst").with_sampler(AlwaysOn).with_exporter(gate).start().unwrap();
    let before = HEAP.allocated();
    let held = burst(&pipeline);
    let grown = HEAP.allocated().saturating_sub(before);
    drop(release);
    // Where spans were lost it says so.
    let _ = pipeline.shutdown(PLENTY);
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!(stats.started, BURST as u64);
    drop(held);
    (grown, stats.exported)
}

#[track_caller]
fn assert_at_most(grown: usize, most: usize) {
    assert!(grown <= most, "{} KiB of {} KiB", grown / 1024, most / 1024);
}

#[test]
fn a_burst_of_100_000_bare_traces_loses_none_in_40_mib() {
    let (grown, arrived) = burst_of(|pipeline| {
        let tracer = pipeline.tracer();
        (0..BURST).for_each(|_| drop(tracer.start_span("GET /cart")));
    });
    assert_eq!(arrived, BURST as u64);
    assert_fits(grown);
}

#[track_caller]
fn assert_fits(grown: usize) {
    assert_at_most(grown, 40 * MIB);
    assert!(grown / BURST < 390, "{} bytes a trace", grown / BURST);
}

/// How many messages the loop below has; `.ci/full` asks for a million.
fn messages() -> u64 {
    let asked = std::env::var("TAILTRACE_TEST_MESSAGES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(200_000)
}

#[test]
fn a_loop_of_messages_under_one_root_keeps_every_failing_one_in_bounded_memory() {
    let _alone = alone();
    let pipeline = Pipeline::builder("loop")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(Nowhere)
        .start()
        .unwrap();
    let before = HEAP.allocated();
    let root = pipeline.tracer().start_span("consumer");
    let mut most = 0;
    for number in 0..messages() {
        let message = root.child("message");
        message.set_tag("number", number as i64);
        let step = message.child("step");
        if number % 1_000 == 999 {
            step.set_status(Status::error("no stock"));
        }
        drop(step);
        drop(message);
        if number % 1_000 == 0 {
            most = most.max(HEAP.allocated().saturating_sub(before));
        }
    }
    drop(root);
    pipeline.shutdown(PLENTY).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!((stats.started, stats.lost()), (2 * messages() + 1, 0));
    // Each failing message with its step, and the root, which leaves when anything below it was kept.
    assert_eq!(stats.exported, 2 * (messages() / 1_000) + 1);
    // The ring of recent drops has a bound of its own; the rest is one trace.
    let ring = RecordLimits::default().ring_bytes;
    assert_at_most(most, ring + ring / 5 + 3 * MIB);
}

#[cfg(feature = "layer")]
#[test]
fn a_burst_of_100_000_traces_by_the_layer_loses_none_in_40_mib() {
    use tracing_subscriber::layer::SubscriberExt;

    let (grown, arrived) = burst_of(|pipeline| {
        let subscriber = tracing_subscriber::registry().with(pipeline.layer());
        tracing::subscriber::with_default(subscriber, || {
            (0..BURST).for_each(|_| drop(tracing::info_span!("GET /cart")));
        });
    });
    assert_eq!(arrived, BURST as u64);
    assert_fits(grown);
}

#[cfg(feature = "otel")]
#[test]
fn a_burst_of_100_000_traces_of_the_sdk_loses_none_in_40_mib() {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tailtrace::otel::TailSpanProcessor;

    let (grown, arrived) = burst_of(|pipeline| {
        let processor = TailSpanProcessor::new(pipeline);
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        let tracer = provider.tracer("burst");
        (0..BURST).for_each(|_| drop(tracer.start("GET /cart")));
        // A provider that is dropped shuts the pipeline down.
        provider
    });
    assert_eq!(arrived, BURST as u64);
    assert_fits(grown);
}
