//! A Jaeger that is killed and comes back costs nothing.
//!
//! It keeps its traces on disk and answers when they are stored, so what it had answered for before
//! it was killed must be there afterwards too, and the rest by way of retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::export::{Batch, ExportError, OtlpProtocol};
use tailtrace::{Exporter, InMemoryExporter, OtlpExporter, Pipeline};

use crate::PLENTY;
use crate::many_traces::{assert_arrived_complete, one_trace};
use crate::query::wait_for;
use crate::servers::{self, OwnJaeger, Server};

const TRACES: usize = 3_000;
/// After so many, the server is killed.
const BEFORE: usize = 1_000;

#[test]
fn a_killed_server_that_comes_back_costs_nothing_by_grpc() {
    check("restart-by-grpc", |server| {
        OtlpExporter::builder()
            .with_protocol(OtlpProtocol::Grpc)
            .with_endpoint(&server.grpc)
            .build()
            .unwrap()
    });
}

#[test]
fn a_killed_server_that_comes_back_costs_nothing_by_http() {
    check("restart-by-http", |server| {
        OtlpExporter::builder().with_endpoint(server.traces_url()).build().unwrap()
    });
}

#[track_caller]
fn check(service: &str, exporter: impl Fn(&Server) -> OtlpExporter) {
    let Some(binary) = servers::binary() else { return };
    let mut jaeger = OwnJaeger::start(binary, service);
    let kept = InMemoryExporter::new();
    let failures = Arc::new(AtomicUsize::new(0));
    let watched = Watched { inner: exporter(&jaeger.server), failures: Arc::clone(&failures) };
    let retry = Retry::default().with_max(Duration::from_millis(500));
    let pipeline = Pipeline::builder(service)
        .with_delivery(DeliveryConfig::default().with_retry(retry))
        .with_exporter(kept.clone())
        .with_exporter(watched)
        .start()
        .unwrap();

    let (tracer, made) = (pipeline.tracer(), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            for at in 0..TRACES {
                one_trace(&tracer, at % 5);
                made.store(at + 1, Ordering::Relaxed);
                // Traces go on being made while the server is gone, and after it is back.
                thread::park_timeout(Duration::from_millis(1));
            }
        });
        wait_for("the first traces", || (made.load(Ordering::Relaxed) >= BEFORE).then_some(()));
        jaeger.kill();
        wait_for("a try that fails", || (failures.load(Ordering::Relaxed) > 0).then_some(()));
        jaeger.start_again();
    });
    pipeline.flush(PLENTY).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!(kept.traces().len(), TRACES);
    assert_arrived_complete(jaeger.server.query(), service, &kept.traces());
}

/// Counts the tries that failed.
struct Watched {
    inner: OtlpExporter,
    failures: Arc<AtomicUsize>,
}

#[async_trait]
impl Exporter for Watched {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        let result = self.inner.export(batch).await;
        if result.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        self.inner.shutdown().await
    }

    fn batching(&self) -> tailtrace::export::Batching {
        self.inner.batching()
    }
}
