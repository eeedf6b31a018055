//! Exporters and traces to test with.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use tailtrace::ledger::Stats;
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{Errors, InMemoryExporter, Pipeline, Sampler, TailSampler};

use super::release_line::{
    self, LineExporter, SdkError, SdkResult, SdkTracerProvider, SpanData, TestExporter,
};
use crate::adapter::{HeadSampler, TailSpanProcessor};

pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn block_on<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(work)
}

/// A sampled span with ids and nothing else.
pub(crate) fn bare(name: &'static str, trace: u128, span: u64) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from_bytes(trace.to_be_bytes()),
            SpanId::from_bytes(span.to_be_bytes()),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::INVALID,
        #[cfg(not(before_0_31))]
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.into(),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH + Duration::from_secs(1),
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        #[cfg(before_0_24)]
        resource: std::borrow::Cow::Owned(Resource::empty()),
        #[cfg(before_0_27)]
        instrumentation_lib: Default::default(),
        #[cfg(not(before_0_27))]
        instrumentation_scope: Default::default(),
    }
}

/// What an exporter of OpenTelemetry saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The service and the spans of each call.
    pub(crate) calls: Mutex<Vec<(String, Vec<SpanData>)>>,
    pub(crate) resources: AtomicUsize,
    pub(crate) flushes: AtomicUsize,
    pub(crate) shutdowns: AtomicUsize,
    /// What the next calls answer; after them all is well.
    pub(crate) answers: Mutex<Vec<SdkError>>,
}

impl Seen {
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        let calls = self.calls.lock().unwrap();
        calls.iter().flat_map(|(_, spans)| spans.clone()).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.spans().iter().map(|span| span.name.to_string()).collect()
    }
}

/// An exporter of OpenTelemetry that keeps what it is given.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(crate) seen: Arc<Seen>,
    service: Mutex<String>,
}

impl Sink {
    pub(crate) fn new() -> (LineExporter<Self>, Arc<Seen>) {
        let sink = Self::default();
        let seen = Arc::clone(&sink.seen);
        (LineExporter::new(sink), seen)
    }

    /// An exporter whose calls answer with these errors first.
    pub(crate) fn failing(errors: Vec<SdkError>) -> (LineExporter<Self>, Arc<Seen>) {
        let (sink, seen) = Self::new();
        *seen.answers.lock().unwrap() = errors;
        (sink, seen)
    }
}

impl TestExporter for Sink {
    async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
        let mut answers = self.seen.answers.lock().unwrap();
        if !answers.is_empty() {
            return Err(answers.remove(0));
        }
        self.seen.calls.lock().unwrap().push((self.service.lock().unwrap().clone(), batch));
        Ok(())
    }

    fn shut_down(&self) -> SdkResult {
        self.seen.shutdowns.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&self) -> SdkResult {
        self.seen.flushes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn set_resource(&self, resource: &Resource) {
        self.seen.resources.fetch_add(1, Ordering::Relaxed);
        let name = release_line::attribute_of(resource, "service.name").unwrap();
        *self.service.lock().unwrap() = name.to_string();
    }
}

/// A pipeline that keeps errors, and what it exports.
pub(crate) fn errors() -> (Pipeline, InMemoryExporter) {
    errors_of(Pipeline::builder("pipeline"))
}

/// A pipeline that keeps what its head samples, and errors, and what it exports.
pub(crate) fn errors_with(sampler: impl Sampler + 'static) -> (Pipeline, InMemoryExporter) {
    errors_of(Pipeline::builder("pipeline").with_sampler(sampler))
}

fn errors_of(builder: PipelineBuilder) -> (Pipeline, InMemoryExporter) {
    let memory = InMemoryExporter::new();
    let builder = builder.with_tail(TailSampler::new().keep(Errors));
    (builder.with_exporter(memory.clone()).start().unwrap(), memory)
}

/// A provider of the service `shop` in front of a pipeline.
pub(crate) fn shop(pipeline: &Pipeline) -> SdkTracerProvider {
    release_line::provider_of("shop", HeadSampler::new(pipeline), TailSpanProcessor::new(pipeline))
}

/// The account, which must balance.
#[track_caller]
pub(crate) fn settled(pipeline: &Pipeline) -> Stats {
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    stats
}
