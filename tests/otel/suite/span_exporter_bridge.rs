//! Our exporters behind OpenTelemetry's processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::{
    Span as _, SpanContext, Status, TraceContextExt, TraceFlags, TraceState, Tracer, TracerProvider,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::Sampler;
use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::export::{Batch, ExportError};
use tailtrace::model::TagRef;
use tailtrace::{Exporter, InMemoryExporter, Trace};

use super::release_line::{self, SdkResult, SdkTracerProvider, SpanData};
use super::support::{LONG, bare};
use crate::adapter::SpanExporterBridge;

fn bridge() -> (SpanExporterBridge<InMemoryExporter>, InMemoryExporter) {
    let memory = InMemoryExporter::new();
    (SpanExporterBridge::new(memory.clone()), memory)
}

/// One span below another, of a provider with a name.
fn trace_something(provider: &SdkTracerProvider) {
    let tracer = provider.tracer("lib");
    tracer.in_span("order", |context| {
        context.span().set_attribute(KeyValue::new("items", 3));
        tracer.in_span("pay", |context| context.span().set_status(Status::error("declined")));
    });
}

fn assert_arrived(memory: &InMemoryExporter) {
    let spans = memory.spans();
    let mut names: Vec<_> = spans.iter().map(|span| span.operation_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["order", "pay"]);
    let order = spans.iter().find(|span| span.operation_name() == "order").unwrap();
    assert_eq!(order.tag("items"), Some(TagRef::I64(3)));
    assert_eq!(order.tag("otel.scope.name"), Some(TagRef::Str("lib")));
    assert!(memory.traces().iter().all(|trace| trace.resource().service_name() == "shop"));
    assert!(spans.iter().any(tailtrace::Span::is_error));
}

fn named() -> Resource {
    release_line::resource(vec![KeyValue::new("service.name", "shop")])
}

#[test]
fn behind_a_batch_processor_a_flush_of_the_provider_means_what_it_says() {
    let (bridge, memory) = bridge();
    release_line::where_batches_run(|| {
        let builder = release_line::builder(Sampler::AlwaysOn, named());
        let provider = release_line::with_batch(builder, bridge).build();
        trace_something(&provider);
        release_line::flush(&provider).unwrap();
        assert_arrived(&memory);
        assert_eq!(memory.traces().len(), 1);
        release_line::shut_down(provider).unwrap();
    });
}

#[test]
fn behind_a_simple_processor_each_span_is_there_when_it_has_ended() {
    let (bridge, memory) = bridge();
    let builder = release_line::builder(Sampler::AlwaysOn, named());
    let provider = builder.with_simple_exporter(bridge).build();
    trace_something(&provider);
    assert_arrived(&memory);
    release_line::shut_down(provider).unwrap();
}

/// Older batch processors wait for the runtime that they block.
#[cfg(not(before_0_28))]
#[test]
fn both_work_inside_of_a_runtime() {
    super::support::block_on(async {
        let (simple, one) = bridge();
        let (batch, other) = bridge();
        let builder = release_line::builder(Sampler::AlwaysOn, named());
        let provider = builder.with_simple_exporter(simple).with_batch_exporter(batch).build();
        trace_something(&provider);
        provider.force_flush().unwrap();
        assert_arrived(&one);
        assert_arrived(&other);
        provider.shutdown().unwrap();
    });
}

