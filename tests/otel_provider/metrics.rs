//! The ledger as metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tailtrace::coherence::{Coherence, MemoryBus};
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

/// Every metric, under the name that Prometheus gives it: the unit behind it, and `_total` for what only grows.
fn names() -> Vec<(String, String)> {
    let memory = InMemoryExporter::new();
    let coherence = Coherence::new(MemoryBus::new());
    let pipeline = Pipeline::builder("t")
        .with_tail(Errors)
        .with_exporter(memory)
        .with_coherence(coherence)
        .start()
        .unwrap();
    let span = pipeline.tracer().start_span("order");
    span.set_status(Status::error("declined"));
    drop(span);
    let collected = Collected::of(&pipeline);
    collected.provider.force_flush().unwrap();
    let all = collected.exporter.get_finished_metrics().unwrap();
    let metrics = all.iter().flat_map(ResourceMetrics::scope_metrics);
    let mut names: Vec<(String, String)> = metrics
        .flat_map(|scope| scope.metrics())
        .map(|metric| {
            let unit = match metric.unit() {
                "s" => "_seconds",
                "By" => "_bytes",
                _ => "",
            };
            let total = match metric.data() {
                AggregatedMetrics::U64(MetricData::Sum(_)) => "_total",
                _ => "",
            };
            let prometheus = format!("{}{unit}{total}", metric.name().replace('.', "_"));
            (metric.name().to_owned(), prometheus)
        })
        .collect();
    // It is reported once there is something to estimate.
    names.push(("tailtrace.coherence.kept".to_owned(), "tailtrace_coherence_kept".to_owned()));
    names.sort();
    names.dedup();
    names
}

fn file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_chapter_lists_every_metric_and_no_other() {
    let chapter = file("src/manual/running.md");
    let rows = chapter.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed = rows.filter_map(|row| row.split('`').next());
    let mut listed: Vec<&str> = listed
        .filter(|name| name.starts_with("tailtrace.") || name.starts_with("otel.sdk."))
        .collect();
    listed.sort_unstable();
    let names = names();
    assert_eq!(listed, names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
}

#[test]
fn dashboards_and_alerts_name_metrics_and_reasons_that_there_are() {
    let names = names();
    let labels = ["tailtrace_reason", "tailtrace_policy", "tailtrace_operation"];
    for path in ["examples/dashboards/grafana.json", "examples/dashboards/alerts.yml"] {
        let text = file(path);
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let named =
            words.filter(|word| word.starts_with("tailtrace_") || word.starts_with("otel_"));
        let mut found = 0;
        for word in named.filter(|word| !labels.contains(word)) {
            assert!(names.iter().any(|(_, name)| name == word), "{path} names {word}: {names:?}");
            found += 1;
        }
        assert!(found > 5, "{path}");
        for reasons in text.split("tailtrace_reason=~").skip(1) {
            let reasons = reasons.trim_start_matches(['\\', '"']);
            for reason in reasons.split(['"', '\\']).next().unwrap().split('|') {
                let is_known = Reason::ALL.iter().any(|known| known.as_str() == reason);
                assert!(is_known, "{path} has a reason {reason:?}");
            }
        }
    }
    serde_json::from_str::<serde_json::Value>(&file("examples/dashboards/grafana.json")).unwrap();
}

#[test]
fn what_was_kept_is_told_by_policy_and_by_operation() {
    /// Needs 100 bytes for a span.
    struct Telling;
    #[async_trait::async_trait]
    impl tailtrace::Exporter for Telling {
        async fn export(&self, batch: Batch) -> Result<(), ExportError> {
            batch.count_bytes(batch.span_count(), 100 * batch.span_count());
            Ok(())
        }
    }
    let pipeline = Pipeline::builder("t").with_tail(Errors).with_exporter(Telling).start().unwrap();
    let collected = Collected::of(&pipeline);
    for (name, failed) in [("order", true), ("order", true), ("cart", true), ("order", false)] {
        let span = pipeline.tracer().start_span(name);
        drop(span.child("charge"));
        if failed {
            span.set_status(Status::error("declined"));
        }
    }
    pipeline.flush(PATIENCE).unwrap();
    let now = collected.now();
    assert_eq!(now.get("tailtrace.policy.trace tailtrace.policy=Errors"), 3);
    assert_eq!(now.get("tailtrace.policy.span tailtrace.policy=Errors"), 6);
    assert_eq!(now.get("tailtrace.operation.trace tailtrace.operation=order"), 2);
    assert_eq!(now.get("tailtrace.operation.span tailtrace.operation=cart"), 2);
    assert_eq!(now.get("tailtrace.policy.sent tailtrace.policy=Errors"), 600);
    assert_eq!(now.get("tailtrace.operation.sent tailtrace.operation=order"), 400);
    assert_eq!(now.sum("tailtrace.operation.sent"), 600);
    assert_eq!(now.get("tailtrace.queue.age"), 0);
}
