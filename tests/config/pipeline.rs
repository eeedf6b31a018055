//! The pipeline that comes of the settings.

use std::collections::HashMap;
use std::time::Duration;

use tailtrace::delivery::DeliveryConfig;
use tailtrace::model::TraceFlags;
use tailtrace::propagation::Propagator;
use tailtrace::record::RecordLimits;
use tailtrace::{
    AlwaysOff, AlwaysOn, InMemoryExporter, Incoming, Pipeline, SpanId, TagValue, TraceContext,
    TraceId,
};
use tracing_subscriber::prelude::*;

use super::lines::Lines;
use super::read;

pub(crate) const PLENTY: Duration = Duration::from_secs(60);

/// Starts a pipeline of these variables with an exporter of the program's own.
fn start(vars: &[(&str, &str)]) -> (Pipeline, InMemoryExporter) {
    let memory = InMemoryExporter::new();
    let builder = read(vars).pipeline().unwrap().with_exporter(memory.clone());
    (builder.start().unwrap(), memory)
}

fn end(pipeline: &Pipeline) {
    pipeline.shutdown(PLENTY).unwrap();
    assert!(pipeline.stats().balances(), "{}", pipeline.stats());
}

#[test]
fn what_the_environment_says_reaches_the_spans() {
    let (pipeline, memory) = start(&[
        ("OTEL_SERVICE_NAME", "checkout"),
        ("OTEL_RESOURCE_ATTRIBUTES", "zone=a"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_TRACES_SAMPLER", "always_on"),
    ]);
    let span = pipeline.tracer().start_span("op");
    span.set_tag("first", 1);
    span.set_tag("second", 2);
    drop(span);
    end(&pipeline);
    let trace = &memory.traces()[0];
    assert_eq!(trace.resource().service_name(), "checkout");
    assert_eq!(trace.resource().get("zone"), Some(&TagValue::from("a")));
    assert_eq!(
        (trace.root().unwrap().tags().count(), trace.root().unwrap().dropped_tags()),
        (1, 1)
    );
}

#[test]
fn a_limit_for_values_leaves_names_alone() {
    let (pipeline, memory) = start(&[("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")]);
    let span = pipeline.tracer().start_span("charge_card");
    span.set_tag("currency", "euro");
    span.log(tailtrace::LogLevel::Info, "asking the bank");
    drop(span);
    end(&pipeline);
    let trace = &memory.traces()[0];
    let root = trace.root().unwrap();
    assert_eq!(root.operation_name(), "charge_card");
    assert_eq!(root.tag("currency").and_then(tailtrace::model::TagRef::as_str), Some("eur"));
    assert_eq!(root.logs().next().map(|log| log.message()), Some("asking the bank"));
}

#[test]
fn the_sampler_of_the_environment_is_asked() {
    let (pipeline, memory) = start(&[("OTEL_TRACES_SAMPLER", "always_off")]);
    drop(pipeline.tracer().start_span("op"));
    end(&pipeline);
    assert!(memory.traces().is_empty());
    assert_eq!(pipeline.stats().sampled_out, 1);
}

#[test]
fn what_the_program_sets_wins_over_the_environment() {
    let memory = InMemoryExporter::new();
    let vars = [
        ("OTEL_SERVICE_NAME", "environment"),
        ("OTEL_RESOURCE_ATTRIBUTES", "zone=environment"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1"),
    ];
    let pipeline = read(&vars)
        .pipeline()
        .unwrap()
        .with_resource_tag("service.name", "program")
        .with_resource_tag("zone", "program")
        .with_sampler(AlwaysOn)
        .with_limits(RecordLimits::default())
        .with_delivery(DeliveryConfig::default())
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    pipeline.tracer().start_span("op").set_tag("kept", true);
    end(&pipeline);
    let trace = &memory.traces()[0];
    assert_eq!(trace.resource().service_name(), "program");
    assert_eq!(trace.resource().get("zone"), Some(&TagValue::from("program")));
    assert_eq!(trace.root().unwrap().tags().count(), 1);
}

#[test]
fn the_exporter_none_records_nothing_and_starts_all_the_same() {
    let pipeline = read(&[("OTEL_TRACES_EXPORTER", "none")]).pipeline().unwrap().start().unwrap();
    assert!(!pipeline.tracer().start_span("op").is_recording());
    end(&pipeline);
    assert_eq!((pipeline.stats().sampled_out, pipeline.stats().exported), (1, 0));
}

#[test]
fn what_is_disabled_records_nothing_whatever_the_program_adds() {
    let memory = InMemoryExporter::new();
    let settings = read(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "always_on")]);
    let builder = settings.pipeline().unwrap().with_sampler(AlwaysOn).with_tail(tailtrace::Errors);
    let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
    let span = pipeline.tracer().start_span("op");
    assert!(!span.is_recording());
    drop(span);
    pipeline.set_sampler(AlwaysOn);
    drop(pipeline.tracer().start_span("op"));
    end(&pipeline);
    assert_eq!(pipeline.stats().sampled_out, 2);
    assert!(memory.traces().is_empty());
    let builder = settings.pipeline().unwrap().with_recording(true);
    let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
    drop(pipeline.tracer().start_span("the program wins"));
    end(&pipeline);
    assert_eq!(memory.traces().len(), 1);
}

