//! Spans that wait for an exporter which does not keep up.

use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceId};
use opentelemetry_sdk::trace::SpanProcessor;
use proptest::collection::vec;
use proptest::prelude::*;
use tailtrace::adapter::Started;
use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::Batching;
use tailtrace::{InMemoryExporter, Pipeline, TraceView, Verdict};

use super::release_line::{SpanData, set_scope};
use super::strategies::{scope, span_data};
use super::support::{LONG, Sink, bare, settled};
use crate::adapter::{OtelExporter, TailSpanProcessor, convert};

/// What the exporters of a pipeline got.
#[derive(Debug, PartialEq)]
struct Exported {
    by_the_sdk: Vec<SpanData>,
    by_ours: Vec<(SpanData, String)>,
}

/// Sends spans, each in a trace of its own, through a processor behind which nothing leaves before the end, and as many
/// bare spans before them.
fn exported(spans: &[SpanData], fillers: u64) -> Exported {
    let (sink, seen) = Sink::new();
    let memory = InMemoryExporter::new();
    let at_the_end = Batching::default()
        .with_max_spans(usize::MAX)
        .with_max_bytes(usize::MAX)
        .with_max_age(Duration::from_secs(3_600));
    let delivery =
        DeliveryConfig::default().with_batching(at_the_end).with_max_queued_bytes(16 * 128 * 1024);
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(|_: &TraceView<'_>| Verdict::keep())
        .with_delivery(delivery)
        .with_exporter(OtelExporter::new(sink))
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let processor = TailSpanProcessor::new(&pipeline);
    let intake = pipeline.intake();
    let before = (1..=fillers).map(|filler| bare("filler", u128::from(filler), 1));
    for span in before.chain(spans.iter().cloned()) {
        // The SDK would announce a span that it makes; these are made by hand.
        let context = convert::from_span_context(&span.span_context).unwrap();
        let (trace_id, span_id) = (context.trace_id, context.span_id);
        intake.started(Started { trace_id, span_id, is_local_root: true }, || context);
        processor.on_end(span);
    }
    pipeline.shutdown(LONG).unwrap();
    assert_eq!(settled(&pipeline).exported, spans.len() as u64 + fillers);
    let is_filler = |span: &SpanData| span.name == "filler";
    let by_ours = memory.traces().into_iter().flat_map(|trace| {
        let notes = format!("{:?} {:?}", trace.notes().collect::<Vec<_>>(), trace.resource());
        let all = trace.spans().map(convert::to_span_data);
        all.map(|span| (span, notes.clone())).collect::<Vec<_>>()
    });
    Exported {
        by_the_sdk: seen.spans().into_iter().filter(|span| !is_filler(span)).collect(),
        by_ours: by_ours.filter(|(span, _)| !is_filler(span)).collect(),
    }
}

/// The span with ids of its own, beside which the bare ones have others.
fn with_ids(mut span: SpanData, number: usize) -> SpanData {
    let context = &span.span_context;
    span.span_context = SpanContext::new(
        TraceId::from_bytes((1_u128 << 64 | number as u128).to_be_bytes()),
        SpanId::from_bytes((number as u64 + 1).to_be_bytes()),
        context.trace_flags(),
        context.is_remote(),
        context.trace_state().clone(),
    );
    span
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_exporter_that_does_not_keep_up_gets_every_span_as_it_was(
        spans in vec(span_data(), 1..12),
        scopes in vec(scope(), 1..3),
    ) {
        // A few libraries, each of which makes several of the spans.
        let spans = spans.into_iter().enumerate().map(|(number, mut span)| {
            if number % 3 > 0 {
                set_scope(&mut span, scopes[number % scopes.len()].clone());
            }
            with_ids(span, number)
        });
        let spans: Vec<SpanData> = spans.collect();
        let at_ease = exported(&spans, 0);
        prop_assert_eq!(at_ease.by_the_sdk.len(), spans.len());
        prop_assert_eq!(exported(&spans, 400), at_ease);
    }
}