#[test]
fn the_exporter_has_a_runtime_wherever_it_is_called_from() {
    struct NeedsRuntime(Arc<AtomicUsize>);

    #[async_trait]
    impl Exporter for NeedsRuntime {
        async fn export(&self, _: Batch) -> Result<(), ExportError> {
            let never = std::future::pending::<()>();
            assert!(tokio::time::timeout(Duration::from_millis(1), never).await.is_err());
            tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    let exports = Arc::new(AtomicUsize::new(0));
    let bridge = SpanExporterBridge::new(NeedsRuntime(Arc::clone(&exports)));
    let provider = SdkTracerProvider::builder().with_simple_exporter(bridge).build();
    provider.tracer("lib").start("order").end();
    assert_eq!(exports.load(Ordering::Relaxed), 1);
}

#[test]
fn spans_are_gathered_by_trace_and_split_where_flags_or_state_differ() {
    let (mut bridge, memory) = bridge();
    let with = |mut data: SpanData, flags, state: &str| {
        let context = &data.span_context;
        let (trace, span) = (context.trace_id(), context.span_id());
        data.span_context = SpanContext::new(trace, span, flags, false, state.parse().unwrap());
        data
    };
    let random = TraceFlags::new(3);
    let batch = vec![
        bare("a1", 1, 1),
        bare("b1", 2, 2),
        with(bare("a2", 1, 3), TraceFlags::SAMPLED, "ot=th:8"),
        bare("a3", 1, 4),
        with(bare("a4", 1, 5), random, ""),
    ];
    release_line::export(&mut bridge, batch).unwrap();
    let traces = memory.traces();
    let names = |trace: &Trace| -> Vec<String> {
        trace.spans().map(|span| span.operation_name().to_owned()).collect()
    };
    let names: Vec<_> = traces.iter().map(names).collect();
    assert_eq!(names, [vec!["a1", "a3"], vec!["b1"], vec!["a2"], vec!["a4"]]);
    assert_eq!(traces[2].threshold().map(|threshold| threshold.probability()), Some(0.5));
    assert_eq!(traces[0].threshold(), None);
    assert!(traces[3].root().unwrap().context().flags.is_random());
}

#[test]
fn what_is_not_sampled_is_not_exported() {
    let (mut bridge, memory) = bridge();
    let mut data = bare("recorded only", 1, 1);
    let (trace, span) = (data.span_context.trace_id(), data.span_context.span_id());
    let flags = TraceFlags::NOT_SAMPLED;
    data.span_context = SpanContext::new(trace, span, flags, false, TraceState::default());
    release_line::export(&mut bridge, vec![data, bare("sampled", 1, 2)]).unwrap();
    assert_eq!(memory.span_count(), 1);
}

#[test]
fn spans_without_ids_are_told_and_cost_the_others_nothing() {
    let (mut bridge, memory) = bridge();
    let failed = release_line::export(
        &mut bridge,
        vec![bare("without an id", 0, 1), bare("with ids", 1, 1)],
    );
    assert!(failed.unwrap_err().to_string().contains("1 spans have no valid ids"));
    assert_eq!(memory.span_count(), 1);
}

/// Answers each export with the next of these; then all is well.
struct Answers {
    answers: Mutex<Vec<ExportError>>,
    flushes: Arc<AtomicUsize>,
}

impl Answers {
    fn new(answers: Vec<ExportError>) -> (Self, Arc<AtomicUsize>) {
        let flushes = Arc::new(AtomicUsize::new(0));
        (Self { answers: Mutex::new(answers), flushes: Arc::clone(&flushes) }, flushes)
    }
}

#[async_trait]
impl Exporter for Answers {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        match self.answers.lock().unwrap().pop() {
            None => Ok(()),
            Some(busy) if busy.is_retryable() => {
                Err(ExportError::retryable(busy.to_string(), batch))
            }
            Some(refused) => Err(refused),
        }
    }

    async fn flush(&self) -> Result<(), ExportError> {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn quick() -> DeliveryConfig {
    let retry = Retry::default().with_initial(Duration::ZERO);
    DeliveryConfig::default().with_retry(retry)
}

#[test]
fn a_failure_that_may_pass_is_tried_again() {
    let (answers, _) = Answers::new(vec![ExportError::retryable("503", Batch::default())]);
    let mut bridge = SpanExporterBridge::with_config(answers, quick());
    release_line::export(&mut bridge, vec![bare("order", 1, 1)]).unwrap();
}

#[test]
fn a_failure_that_stays_is_told() {
    let (answers, _) = Answers::new(vec![ExportError::permanent("bad key")]);
    let mut bridge = SpanExporterBridge::with_config(answers, quick());
    let failed = release_line::export(&mut bridge, vec![bare("order", 1, 1)]).unwrap_err();
    assert!(failed.to_string().contains("refused by the exporter"), "{failed:?}");
    release_line::export(&mut bridge, vec![bare("order", 1, 1)]).unwrap();
}

#[test]
fn the_exporter_is_flushed_when_somebody_asks_for_it_and_not_by_each_export() {
    let (answers, flushes) = Answers::new(Vec::new());
    let mut bridge = SpanExporterBridge::with_config(answers, quick());
    release_line::export(&mut bridge, vec![bare("order", 1, 1)]).unwrap();
    assert_eq!(flushes.load(Ordering::Relaxed), 0);
    release_line::flush_exporter(&mut bridge).unwrap();
    assert_eq!(flushes.load(Ordering::Relaxed), 1);
}

#[test]
fn after_the_shutdown_everything_fails() {
    let (mut bridge, memory) = bridge();
    assert!(release_line::end_exporter(&mut bridge, LONG).is_none_or(|ended| ended.is_ok()));
    let already = release_line::already_shut_down().to_string();
    let ended = |result: SdkResult| result.is_err_and(|error| error.to_string() == already);
    assert!(ended(release_line::export(&mut bridge, vec![bare("late", 1, 1)])));
    assert!(ended(release_line::flush_exporter(&mut bridge)));
    assert!(release_line::end_exporter(&mut bridge, LONG).is_none_or(ended));
    assert_eq!(memory.span_count(), 0);
}

/// Older lines give no time.
#[cfg(not(before_0_30))]
#[test]
fn a_shutdown_and_a_flush_keep_to_their_time() {
    struct Hangs;

    #[async_trait]
    impl Exporter for Hangs {
        async fn export(&self, _: Batch) -> Result<(), ExportError> {
            Ok(())
        }

        async fn flush(&self) -> Result<(), ExportError> {
            std::future::pending().await
        }
    }

    let short = Duration::from_millis(1);
    let config = quick().with_export_timeout(short);
    let mut bridge = SpanExporterBridge::with_config(Hangs, config);
    assert!(release_line::flush_exporter(&mut bridge).is_err());
    let mut bridge = SpanExporterBridge::with_config(Hangs, quick());
    let late = release_line::end_exporter(&mut bridge, short).unwrap().unwrap_err();
    assert_eq!(late.to_string(), release_line::timed_out(short).to_string());
}

/// Hazard: a span that ends here is exported while OpenTelemetry's stack of contexts is borrowed.
#[test]
fn a_span_may_end_where_no_context_can_be_entered() {
    let (bridge, memory) = bridge();
    let provider = SdkTracerProvider::builder().with_simple_exporter(bridge).build();
    let span = provider.tracer("app").start("order");
    let _active = opentelemetry::trace::mark_span_as_active(span);
    opentelemetry::trace::get_active_span(|span| span.end());
    assert_eq!(memory.span_count(), 1);
}

/// Hazard: a simple processor holds its lock across the export, so a span that the exporter traces would
/// wait for itself. Older lines cannot say that something must not be traced.
#[cfg(not(before_0_30))]
#[test]
fn what_the_exporter_does_is_not_traced_by_opentelemetry() {
    struct Traced(Arc<Mutex<Option<SdkTracerProvider>>>, Arc<AtomicUsize>);

    #[async_trait]
    impl Exporter for Traced {
        async fn export(&self, _: Batch) -> Result<(), ExportError> {
            let provider = self.0.lock().unwrap().clone().unwrap();
            let mut span = provider.tracer("client").start("POST /v1/traces");
            assert!(!span.is_recording());
            span.end();
            self.1.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    let (slot, exports) = (Arc::new(Mutex::new(None)), Arc::new(AtomicUsize::new(0)));
    let bridge = SpanExporterBridge::new(Traced(Arc::clone(&slot), Arc::clone(&exports)));
    let provider = SdkTracerProvider::builder().with_simple_exporter(bridge).build();
    *slot.lock().unwrap() = Some(provider.clone());
    provider.tracer("app").start("order").end();
    assert_eq!(exports.load(Ordering::Relaxed), 1);
    // The provider is inside of its own exporter.
    slot.lock().unwrap().take();
}
