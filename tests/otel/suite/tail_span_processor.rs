//! Our tail behind a provider of OpenTelemetry.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceId, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, KeyValue, Value};
use opentelemetry_sdk::trace::Sampler;
use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::{Batch, ExportError};
use tailtrace::ledger::Reason;
use tailtrace::model::{Limits, TagRef, Threshold};
use tailtrace::record::RecordLimits;
use tailtrace::time::ManualClock;
use tailtrace::{
    Errors, Exporter, FixedRateSampler, InMemoryExporter, Pipeline, TailSampler, Trace, TraceView,
    Verdict,
};

use super::release_line::{
    self, LineExporter, SdkResult, SdkTracerProvider, SpanData, TestExporter,
};
use super::support::{LONG, Sink, errors, settled, shop};
use crate::adapter::{OtelExporter, SdkSpan, TailSpanProcessor};

/// A pipeline that keeps errors, with these limits for a span.
fn limited(span: Limits) -> (Pipeline, InMemoryExporter) {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(Errors)
        .with_limits(RecordLimits::default().with_span(span))
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    (pipeline, memory)
}

#[test]
fn texts_of_a_span_of_the_sdk_are_cut_as_the_limits_of_the_pipeline_say() {
    let (pipeline, memory) =
        limited(Limits::default().with_value_bytes(100).with_list_bytes(2_000));
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    let huge = || "ü".repeat(512 * 1024);
    let list = |texts: Vec<String>| {
        Value::Array(Array::String(texts.into_iter().map(Into::into).collect()))
    };
    let mut span = tracer
        .span_builder("order")
        .with_attributes(vec![
            KeyValue::new("text", huge()),
            KeyValue::new("short", "ü"),
            KeyValue::new("texts", list(vec![huge(), "b".to_owned()])),
            KeyValue::new("many", list(vec!["c".to_owned(); 1_000])),
        ])
        .with_links(vec![Link::new(
            remote_parent().span().span_context().clone(),
            vec![KeyValue::new("why", huge())],
            0,
        )])
        .start(&tracer);
    span.add_event("said", vec![KeyValue::new("what", huge())]);
    span.set_status(Status::error("declined"));
    span.end();
    release_line::flush(&provider).unwrap();
    let cut = "ü".repeat(50);
    let trace = &memory.traces()[0];
    let span = trace.root().unwrap();
    assert_eq!(span.tag("text"), Some(TagRef::Str(&cut)));
    assert_eq!(span.tag("short"), Some(TagRef::Str("ü")));
    let TagRef::StringArray(texts) = span.tag("texts").unwrap() else { panic!("{span:?}") };
    assert_eq!(texts, [&*cut, "b"]);
    let TagRef::StringArray(many) = span.tag("many").unwrap() else { panic!("{span:?}") };
    assert!((20..100).contains(&many.len()), "{}", many.len());
    let field = span.logs().next().and_then(|log| log.fields().next());
    assert_eq!(field, Some(("what", TagRef::Str(&cut))));
    let tag = span.links().next().and_then(|link| link.tags().next());
    assert_eq!(tag, Some(("why", TagRef::Str(&cut))));
    assert_eq!(pipeline.stats().cut_values, 5);
    assert!(trace.bytes() < 10_000, "{}", trace.bytes());
}

#[test]
fn keys_are_cut_however_low_the_limit_is() {
    let (pipeline, memory) = limited(Limits::default().with_text_bytes(10));
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    let mut span = tracer.start("order");
    span.set_attribute(KeyValue::new("a.rather.long.key", 1));
    span.set_status(Status::error("declined"));
    span.end();
    release_line::flush(&provider).unwrap();
    assert_eq!(memory.traces()[0].root().unwrap().tag("a.rather.l"), Some(TagRef::I64(1)));
}

pub(crate) fn bad(tracer: &impl opentelemetry::trace::Tracer, name: &'static str) {
    let mut span = tracer.start(name);
    span.set_status(Status::error("declined"));
    span.end();
}

