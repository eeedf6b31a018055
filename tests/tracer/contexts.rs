//! Joining, leaving and inheriting.

use tailtrace::ledger::Reason;
use tailtrace::model::Baggage;
use tailtrace::record::KeepOutcome;
use tailtrace::testing::tree;
use tailtrace::{AlwaysOn, Pipeline, SpanId, SpanRef, TraceContext, TraceId};

use super::support::{self, PLENTY, by_name, exported, keep_errors, names, settled};
use super::{only, tracer};

fn baggage(name: &str, value: &str) -> Baggage {
    Baggage::new().with(name, value).unwrap()
}

#[test]
fn a_local_context_joins_the_local_trace() {
    let (tracer, memory) = tracer();
    let root = tracer.start_span("root");
    let context = root.context();
    assert!(context.is_sampled() && !context.is_remote);
    let child = tracer.start_span_with_context("child", &context);
    assert_eq!(child.context().parent_span_id, Some(context.span_id));
    drop(root);
    assert_eq!(tracer.stats().exported, 0);
    drop(child);
    let trace = only(&tracer, &memory);
    assert_eq!(tree(&trace), "root\n└─ child");
    assert!(trace.spans().all(|span| !span.is_parent_remote()));
}

#[test]
fn a_remote_context_starts_a_local_trace_of_its_own_under_the_caller() {
    let (tracer, memory) = tracer();
    let root = tracer.start_span("root");
    let caller = root.context().remote();
    drop(tracer.start_span_with_context("handler", &caller));
    tracer.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["handler"]], "it does not wait for the caller");
    let trace = memory.traces()[0].clone();
    assert_eq!(trace.trace_id(), caller.trace_id);
    let handler = trace.root().unwrap();
    assert_eq!(handler.parent_span_id(), Some(caller.span_id));
    assert!(handler.is_parent_remote());
}

#[test]
fn a_context_of_another_pipeline_starts_a_local_trace_of_its_own() {
    let (ours, our_memory) = tracer();
    let (theirs, their_memory) = tracer();
    let root = theirs.start_span("theirs");
    drop(ours.start_span_with_context("ours", root.context()));
    ours.flush(PLENTY).unwrap();
    assert_eq!(exported(&our_memory), [["ours"]]);
    assert_eq!(our_memory.traces()[0].trace_id(), root.context().trace_id);
    drop(root);
    theirs.flush(PLENTY).unwrap();
    assert_eq!(exported(&their_memory), [["theirs"]]);
}

#[test]
fn a_made_up_context_starts_a_local_trace_of_its_own() {
    let (tracer, memory) = tracer();
    let made_up = TraceContext::new(TraceId::new(), SpanId::new());
    drop(tracer.start_span_with_context("span", &made_up));
    let trace = only(&tracer, &memory);
    assert_eq!(trace.trace_id(), made_up.trace_id);
    assert_eq!(trace.root().unwrap().parent_span_id(), Some(made_up.span_id));
}

#[test]
fn an_unsampled_context_of_another_pipeline_is_decided_here() {
    let off =
        tailtrace::Tracer::new("off", tailtrace::AlwaysOff, tailtrace::InMemoryExporter::new());
    let unsampled = off.start_span("unsampled");
    let (tracer, memory) = tracer();
    drop(tracer.start_span_with_context("span", unsampled.context()));
    assert_eq!(only(&tracer, &memory).trace_id(), unsampled.context().trace_id);
    assert_eq!((off.stats().started, tracer.stats().sampled_out), (1, 0));
}

#[test]
fn what_joins_a_kept_trace_after_its_end_is_late() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).start().unwrap();
    let tracer = pipeline.tracer();
    let root = tracer.start_span("root");
    let context = root.context();
    root.finish();
    let late = tracer.start_span_with_context("late", &context);
    assert!(late.is_recording());
    drop(late.child("later"));
    drop(late);
    drop(tracer.start_span_with_context("latest", &context));
    pipeline.flush(PLENTY).unwrap();
    let traces = memory.traces();
    let shown: Vec<_> = traces.iter().map(|trace| (names(trace), trace.is_late())).collect();
    assert_eq!(
        shown,
        [(vec!["root"], false), (vec!["late", "later"], true), (vec!["latest"], true)]
    );
    assert!(traces.iter().all(|trace| trace.trace_id() == context.trace_id));
    assert_eq!(traces[1].root().unwrap().parent_span_id(), Some(context.span_id));
    assert_eq!(traces[1].kept_by(), traces[0].kept_by());
    let stats = settled(&pipeline);
    assert_eq!((stats.late, stats.traces_kept, stats.exported), (3, 1, 4));
}

