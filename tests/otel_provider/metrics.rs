//! The ledger as metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tailtrace::export::{Batch, ExportError};
use tailtrace::ledger::{Reason, Stats};
use tailtrace::time::ManualClock;
use tailtrace::{
    Errors, InMemoryExporter, Pipeline, SamplingRequest, SamplingResult, Status, otel,
};

use crate::support::PATIENCE;

/// A meter whose provider keeps what it collects.
struct Collected {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Collected {
    fn of(pipeline: &Pipeline) -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        otel::metrics::observe(pipeline, &provider.meter("tailtrace"));
        Self { provider, exporter }
    }

    /// The values of this moment, by name and attributes, without the component's.
    fn now(&self) -> Metrics {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let all = self.exporter.get_finished_metrics().unwrap();
        Metrics(all.iter().flat_map(values).collect())
    }
}

fn values(metrics: &ResourceMetrics) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
        let mut push = |attributes: Vec<(String, String)>, value: u64| {
            let mut name = metric.name().to_owned();
            for (key, value) in attributes {
                if !key.starts_with("otel.component.") {
                    name.push_str(&format!(" {key}={value}"));
                }
            }
            all.push((name, value));
        };
        let text = |attribute: &opentelemetry::KeyValue| {
            (attribute.key.to_string(), attribute.value.to_string())
        };
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                assert!(sum.is_monotonic(), "{} only grows", metric.name());
                for point in sum.data_points() {
                    push(point.attributes().map(text).collect(), point.value());
                }
            }
            AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                assert!(!sum.is_monotonic(), "{} goes up and down", metric.name());
                for point in sum.data_points() {
                    let value = u64::try_from(point.value()).unwrap();
                    push(point.attributes().map(text).collect(), value);
                }
            }
            AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
                for point in gauge.data_points() {
                    push(point.attributes().map(text).collect(), point.value());
                }
            }
            other => panic!("{} is {other:?}", metric.name()),
        }
    }
    all
}

struct Metrics(BTreeMap<String, u64>);

impl Metrics {
    #[track_caller]
    fn get(&self, name: &str) -> u64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", self.0))
    }

    /// The sum over all attributes.
    fn sum(&self, name: &str) -> u64 {
        let named = self.0.iter().filter(|(key, _)| key.split(' ').next() == Some(name));
        named.map(|(_, value)| value).sum()
    }
}

#[test]
fn every_column_of_the_ledger_is_a_metric_and_they_add_up() {
    let sampler = |request: &SamplingRequest<'_>| match request.name {
        "drop" => SamplingResult::drop(),
        "sample" => SamplingResult::sample(),
        _ => SamplingResult::record(),
    };
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("t")
        .with_sampler(sampler)
        .with_tail(Errors)
        .with_exporter(memory)
        .start()
        .unwrap();
    let collected = Collected::of(&pipeline);
    let tracer = pipeline.tracer();
    drop(tracer.start_span("drop"));
    drop(tracer.start_span("boring"));
    let bad = tracer.start_span("bad");
    bad.set_status(Status::error("e"));
    drop(bad);
    let running = tracer.start_span("sample");
    let child = running.child("child");
    drop(running.child("ended"));
    let recorded = tracer.start_span("recorded");
    pipeline.flush(PATIENCE).unwrap();

    let now = collected.now();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!(now.get("otel.sdk.span.started otel.span.sampling_result=DROP"), 1);
    assert_eq!(now.get("otel.sdk.span.started"), 6);
    assert_eq!(now.get("otel.sdk.span.live otel.span.sampling_result=RECORD_AND_SAMPLE"), 2);
    assert_eq!(now.get("otel.sdk.span.live otel.span.sampling_result=RECORD_ONLY"), 1);
    assert_eq!(now.get("otel.sdk.processor.span.processed"), 1);
    assert_eq!(now.get("otel.sdk.exporter.span.exported"), 1);
    assert_eq!(now.get("tailtrace.span.live"), 4);
    assert_eq!(now.get("tailtrace.span.held"), 1);
    assert_eq!(now.get("tailtrace.trace.kept"), 1);
    assert_eq!((now.get("tailtrace.trace.live"), now.get("tailtrace.span.open")), (2, 3));
    assert_eq!(now.get("tailtrace.ring.size"), stats.ring_bytes);
    assert_adds_up(&now, &stats);
    assert_eq!(now.sum("tailtrace.buffer.taken"), 4);

    drop((child, running, recorded));
    pipeline.shutdown(PATIENCE).unwrap();
    drop(tracer.start_span("too late"));
    let now = collected.now();
    let late = "otel.sdk.processor.span.processed error.type=already_shutdown";
    assert_eq!(now.get(late), 1);
    assert_eq!(now.get("otel.sdk.span.live otel.span.sampling_result=RECORD_AND_SAMPLE"), 0);
    assert_adds_up(&now, &pipeline.stats());
}

