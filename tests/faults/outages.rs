//! Outages from which every span is to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::export::{Batch, ExportError};
use tailtrace::time::ManualClock;
use tailtrace::{Errors, Exporter, InMemoryExporter, Pipeline, Status};

use super::support::{PLENTY, settled};

/// Answers as a peer does that is down and back again.
struct Peer {
    is_down: Arc<AtomicBool>,
    tries: Arc<AtomicU64>,
    memory: InMemoryExporter,
}

#[async_trait]
impl Exporter for Peer {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Err(ExportError::retryable("down", batch));
        }
        self.memory.export(batch).await
    }
}

/// By the manual clock: 200 spans a second that fail, for as long as a batch is tried, kept in memory under the default limits.
#[test]
fn an_outage_of_300_seconds_loses_nothing() {
    let is_down = Arc::new(AtomicBool::new(true));
    let tries = Arc::new(AtomicU64::new(0));
    let memory = InMemoryExporter::new();
    let peer =
        Peer { is_down: Arc::clone(&is_down), tries: Arc::clone(&tries), memory: memory.clone() };
    // Waits are real and take a moment; the budget is by the clock.
    let waits = Retry::default().with_initial(Duration::from_millis(1));
    let config = DeliveryConfig::default().with_retry(waits.with_max(Duration::from_millis(1)));
    let clock = ManualClock::new();
    let builder = Pipeline::builder("test").with_clock(clock.clock());
    let pipeline = builder.with_tail(Errors).with_delivery(config).with_exporter(peer).start();
    let pipeline = pipeline.unwrap();
    let tracer = pipeline.tracer();
    for _ in 0..299 {
        for _ in 0..100 {
            let root = tracer.start_span("request");
            root.child("step").set_status(Status::error("declined"));
        }
        clock.advance(Duration::from_secs(1));
    }
    let before = tries.load(Ordering::SeqCst);
    while tries.load(Ordering::SeqCst) == before {
        std::thread::yield_now();
    }
    assert_eq!((settled(&pipeline).queued, pipeline.stats().lost()), (59_800, 0));
    is_down.store(false, Ordering::SeqCst);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!((memory.span_count(), settled(&pipeline).exported), (59_800, 59_800));
    let mut ids: Vec<_> = memory.traces().iter().map(|trace| trace.trace_id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 29_900);
}
