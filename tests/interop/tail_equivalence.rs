//! Our tail keeps the traces that the collector's `tail_sampling` keeps, trace by trace.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{self as api, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tailtrace::export::OtlpProtocol;
use tailtrace::model::Random;
use tailtrace::otel::TailSpanProcessor;
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::tail::{All, Any, Not, SpanCount, TagEquals, TagInRange};
use tailtrace::time::ManualClock;
use tailtrace::{
    AlwaysOn, Errors, InMemoryExporter, OtlpExporter, Pipeline, SlowerThan, SpanGuard, Status,
    TagValue, TailPolicy, TailSampler, TraceId,
};

use crate::PLENTY;
use crate::query::{Query, wait_for};
use crate::servers::{self, Server};
use crate::traces::{Step, traces};

const TRACES: usize = 600;

/// The policies of `servers/collector.yaml`, in their order.
fn policies() -> TailSampler {
    let route = |route| TagEquals::new("http.route", route);
    let tenant = |tenant| TagEquals::new("tenant", tenant);
    let slow = |millis| SlowerThan(Duration::from_millis(millis));
    TailSampler::new()
        .drop_if(route("/healthz"))
        .drop_if(All::new([tenant("noisy"), route("/search")]))
        .drop_if(TagEquals::new("synthetic", "yes"))
        .keep(Errors)
        .keep(slow(500))
        .keep(Any::new([tenant("acme"), tenant("globex")]).named("tenants"))
        .keep(All::new([slow(200)]).and(route("/checkout")).named("slow checkouts"))
        .keep(
            All::new([TagInRange::new("retries", 3..=5)])
                .and(Not(tenant("noisy")))
                .named("retried"),
        )
        .keep(TagEquals::new("debug", true).named("debug"))
        .keep(SpanCount::at_least(8).named("many spans"))
}

/// What came out at both ends.
struct Run {
    /// The name under which the collector has its part.
    service: &'static str,
    /// What our tail kept.
    ours: InMemoryExporter,
    /// All that was made, and sent to the collector.
    everything: InMemoryExporter,
}

impl Run {
    fn new(service: &'static str) -> Self {
        Self { service, ours: InMemoryExporter::new(), everything: InMemoryExporter::new() }
    }

    /// A pipeline that decides by the policies here.
    fn deciding(&self) -> PipelineBuilder {
        Pipeline::builder(self.service).with_tail(policies()).with_exporter(self.ours.clone())
    }

    /// A pipeline that leaves the decision to the collector.
    fn sending(&self, collector: &Server) -> PipelineBuilder {
        Pipeline::builder(self.service)
            .with_sampler(AlwaysOn)
            .with_exporter(self.everything.clone())
            .with_exporter(
                OtlpExporter::builder()
                    .with_protocol(OtlpProtocol::Grpc)
                    .with_endpoint(&collector.grpc)
                    .build()
                    .unwrap(),
            )
    }
}

#[test]
fn our_tail_keeps_what_the_collector_keeps() {
    let Some(collector) = servers::collector() else { return };
    let run = Run::new("tail-equivalence");
    // The same ids and times twice.
    play(run.deciding());
    play(run.sending(&collector));
    assert_same_kept(&run, &collector);
}

#[test]
fn our_span_processor_keeps_what_the_collector_keeps() {
    let Some(collector) = servers::collector() else { return };
    let run = Run::new("tail-equivalence-sdk");
    let processors = [run.deciding(), run.sending(&collector)]
        .map(|builder| TailSpanProcessor::new(&builder.start().unwrap()));
    play_in_sdk(run.service, processors);
    assert_same_kept(&run, &collector);
}

#[track_caller]
fn assert_same_kept(run: &Run, collector: &Server) {
    wait_for_decisions(collector);
    let sent = ids(&run.everything);
    assert_eq!(sent.len(), TRACES);
    let ours = ids(&run.ours);
    let theirs: BTreeSet<TraceId> =
        collector.query().service(run.service).iter().map(|span| span.id()).collect();
    let only_ours: Vec<_> = ours.difference(&theirs).collect();
    let only_theirs: Vec<_> = theirs.difference(&ours).collect();
    assert!(
        only_ours.is_empty() && only_theirs.is_empty(),
        "kept only by us: {only_ours:?}, only by the collector: {only_theirs:?}"
    );

    // Every policy had a say, or the comparison would say little.
    let by: BTreeSet<_> = run.ours.traces().iter().map(|kept| kept.kept_by().to_owned()).collect();
    assert_eq!(by.len(), 7, "{by:?}");
    let dropped: Vec<_> = sent.difference(&ours).collect();
    let on_purpose = dropped.iter().filter(|id| {
        let trace = run.everything.trace(***id).unwrap();
        trace.has_errors() || trace.is_slow(Duration::from_millis(500))
    });
    let on_purpose = on_purpose.count();
    assert!(
        on_purpose > 20 && dropped.len() > on_purpose + 20,
        "{on_purpose} of {}",
        dropped.len()
    );
}