#[track_caller]
fn assert_adds_up(now: &Metrics, stats: &Stats) {
    assert_eq!(now.get("tailtrace.span.started"), stats.started);
    assert_eq!(now.sum("otel.sdk.span.started"), stats.started);
    for reason in Reason::ALL {
        let name = format!("tailtrace.span.dropped tailtrace.reason={}", reason.as_str());
        assert_eq!(now.get(&name), stats.dropped_by(reason), "{reason:?}");
    }
    let right = ["sampled_out", "dropped", "exported", "live", "held", "queued"];
    let right: u64 = right.map(|name| now.sum(&format!("tailtrace.span.{name}"))).iter().sum();
    assert_eq!(now.get("tailtrace.span.started"), right);
}

#[test]
fn the_age_of_the_oldest_trace_and_the_reach_of_the_ring_are_gauges_in_seconds() {
    let clock = ManualClock::new();
    let builder = Pipeline::builder("t").with_tail(Errors).with_clock(clock.clock());
    let pipeline = builder.with_exporter(InMemoryExporter::new()).start().unwrap();
    let collected = Collected::of(&pipeline);
    let tracer = pipeline.tracer();
    let _open = tracer.start_span("open");
    clock.advance(Duration::from_secs(5));
    drop(tracer.start_span("dropped"));
    clock.advance(Duration::from_millis(2_500));
    let now = collected.now();
    assert_eq!((now.get("tailtrace.trace.age"), now.get("tailtrace.ring.reach")), (7, 2));
}

#[test]
fn spans_of_the_sdk_are_live_until_they_end() {
    let pipeline = Pipeline::builder("t").with_tail(Errors).with_exporter(InMemoryExporter::new());
    let pipeline = pipeline.start().unwrap();
    let collected = Collected::of(&pipeline);
    let sdk = SdkTracerProvider::builder()
        .with_sampler(otel::HeadSampler::new(&pipeline))
        .with_span_processor(otel::TailSpanProcessor::new(&pipeline))
        .build();
    let tracer = sdk.tracer("t");
    let root = Context::current_with_span(tracer.start("root"));
    let child = tracer.start_with_context("child", &root);
    let live = || collected.now().get("otel.sdk.span.live otel.span.sampling_result=RECORD_ONLY");
    assert_eq!(live(), 2);
    drop(child);
    assert_eq!(live(), 1);
    drop(root);
    assert_eq!(live(), 0);
}

#[test]
fn what_an_exporter_refuses_is_told_by_its_reason() {
    use crate::support::keeping;
    struct Refusing;
    #[async_trait::async_trait]
    impl tailtrace::Exporter for Refusing {
        async fn export(&self, _: Batch) -> Result<(), ExportError> {
            Err(ExportError::permanent("no"))
        }
    }
    let pipeline = keeping().with_exporter(Refusing).start().unwrap();
    let collected = Collected::of(&pipeline);
    drop(pipeline.tracer().start_span("s"));
    let _ = pipeline.shutdown(PATIENCE);
    let now = collected.now();
    assert_eq!(now.get("otel.sdk.exporter.span.exported error.type=rejected"), 1);
    assert_eq!(now.get("otel.sdk.exporter.span.exported"), 0);
    // It was handed over.
    assert_eq!(now.get("otel.sdk.processor.span.processed"), 1);
}

#[test]
fn a_meter_does_not_keep_a_pipeline_running() {
    let memory = InMemoryExporter::new();
    let pipeline = crate::support::keeping().with_exporter(memory.clone()).start().unwrap();
    let tracer = pipeline.tracer();
    let collected = Collected::of(&pipeline);
    drop(tracer.start_span("before"));
    drop(pipeline);
    drop(tracer.start_span("after"));
    assert_eq!(memory.traces().len(), 1);
    let now = collected.now();
    let reason = Reason::ShutDown.as_str();
    assert_eq!(now.get(&format!("tailtrace.span.dropped tailtrace.reason={reason}")), 1);
}

#[test]
fn each_collection_reads_a_new_snapshot() {
    let memory = InMemoryExporter::new();
    let pipeline = crate::support::keeping().with_exporter(memory).start().unwrap();
    let collected = Collected::of(&pipeline);
    for spans in 0..3 {
        let now = collected.now();
        assert_eq!(now.get("tailtrace.span.started"), spans);
        assert_eq!(now.sum("otel.sdk.span.started"), spans);
        drop(pipeline.tracer().start_span("s"));
    }
}
