//! Baggage that the program sets, and baggage that stands on spans.

use std::collections::HashMap;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use super::support::{PATIENCE, keeping, trace_with};
use tailtrace::model::TagRef;
use tailtrace::{
    AlwaysOff, InMemoryExporter, Incoming, Pipeline, SamplingRequest, SamplingResult, SpanId,
    TraceContext, TraceId, TraceSpanExt, TraceView, Verdict,
};
use tracing::info_span;
use tracing_subscriber::prelude::*;

/// A subscriber with a layer of this pipeline, in use on this thread.
fn in_use(pipeline: &Pipeline) -> tracing::subscriber::DefaultGuard {
    tracing_subscriber::registry().with(pipeline.layer()).set_default()
}

#[test]
fn what_a_span_sets_goes_to_children_and_headers_recorded_or_not() {
    for builder in [keeping(), Pipeline::builder("off").with_sampler(AlwaysOff)] {
        let pipeline = builder.with_exporter(InMemoryExporter::new()).start().unwrap();
        let _default = in_use(&pipeline);
        let order = info_span!("order");
        let before = order.in_scope(|| info_span!("before"));
        order.set_baggage("tenant", "acme").unwrap();
        order.set_baggage("tier", "gold").unwrap();
        order.set_baggage("tenant", "umbrella").unwrap();
        let after = order.in_scope(|| info_span!("after"));
        assert_eq!(before.baggage().len(), 0);
        assert_eq!(after.baggage().get("tenant"), Some("umbrella"));
        let mut headers = HashMap::new();
        pipeline.tracer().inject_context(&after.context().unwrap(), &mut headers);
        assert_eq!(headers["baggage"], "tenant=umbrella,tier=gold");
        assert!(order.set_baggage("not a name", "x").is_err());
        assert_eq!(order.baggage().len(), 2);
    }
}

#[test]
fn threads_that_set_members_of_one_span_lose_none() {
    const THREADS: usize = 4;
    const MEMBERS: usize = 15;
    let pipeline = keeping().with_exporter(InMemoryExporter::new()).start().unwrap();
    let _default = in_use(&pipeline);
    for _ in 0..20 {
        let order = info_span!("order");
        let all_ready = Barrier::new(THREADS);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (order, all_ready) = (&order, &all_ready);
                scope.spawn(move || {
                    all_ready.wait();
                    for member in 0..MEMBERS {
                        order.set_baggage(&format!("m{thread}.{member}"), "x").unwrap();
                    }
                });
            }
        });
        assert_eq!(order.baggage().len(), THREADS * MEMBERS);
    }
}

#[test]
fn a_span_that_no_layer_knows_has_no_baggage_and_takes_none() {
    let span = info_span!("unknown");
    span.set_baggage("tenant", "acme").unwrap();
    assert!(span.baggage().is_empty());
}

fn caller(has_context: bool) -> Incoming {
    let context = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    let mut incoming = if has_context { Incoming::from(context) } else { Incoming::default() };
    incoming.baggage = incoming.baggage.with("tenant", "acme").unwrap();
    incoming
}

#[test]
fn chosen_members_are_tags_of_local_roots_that_head_and_tail_see() {
    for has_context in [true, false] {
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let note = |text: String, seen: &Mutex<Vec<String>>| seen.lock().unwrap().push(text);
        let (by_head, by_tail) = (Arc::clone(&seen), Arc::clone(&seen));
        let head = move |request: &SamplingRequest<'_>| {
            note(format!("head {}", request.tag("tenant").unwrap()), &by_head);
            SamplingResult::record()
        };
        let tail = move |trace: &TraceView<'_>| {
            let tag = trace.root().unwrap().tag("tenant").map(|tag| tag.to_string());
            note(format!("tail {}", tag.unwrap()), &by_tail);
            Verdict::keep()
        };
        let builder = Pipeline::builder("shop")
            .with_sampler(head)
            .with_tail(tail)
            .with_baggage_tags(["tenant"]);
        let outcome = trace_with(builder, Pipeline::layer, || {
            let order = info_span!("order");
            order.set_parent(caller(has_context)).unwrap();
            order.in_scope(|| drop(info_span!("query")));
        });
        assert_eq!(*seen.lock().unwrap(), ["head acme", "tail acme"], "{has_context}");
        assert_eq!(outcome.span("order").tag("tenant"), Some(TagRef::Str("acme")));
        assert_eq!(outcome.span("query").tag("tenant"), None);
    }
}

#[test]
fn chosen_members_are_tags_of_every_span_where_the_program_asks_for_it() {
    let builder = keeping().with_baggage_tags_on_every_span(["tenant", "missing"]);
    let outcome = trace_with(builder, Pipeline::layer, || {
        let order = info_span!("order");
        order.set_parent(caller(true)).unwrap();
        order.in_scope(|| drop(info_span!("query")));
    });
    for name in ["order", "query"] {
        assert_eq!(outcome.span(name).tag("tenant"), Some(TagRef::Str("acme")), "{name}");
        assert_eq!(outcome.span(name).tag("missing"), None, "{name}");
    }
}

#[test]
fn the_native_tracer_makes_the_same_tags() {
    let memory = InMemoryExporter::new();
    let pipeline =
        keeping().with_baggage_tags(["tenant"]).with_exporter(memory.clone()).start().unwrap();
    for has_context in [true, false] {
        drop(pipeline.tracer().start_span_with_context("order", caller(has_context)));
    }
    pipeline.shutdown(PATIENCE).unwrap();
    for span in memory.spans() {
        assert_eq!(span.tag("tenant").and_then(|tag| tag.as_str()), Some("acme"));
    }
    assert_eq!(memory.spans().len(), 2);
}