fn ids(memory: &InMemoryExporter) -> BTreeSet<TraceId> {
    memory.traces().iter().map(|trace| trace.trace_id()).collect()
}

/// Plays the traces through a pipeline with a clock and ids of its own.
fn play(builder: PipelineBuilder) {
    let clock = ManualClock::new();
    let pipeline =
        builder.with_clock(clock.clock()).with_random(Random::seeded(1)).start().unwrap();
    let tracer = pipeline.tracer();
    for steps in traces(TRACES) {
        let mut open: Vec<SpanGuard> = Vec::new();
        for step in steps {
            match step {
                Step::Start => {
                    let name = if open.is_empty() { "request" } else { "step" };
                    let parent = open.last();
                    let start = || tracer.start_span(name);
                    open.push(parent.map_or_else(start, |parent| parent.child(name)));
                }
                Step::Pass(millis) => clock.advance(Duration::from_millis(millis)),
                Step::Tag(key, value) => {
                    open.last().unwrap().set_tag(key, value);
                }
                Step::Fail => {
                    open.last().unwrap().set_status(Status::error("failed"));
                }
                Step::End => drop(open.pop()),
            }
        }
    }
    pipeline.shutdown(PLENTY).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances() && stats.lost() == 0, "{stats}");
}

/// Plays the traces as spans of OpenTelemetry's SDK, each of which goes through both processors.
fn play_in_sdk(service: &'static str, processors: [TailSpanProcessor; 2]) {
    let mut provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder_empty().with_service_name(service).build());
    for processor in processors {
        provider = provider.with_span_processor(processor);
    }
    let provider = provider.build();
    let tracer = provider.tracer("interop");
    let mut now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    for steps in traces(TRACES) {
        let mut open = vec![Context::new()];
        for step in steps {
            let innermost = open.last().unwrap();
            match step {
                Step::Start => {
                    let builder = tracer.span_builder("step").with_start_time(now);
                    let span = tracer.build_with_context(builder, innermost);
                    open.push(innermost.with_span(span));
                }
                Step::Pass(millis) => now += Duration::from_millis(millis),
                Step::Tag(key, value) => {
                    innermost.span().set_attribute(KeyValue::new(key, otel_value(value)));
                }
                Step::Fail => innermost.span().set_status(api::Status::error("failed")),
                Step::End => {
                    innermost.span().end_with_timestamp(now);
                    open.pop();
                }
            }
        }
    }
    provider.shutdown_with_timeout(PLENTY).unwrap();
}

fn otel_value(value: TagValue) -> opentelemetry::Value {
    match value {
        TagValue::Bool(value) => value.into(),
        TagValue::I64(value) => value.into(),
        TagValue::String(value) => value.into(),
        other => panic!("no step has a tag like {other:?}"),
    }
}

/// Waits until the collector has decided about all that it has been sent.
///
/// It decides once a second about what came in one second, in no order. A trace that is sent when
/// another, sent last, has been decided is decided after all others.
#[track_caller]
fn wait_for_decisions(collector: &Server) {
    for _ in 0..2 {
        let memory = InMemoryExporter::new();
        let pipeline = Pipeline::builder("sentinel")
            .with_exporter(memory.clone())
            .with_exporter(
                OtlpExporter::builder()
                    .with_protocol(OtlpProtocol::Grpc)
                    .with_endpoint(&collector.grpc)
                    .build()
                    .unwrap(),
            )
            .start()
            .unwrap();
        pipeline.tracer().start_span("sentinel").set_status(Status::error("to be kept"));
        pipeline.shutdown(PLENTY).unwrap();
        let id = memory.traces()[0].trace_id();
        wait_for("the sentinel", || arrived(collector.query(), id));
    }
}

fn arrived(query: Query<'_>, id: TraceId) -> Option<()> {
    (!query.trace(id).is_empty()).then_some(())
}