#[test]
fn what_joins_a_dropped_trace_after_its_end_is_dropped_too() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let tracer = pipeline.tracer();
    let root = tracer.start_span("root");
    let context = root.context();
    drop(root);
    let late = tracer.start_span_with_context("late", &context);
    assert!(!late.is_recording());
    assert_eq!(late.context().trace_id, context.trace_id);
    late.set_error(&std::io::Error::other("too late"));
    drop(late.child("later"));
    drop(late);
    let stats = settled(&pipeline);
    assert_eq!((stats.held, stats.dropped_by(Reason::NotKept), stats.started), (1, 2, 3));
    pipeline.flush(PLENTY).unwrap();
    assert!(memory.traces().is_empty());
    assert_eq!(pipeline.keep(context.trace_id), KeepOutcome::Exported);
}

#[test]
fn baggage_reaches_children_however_they_are_started() {
    let (builder, ..) = support::pipeline();
    let pipeline = builder.with_sampler(by_name).with_tail(keep_errors).start().unwrap();
    let tracer = pipeline.tracer();
    let tenant = baggage("tenant", "acme");
    // Recorded, sampled and dropped spans inherit alike.
    for name in ["record", "sample", "drop"] {
        let root = tracer.span_builder(name).with_baggage(tenant.clone()).start();
        assert_eq!(root.baggage(), &tenant, "{name}");
        assert_eq!(root.context().baggage, tenant, "{name}");
        let child = root.child("child");
        let grandchild = child.child("grandchild");
        assert_eq!(grandchild.baggage(), &tenant, "{name}");
        let joined = tracer.start_span_with_context("joined", &grandchild);
        assert_eq!(joined.context().baggage, tenant, "{name}");
        let built = tracer.span_builder("built").with_parent_context(&joined).start();
        assert_eq!(built.baggage(), &tenant, "{name}");
    }
}

#[test]
fn a_spans_own_baggage_replaces_its_parents_and_goes_no_way_but_down() {
    let (tracer, _) = tracer();
    let root = tracer.span_builder("root").with_baggage(baggage("tenant", "acme")).start();
    let own = baggage("tenant", "other");
    let child = tracer
        .span_builder("child")
        .with_baggage(own.clone())
        .with_parent_context(root.context())
        .start();
    assert_eq!(child.child("grandchild").baggage(), &own);
    assert_eq!(root.child("sibling").baggage().get("tenant"), Some("acme"));
    let none = tracer
        .span_builder("none")
        .with_parent_context(root.context())
        .with_baggage(Baggage::new())
        .start();
    assert!(none.baggage().is_empty());
}

#[test]
fn the_sampler_sees_the_baggage_of_the_parent() {
    let (builder, _, memory) = support::pipeline();
    let sampler = |request: &tailtrace::SamplingRequest<'_>| {
        let priority = request.parent.and_then(|parent| parent.baggage.get("priority"));
        match priority {
            Some("high") => tailtrace::SamplingResult::sample(),
            _ => tailtrace::SamplingResult::drop(),
        }
    };
    let pipeline = builder.with_sampler(sampler).start().unwrap();
    let tracer = pipeline.tracer();
    let mut caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    drop(tracer.start_span_with_context("low", &caller));
    caller.baggage = baggage("priority", "high");
    drop(tracer.start_span_with_context("high", &caller));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["high"]]);
}

#[test]
fn a_trace_that_the_tail_decides_is_not_propagated_as_sampled() {
    let (builder, ..) = support::pipeline();
    let pipeline: Pipeline = builder.with_sampler(by_name).with_tail(keep_errors).start().unwrap();
    let tracer = pipeline.tracer();
    assert!(!tracer.start_span("record").context().is_sampled());
    assert!(!tracer.start_span("drop").context().is_sampled());
    assert!(tracer.start_span("sample").context().is_sampled());
}

#[test]
fn new_traces_promise_random_ids_and_foreign_ones_keep_their_promise() {
    let (tracer, _) = tracer();
    assert!(tracer.start_span("new").context().flags.is_random());
    let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    let handler = tracer.start_span_with_context("handler", &caller);
    assert!(!handler.context().flags.is_random());
}

#[test]
fn spans_of_one_trace_id_in_two_local_traces_are_exported_apart() {
    let (tracer, memory) = tracer();
    let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    let one = tracer.start_span_with_context("one", &caller);
    let two = tracer.start_span_with_context("two", &caller);
    drop(one.child("child"));
    drop(one);
    tracer.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["one", "child"]]);
    drop(two);
    tracer.flush(PLENTY).unwrap();
    assert_eq!(memory.traces().len(), 2);
    let ids: Vec<_> = memory
        .traces()
        .iter()
        .flat_map(|t| t.spans().map(SpanRef::span_id).collect::<Vec<_>>())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[2]);
}
