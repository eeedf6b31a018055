//! Programs that panic, and programs that may not go on.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::task::{Context, Waker};

use tailtrace::ledger::Reason;
use tailtrace::model::TagRef;
use tailtrace::{Errors, SpanRef, Status, TailSampler};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

use super::support::{PLENTY, exported, pipeline, settled};

#[test]
fn a_flush_of_what_is_open_sends_failed_traces_whole_and_marks_what_has_not_ended() {
    let (builder, _clock, memory) = pipeline();
    let pipeline = builder.with_tail(TailSampler::new().keep(Errors)).start().unwrap();
    let tracer = pipeline.tracer();
    let healthy = tracer.start_span("healthy");
    let request = tracer.start_span("request");
    request.child("charge").set_status(Status::error("declined"));
    let open = request.child("answer");
    pipeline.flush_open(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["request", "charge", "answer"]]);
    let is_unfinished = |span: &SpanRef<'_>| {
        span.tag("tailtrace.unfinished") == Some(TagRef::Bool(true)) && span.is_finished()
    };
    let trace = &memory.traces()[0];
    let unfinished = trace.spans().filter(is_unfinished).map(SpanRef::operation_name);
    assert_eq!(unfinished.collect::<Vec<_>>(), ["request", "answer"]);
    assert_eq!(settled(&pipeline).live, 1);
    // What is written later leads nowhere, and what starts later follows.
    open.set_tag("late", true);
    drop(open);
    drop(request.child("late"));
    drop(request);
    drop(healthy);
    pipeline.flush(PLENTY).unwrap();
    assert!(memory.traces().last().unwrap().is_late());
    let stats = settled(&pipeline);
    assert_eq!((stats.live, stats.exported, stats.held), (0, 4, 1));
}

/// What backends are told of the root of a trace that is sent while its root, or only a child, is open.
fn told_of_the_root(is_root_open: bool, decision_tags: bool) -> Vec<String> {
    let (builder, _clock, memory) = pipeline();
    let pipeline = builder.with_tail(Errors).with_decision_tags(decision_tags).start().unwrap();
    let request = pipeline.tracer().start_span("request");
    request.set_status(Status::error("declined"));
    let _child = request.child("answer");
    let root = is_root_open.then_some(request);
    pipeline.flush_open(PLENTY).unwrap();
    drop(root);
    let traces = memory.traces();
    let trace = &traces[0];
    assert!(trace.is_unfinished());
    let of_root = trace.root().unwrap();
    assert_eq!(of_root.operation_name(), "request");
    let tags = of_root.tags().filter(|(key, _)| key.starts_with("tailtrace."));
    let tags = tags.map(|(key, value)| format!("{key}={value}"));
    tags.chain(trace.notes().map(|(key, value)| format!("{key}={value}"))).collect::<Vec<_>>()
}

#[test]
fn the_root_of_a_trace_that_is_sent_unfinished_says_so_once_unless_the_program_wants_it_otherwise()
{
    let kept_by = "tailtrace.kept_by=flush_open";
    let unfinished = "tailtrace.unfinished=true";
    assert_eq!(told_of_the_root(true, true), [unfinished, kept_by]);
    assert_eq!(told_of_the_root(false, true), [kept_by, unfinished]);
    assert_eq!(told_of_the_root(true, false), [""; 0]);
    assert_eq!(told_of_the_root(false, false), [""; 0]);
}

#[test]
fn a_flush_of_all_that_is_open_sends_healthy_traces_too() {
    let (builder, _clock, memory) = pipeline();
    let pipeline = builder.with_tail(TailSampler::new().keep(Errors)).start().unwrap();
    let root = pipeline.tracer().start_span("healthy");
    let child = root.child("child");
    pipeline.flush_open_all(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["healthy", "child"]]);
    drop((child, root));
    let stats = settled(&pipeline);
    assert_eq!((stats.live, stats.dropped_by(Reason::Unfinished)), (0, 0));
    assert!(pipeline.shutdown(PLENTY).is_ok());
}

#[test]
fn a_flush_of_what_is_open_in_a_panic_hook_sends_the_spans_of_the_thread_that_panics() {
    let (builder, _clock, memory) = pipeline();
    let pipeline = builder.with_tail(TailSampler::new().keep(Errors)).start().unwrap();
    let (flushing, seen) = (pipeline.clone(), memory.clone());
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref() == Some(&"in a request") {
            flushing.flush_open(PLENTY).unwrap();
            assert_eq!(exported(&seen), [["request", "charge"]]);
        } else {
            before(panic);
        }
    }));
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    let panicked = tracing::subscriber::with_default(subscriber, || {
        let _healthy = tracing::info_span!("healthy");
        let request = tracing::info_span!("request").entered();
        let charge = tracing::info_span!("charge").entered();
        let panicked = catch_unwind(AssertUnwindSafe(|| panic!("in a request")));
        drop((charge, request));
        panicked
    });
    assert!(panicked.is_err());
    let trace = &memory.traces()[0];
    let is_marked = |span: SpanRef<'_>| span.tag("exception.type") == Some(TagRef::Str("panic"));
    assert!(trace.spans().all(is_marked));
    assert_eq!(settled(&pipeline).exported, 2);
}

#[test]
fn a_panic_passes_through_no_guard_of_another_task_whose_future_unwinding_drops() {
    let (builder, _clock, memory) = pipeline();
    let pipeline = builder.with_tail(Errors).start().unwrap();
    let tracer = pipeline.tracer();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    let _default = tracing::subscriber::set_default(subscriber);
    let other = tracer.start_span("another task");
    let mut other = Box::pin(
        async move {
            let _other = other;
            std::future::pending::<()>().await;
        }
        .instrument(tracing::info_span!("its span")),
    );
    assert!(other.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _request = tracer.start_span("request");
        let _other = other;
        std::panic::resume_unwind(Box::new("no words"));
    }));
    assert!(panicked.is_err());
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["request"]]);
}

#[test]
fn a_span_through_which_a_panic_passes_says_so() {
    let (builder, _clock, memory) = pipeline();
    let pipeline = builder.with_tail(Errors).start().unwrap();
    let tracer = pipeline.tracer();
    let other = tracer.start_span("other");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _request = tracer.start_span("request");
        std::panic::resume_unwind(Box::new("no words"));
    }));
    assert!(panicked.is_err());
    drop(other);
    pipeline.flush(PLENTY).unwrap();
    let traces = memory.traces();
    assert_eq!(traces.len(), 1);
    let root = traces[0].root().unwrap();
    assert_eq!(root.operation_name(), "request");
    assert_eq!(root.tag("exception.type"), Some(TagRef::Str("panic")));
}