pub(crate) fn names(memory: &InMemoryExporter) -> Vec<Vec<String>> {
    let own = |trace: &Trace| {
        let mut names: Vec<_> =
            trace.spans().map(|span| span.operation_name().to_owned()).collect();
        names.sort();
        names
    };
    let mut all: Vec<_> = memory.traces().iter().map(own).collect();
    all.sort();
    all
}

fn remote_parent() -> Context {
    let parent = SpanContext::new(
        TraceId::from_bytes(0xabc_u128.to_be_bytes()),
        SpanId::from_bytes(0xdef_u64.to_be_bytes()),
        TraceFlags::SAMPLED,
        true,
        "vendor=1".parse().unwrap(),
    );
    Context::new().with_remote_span_context(parent)
}

/// A span with all that one can have.
fn trace_everything(provider: &SdkTracerProvider) {
    let tracer = provider.tracer("lib");
    let parent = remote_parent();
    let linked = parent.span().span_context().clone();
    let mut span = tracer
        .span_builder("order")
        .with_kind(SpanKind::Server)
        .with_start_time(UNIX_EPOCH + Duration::from_secs(1_000_000))
        .with_attributes(vec![
            KeyValue::new("bool", true),
            KeyValue::new("int", -3),
            KeyValue::new("float", 0.5),
            KeyValue::new("text", "ü"),
            KeyValue::new("bools", Value::Array(Array::Bool(vec![true, false]))),
            KeyValue::new("ints", Value::Array(Array::I64(vec![1, 2]))),
            KeyValue::new("floats", Value::Array(Array::F64(vec![1.5]))),
            KeyValue::new("texts", Value::Array(Array::String(vec!["a".into(), "b".into()]))),
        ])
        .with_links(vec![Link::new(linked, vec![KeyValue::new("why", "retry")], 0)])
        .start_with_context(&tracer, &parent);
    let time = UNIX_EPOCH + Duration::from_secs(1_000_001);
    span.add_event_with_timestamp("said", time, vec![KeyValue::new("level", "WARN")]);
    span.set_status(Status::error("declined"));
    span.end_with_timestamp(UNIX_EPOCH + Duration::from_secs(1_000_002));
}

#[test]
fn what_is_kept_reaches_an_exporter_of_ours_with_all_it_had() {
    let (pipeline, memory) = errors();
    let provider = shop(&pipeline);
    trace_everything(&provider);
    release_line::flush(&provider).unwrap();
    let trace = &memory.traces()[0];
    assert_eq!(trace.resource().service_name(), "shop");
    let span = trace.root().unwrap();
    assert_eq!((span.operation_name(), span.kind()), ("order", tailtrace::SpanKind::Server));
    assert_eq!(span.duration(), Duration::from_secs(2));
    assert_eq!(span.start_time(), UNIX_EPOCH + Duration::from_secs(1_000_000));
    let context = span.context();
    assert_eq!(context.trace_id.to_bits(), 0xabc);
    assert_eq!(context.parent_span_id.map(|id| id.to_bits()), Some(0xdef));
    assert!(context.flags.is_sampled());
    assert_eq!(context.trace_state.get("vendor"), Some("1"));
    assert_eq!(context.trace_state.get("ot"), Some("th:0"));
    assert_eq!(span.tag("bool"), Some(TagRef::Bool(true)));
    assert_eq!(span.tag("int"), Some(TagRef::I64(-3)));
    assert_eq!(span.tag("float"), Some(TagRef::F64(0.5)));
    assert_eq!(span.tag("text"), Some(TagRef::Str("ü")));
    assert_eq!(span.tag("bools"), Some(TagRef::BoolArray(&[true, false])));
    assert_eq!(span.tag("ints"), Some(TagRef::I64Array(&[1, 2])));
    assert_eq!(span.tag("floats"), Some(TagRef::F64Array(&[1.5])));
    assert_eq!(span.tag("texts"), Some(TagRef::StringArray(&["a".to_owned(), "b".to_owned()])));
    assert_eq!(span.tag("otel.scope.name"), Some(TagRef::Str("lib")));
    assert_eq!(span.status_description(), "declined");
    let log = span.logs().next().unwrap();
    assert_eq!((log.message(), log.level()), ("said", tailtrace::LogLevel::Warn));
    assert_eq!(log.time(), UNIX_EPOCH + Duration::from_secs(1_000_001));
    let link = span.links().next().unwrap();
    assert_eq!(link.context().span_id.to_bits(), 0xdef);
    assert_eq!(link.tags().next().map(|(key, _)| key), Some("why"));
    assert_eq!(trace.originals::<SdkSpan>().map(<[SdkSpan]>::len), Some(1));
    settled(&pipeline);
}