#[test]
fn a_disabled_process_passes_its_callers_context_on() {
    let settings = read(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "console")]);
    let pipeline = settings.pipeline().unwrap().with_sampler(AlwaysOff).start().unwrap();
    let headers = HashMap::from([
        (
            "traceparent".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        ),
        ("tracestate".to_owned(), "ot=th:8,vendor=1".to_owned()),
        ("baggage".to_owned(), "tenant=acme".to_owned()),
    ]);
    let propagator = settings.propagator();
    let mut incoming = Incoming::default();
    propagator.extract(&headers, &mut incoming);
    let caller = incoming.into_context().unwrap();
    let tracer = pipeline.tracer();
    let span = tracer.span_builder("op").with_parent_context(&caller).start();
    for context in [span.context(), span.child("inner").context()] {
        let mut outgoing = HashMap::new();
        propagator.inject(&context, &mut outgoing);
        assert_eq!(outgoing, headers);
    }
    let inner = tracer.span_builder("inner").with_parent_context(span.context()).start();
    assert_eq!(inner.context().span_id, caller.span_id);
    drop((inner, span));
    end(&pipeline);
}

#[test]
fn a_disabled_layer_passes_its_callers_context_on() {
    use tailtrace::TraceSpanExt;
    let settings = read(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "console")]);
    let pipeline = settings.pipeline().unwrap().start().unwrap();
    let caller =
        TraceContext::new(TraceId::new(), SpanId::new()).with_flags(TraceFlags::SAMPLED).remote();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    tracing::subscriber::with_default(subscriber, || {
        let request = tracing::info_span!("request");
        request.set_parent(&caller).unwrap();
        let inner = request.in_scope(|| tracing::info_span!("inner"));
        for context in [request.context().unwrap(), inner.context().unwrap()] {
            assert_eq!((context.trace_id, context.span_id), (caller.trace_id, caller.span_id));
            assert!(context.flags.is_sampled());
        }
    });
    end(&pipeline);
}

/// What the program is told at the level warning meanwhile.
pub(crate) fn hearing(work: impl FnOnce()) -> String {
    let heard = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(heard.clone()).finish();
    tracing::subscriber::with_default(subscriber, work);
    heard.text()
}

#[test]
fn warnings_are_said_once_though_nobody_could_hear_them_when_they_arose() {
    let settings = read(&[("OTEL_BSP_MAX_QUEUE_SIZE", "many")]);
    let start = || settings.pipeline().unwrap().with_exporter(InMemoryExporter::new()).start();
    let pipelines = [start().unwrap(), start().unwrap()];
    let heard = hearing(|| {
        for pipeline in pipelines {
            drop(pipeline.tracer().start_span("op"));
            end(&pipeline);
        }
        settings.report_warnings();
    });
    assert_eq!(heard.matches("OTEL_BSP_MAX_QUEUE_SIZE").count(), 1, "{heard}");
}
