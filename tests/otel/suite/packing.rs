//! Spans that wait for an exporter which does not keep up.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceId};
use opentelemetry_sdk::trace::SpanProcessor;
use proptest::collection::vec;
use proptest::prelude::*;
use tailtrace::adapter::{Original, Started};
use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::Batching;
use tailtrace::{InMemoryExporter, Pipeline, TraceView, Verdict};

use super::release_line::{SpanData, set_scope};
use super::strategies::{scope, span_data};
use super::support::{LONG, Seen, Sink, bare, settled};
use crate::adapter::{OtelExporter, SdkSpan, TailSpanProcessor, convert};

/// So many bare spans take more of the queue than may wait before spans are packed.
const FILLING: u64 = 400;

/// What the exporters of a pipeline got.
#[derive(Debug, PartialEq)]
struct Exported {
    by_the_sdk: Vec<SpanData>,
    by_ours: Vec<(SpanData, String)>,
}

/// Sends spans, each in a trace of its own, through a processor behind which nothing leaves before the end, and as many
/// bare spans before them; what an exporter of OpenTelemetry saw.
fn sent(spans: Vec<SpanData>, fillers: u64, memory: Option<&InMemoryExporter>) -> Arc<Seen> {
    let (sink, seen) = Sink::new();
    let at_the_end = Batching::default()
        .with_max_spans(usize::MAX)
        .with_max_bytes(usize::MAX)
        .with_max_age(Duration::from_secs(3_600));
    let delivery =
        DeliveryConfig::default().with_batching(at_the_end).with_max_queued_bytes(16 * 128 * 1024);
    let mut builder = Pipeline::builder("pipeline")
        .with_tail(|_: &TraceView<'_>| Verdict::keep())
        .with_delivery(delivery)
        .with_exporter(OtelExporter::new(sink));
    if let Some(memory) = memory {
        builder = builder.with_exporter(memory.clone());
    }
    let pipeline = builder.start().unwrap();
    let processor = TailSpanProcessor::new(&pipeline);
    let intake = pipeline.intake();
    let before = (1..=fillers).map(|filler| bare("filler", u128::from(filler), 1));
    let all = spans.len() as u64 + fillers;
    for span in before.chain(spans) {
        // The SDK would announce a span that it makes; these are made by hand.
        let context = convert::from_span_context(&span.span_context).unwrap();
        let (trace_id, span_id) = (context.trace_id, context.span_id);
        intake.started(Started { trace_id, span_id, is_local_root: true }, || context);
        processor.on_end(span);
    }
    pipeline.shutdown(LONG).unwrap();
    assert_eq!(settled(&pipeline).exported, all);
    seen
}

fn is_filler(span: &SpanData) -> bool {
    span.name == "filler"
}

/// What two exporters got of spans that were [sent].
fn exported(spans: &[SpanData], fillers: u64) -> Exported {
    let memory = InMemoryExporter::new();
    let seen = sent(spans.to_vec(), fillers, Some(&memory));
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

/// A bare span whose lists have room, and nothing in it.
fn with_room() -> SpanData {
    let mut span = with_ids(bare("with room", 1, 1), 0);
    span.attributes = Vec::with_capacity(64);
    span.events.events = Vec::with_capacity(64);
    span.links.links = Vec::with_capacity(64);
    span
}

#[test]
fn what_waits_is_packed_where_a_queue_fills_and_holds_no_room_of_empty_lists_then() {
    let room_after = |fillers| {
        let seen = sent(vec![with_room()], fillers, None);
        let calls = seen.calls.lock().unwrap();
        let mut all = calls.iter().flat_map(|(_, spans)| spans);
        let span = all.find(|span| !is_filler(span)).unwrap();
        [span.attributes.capacity(), span.events.events.capacity(), span.links.links.capacity()]
    };
    let at_ease = room_after(0);
    assert!(at_ease.iter().all(|room| *room >= 64), "{at_ease:?}");
    // The notes of the trace take a place or two.
    let packed = room_after(FILLING);
    assert!(packed.iter().all(|room| *room < 64), "{packed:?}");
}

#[test]
fn a_packed_span_does_not_weigh_the_room_that_its_empty_lists_had() {
    let weight_of = |span| format!("{:?}", SdkSpan::pack(vec![SdkSpan(span)]).unwrap());
    // The first one of a library weighs what all of them share.
    let _first = weight_of(bare("first", 1, 1));
    assert_eq!(weight_of(with_room()), weight_of(with_ids(bare("with room", 1, 1), 0)));
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
        prop_assert_eq!(exported(&spans, FILLING), at_ease);
    }
}