#[test]
fn what_is_kept_reaches_an_exporter_of_opentelemetry_as_the_sdk_made_it() {
    let (sink, seen) = Sink::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(OtelExporter::new(sink))
        .start()
        .unwrap();
    let provider = shop(&pipeline);
    trace_everything(&provider);
    release_line::flush(&provider).unwrap();
    let spans = seen.spans();
    let span = &spans[0];
    assert_eq!((spans.len(), span.name.as_ref(), &span.span_kind), (1, "order", &SpanKind::Server));
    assert_eq!(span.attributes.len(), 9);
    assert_eq!(span.attributes[7].key.as_str(), "texts");
    assert_eq!(span.attributes[8], KeyValue::new("tailtrace.kept_by", "Errors"));
    assert_eq!(span.events.events[0].attributes, [KeyValue::new("level", "WARN")]);
    assert_eq!(span.links.links[0].attributes, [KeyValue::new("why", "retry")]);
    assert_eq!(span.status, Status::error("declined"));
    assert_eq!(span.parent_span_id.to_string(), "0000000000000def");
    assert_eq!(release_line::scope_name(span), "lib");
    assert!(span.span_context.is_sampled());
    assert_eq!(span.span_context.trace_state().header(), "vendor=1");
    assert_eq!(seen.calls.lock().unwrap()[0].0, "shop");
}

#[test]
fn a_trace_that_is_larger_than_the_queue_arrives_in_parts_each_span_once() {
    let (sink, seen) = Sink::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(OtelExporter::new(sink))
        .with_delivery(DeliveryConfig::default().with_max_queued_bytes(50_000))
        .start()
        .unwrap();
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    let root = Context::new().with_span(tracer.start("root"));
    for number in 0..999 {
        let mut part = tracer.start_with_context("part", &root);
        part.set_attribute(KeyValue::new("number", number));
        if number == 3 {
            part.set_status(Status::error("declined"));
        }
    }
    root.span().end();
    release_line::flush(&provider).unwrap();
    assert_eq!(settled(&pipeline).exported, 1_000);
    assert!(seen.calls.lock().unwrap().len() > 5);
    let spans = seen.spans();
    let trace_id = spans[0].span_context.trace_id();
    assert!(spans.iter().all(|span| span.span_context.trace_id() == trace_id));
    let attributes = spans.iter().flat_map(|span| &span.attributes);
    let numbers = attributes.filter(|tag| tag.key.as_str() == "number");
    let mut numbers: Vec<Value> = numbers.map(|tag| tag.value.clone()).collect();
    numbers.sort_by_key(|number| if let Value::I64(number) = number { *number } else { -1 });
    assert!(numbers.into_iter().eq((0..999).map(Value::I64)));
}

#[test]
fn where_only_some_traces_are_kept_every_span_says_how_many() {
    let (sink, seen) = Sink::new();
    let half = Threshold::from_probability(0.5).unwrap();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(move |_: &TraceView<'_>| Verdict::keep_with(Some(half)))
        .with_exporter(OtelExporter::new(sink))
        .start()
        .unwrap();
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    let root = Context::new().with_span(tracer.start_with_context("root", &remote_parent()));
    drop(tracer.start_with_context("child", &root));
    root.span().end();
    release_line::flush(&provider).unwrap();
    let states: Vec<String> =
        seen.spans().iter().map(|span| span.span_context.trace_state().header()).collect();
    // Members of other systems leave with the local root alone.
    assert_eq!(states, ["ot=th:8", "ot=th:8,vendor=1"]);
}

#[test]
fn a_threshold_that_a_span_arrived_with_makes_way_for_that_of_its_trace() {
    let (sink, seen) = Sink::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(|_: &TraceView<'_>| Verdict::keep())
        .with_exporter(OtelExporter::new(sink))
        .start()
        .unwrap();
    // A head of ours would have taken the threshold out at the start.
    let provider =
        release_line::provider_of("shop", Sampler::AlwaysOn, TailSpanProcessor::new(&pipeline));
    let remote = remote_parent();
    let context = remote.span().span_context().clone();
    let parent = SpanContext::new(
        context.trace_id(),
        context.span_id(),
        context.trace_flags(),
        true,
        "ot=th:8".parse().unwrap(),
    );
    let parent = Context::new().with_remote_span_context(parent);
    drop(provider.tracer("lib").start_with_context("root", &parent));
    release_line::flush(&provider).unwrap();
    assert_eq!(seen.spans()[0].span_context.trace_state().header(), "ot=th:0");
}

#[test]
fn a_trace_is_decided_when_its_last_span_has_ended_and_what_is_dropped_is_never_read() {
    let (pipeline, memory) = errors();
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    let root = Context::new().with_span(tracer.start("root"));
    let child = Context::new().with_span(tracer.start_with_context("child", &root));
    bad(&tracer, "another");
    root.span().end();
    release_line::flush(&provider).unwrap();
    assert_eq!(names(&memory), [["another"]], "a span of the other trace is open");
    child.span().set_status(Status::error("declined"));
    child.span().end();
    tracer.in_span("fine", |_| tracer.in_span("too", |_| {}));
    release_line::flush(&provider).unwrap();
    assert_eq!(names(&memory), [vec!["another"], vec!["child", "root"]]);
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.exported, stats.held), (5, 3, 2));
}

#[test]
fn the_head_and_the_tail_combine_and_counts_scale_back() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_sampler(FixedRateSampler::new(0.25).unwrap())
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    let mut sampled = 0;
    for _ in 0..64 {
        let mut span = tracer.start("fine");
        sampled += usize::from(span.span_context().is_sampled());
        span.end();
    }
    bad(&tracer, "bad");
    release_line::flush(&provider).unwrap();
    let thresholds: Vec<_> = memory
        .traces()
        .iter()
        .map(|trace| (trace.has_errors(), trace.threshold().map(|kept| kept.probability())))
        .collect();
    assert_eq!(thresholds.iter().filter(|kept| **kept == (false, Some(0.25))).count(), sampled);
    assert_eq!(thresholds.len(), sampled + 1);
    settled(&pipeline);
}

#[test]
fn spans_that_end_late_follow_the_decision() {
    for fails in [true, false] {
        let (clock, memory) = (ManualClock::new(), InMemoryExporter::new());
        let pipeline = Pipeline::builder("pipeline")
            .with_clock(clock.clock())
            .with_tail(TailSampler::new().keep(Errors))
            .with_exporter(memory.clone())
            .start()
            .unwrap();
        let provider = shop(&pipeline);
        let tracer = provider.tracer("lib");
        let root = Context::new().with_span(tracer.start("root"));
        let straggler = Context::new().with_span(tracer.start_with_context("straggler", &root));
        if fails {
            root.span().set_status(Status::error("declined"));
        }
        root.span().end();
        clock.advance(RecordLimits::default().linger);
        // A look at the clock for what lingers: anything that happens is one.
        let _ = pipeline.flush(LONG);
        straggler.span().end();
        release_line::flush(&provider).unwrap();
        let stats = settled(&pipeline);
        if fails {
            assert_eq!(names(&memory), [["root"], ["straggler"]]);
            assert!(memory.traces()[1].is_late());
            assert_eq!(stats.late, 1);
        } else {
            assert!(memory.traces().is_empty());
        }
    }
}

#[test]
fn what_is_not_recorded_does_not_reach_the_tail() {
    let (pipeline, memory) = errors();
    let provider =
        release_line::provider_of("shop", Sampler::AlwaysOff, TailSpanProcessor::new(&pipeline));
    bad(&provider.tracer("lib"), "off");
    release_line::flush(&provider).unwrap();
    assert!(memory.traces().is_empty());
    assert_eq!(settled(&pipeline).started, 0);
}

#[test]
fn behind_another_sampler_the_tail_decides_what_that_recorded() {
    let (pipeline, memory) = errors();
    let provider =
        release_line::provider_of("shop", Sampler::AlwaysOn, TailSpanProcessor::new(&pipeline));
    let tracer = provider.tracer("lib");
    tracer.in_span("fine", |_| {});
    bad(&tracer, "bad");
    release_line::flush(&provider).unwrap();
    assert_eq!(names(&memory), [["bad"]]);
    settled(&pipeline);
}

#[test]
fn a_flush_tells_that_spans_were_lost_and_the_next_one_is_fine() {
    struct FailsOnce(AtomicBool);

    #[async_trait]
    impl Exporter for FailsOnce {
        async fn export(&self, _: Batch) -> Result<(), ExportError> {
            if self.0.swap(true, Ordering::Relaxed) {
                return Ok(());
            }
            Err(ExportError::permanent("bad key"))
        }
    }

    let pipeline = Pipeline::builder("pipeline")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(FailsOnce(AtomicBool::new(false)))
        .start()
        .unwrap();
    let provider = shop(&pipeline);
    bad(&provider.tracer("lib"), "lost");
    let told = release_line::flush(&provider).unwrap_err();
    assert!(told.to_string().contains("1 dropped"), "{told}");
    bad(&provider.tracer("lib"), "sent");
    release_line::flush(&provider).unwrap();
    assert_eq!(settled(&pipeline).exported, 1);
}

#[test]
fn an_exporter_of_opentelemetry_that_fails_or_panics_costs_its_batch_and_nothing_else() {
    #[derive(Debug)]
    struct Moody(AtomicUsize, LineExporter<Sink>);

    impl TestExporter for Moody {
        async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0 => Err(release_line::failed("no peer")),
                1 => panic!("no words"),
                _ => TestExporter::export(&self.1, batch).await,
            }
        }
    }

    let (sink, seen) = Sink::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(OtelExporter::new(LineExporter::new(Moody(AtomicUsize::new(0), sink))))
        .start()
        .unwrap();
    let provider = shop(&pipeline);
    for (name, is_sent) in [("fails", false), ("panics", false), ("sent", true)] {
        bad(&provider.tracer("lib"), name);
        assert_eq!(release_line::flush(&provider).is_ok(), is_sent, "{name}");
    }
    assert_eq!(seen.names(), ["sent"]);
    let stats = settled(&pipeline);
    assert_eq!((stats.exported, stats.dropped_by(Reason::ExporterPanicked)), (1, 1));
}

#[test]
fn the_provider_ends_the_pipeline_and_what_was_kept_is_sent_before() {
    let (pipeline, memory) = errors();
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    bad(&tracer, "bad");
    release_line::shut_down(provider).unwrap();
    assert_eq!(names(&memory), [["bad"]]);
    bad(&tracer, "late");
    assert_eq!(names(&memory), [["bad"]]);
    settled(&pipeline);
}

#[test]
fn after_the_shutdown_of_the_processor_it_says_so() {
    let (pipeline, _) = errors();
    let mut processor = TailSpanProcessor::new(&pipeline);
    release_line::end_processor(&mut processor, LONG).unwrap();
    let already = release_line::already_shut_down().to_string();
    let told = |result: SdkResult| result.unwrap_err().to_string() == already;
    assert!(told(release_line::end_processor(&mut processor, LONG)));
    assert!(told(release_line::flush_processor(&processor)));
}

#[test]
fn a_shutdown_keeps_to_its_time() {
    struct Hangs;

    #[async_trait]
    impl Exporter for Hangs {
        async fn export(&self, _: Batch) -> Result<(), ExportError> {
            std::future::pending().await
        }
    }

    let pipeline = Pipeline::builder("pipeline")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(Hangs)
        .start()
        .unwrap();
    let mut processor = TailSpanProcessor::new(&pipeline);
    // Older lines give no time, and take what they must.
    let limit = release_line::shutdown_limit(Duration::from_millis(1));
    let provider = shop(&pipeline);
    bad(&provider.tracer("lib"), "stuck");
    let told = release_line::end_processor(&mut processor, limit).unwrap_err();
    // What is told may be the rest of the time.
    assert!(told.to_string().contains("timed out"), "{told}");
}
