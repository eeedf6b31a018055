//! What the native API promises.

#[path = "../support/mod.rs"]
mod support;

mod builder;
mod contexts;
mod errors;
mod failures;
mod headers;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use support::{PLENTY, exported, names, settled};
use tailtrace::ledger::Reason;
use tailtrace::model::TagRef;
use tailtrace::testing::tree;
use tailtrace::{
    AlwaysOff, AlwaysOn, InMemoryExporter, LogLevel, SpanId, SpanRef, TagValue, Trace,
    TraceContext, TraceId, Tracer,
};

/// A tracer that keeps everything, and what it exported.
fn tracer() -> (Tracer, InMemoryExporter) {
    let memory = InMemoryExporter::new();
    (Tracer::new("test", AlwaysOn, memory.clone()), memory)
}

/// The only trace that a tracer exported.
#[track_caller]
fn only(tracer: &Tracer, memory: &InMemoryExporter) -> Trace {
    tracer.flush(PLENTY).unwrap();
    let traces = memory.traces();
    assert_eq!(traces.len(), 1, "{traces:?}");
    traces[0].clone()
}

#[test]
fn a_span_ends_by_finish_or_by_drop() {
    let (builder, clock, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).start().unwrap();
    let tracer = pipeline.tracer();
    let finished = tracer.start_span("finished");
    clock.advance(Duration::from_secs(1));
    finished.finish();
    let dropped = tracer.start_span("dropped");
    clock.advance(Duration::from_secs(3));
    drop(dropped);
    pipeline.flush(PLENTY).unwrap();
    let lasted =
        |trace: &Trace| (trace.root().unwrap().operation_name().to_owned(), trace.duration());
    let lasted: Vec<_> = memory.traces().iter().map(lasted).collect();
    assert_eq!(
        lasted,
        [
            ("finished".to_owned(), Duration::from_secs(1)),
            ("dropped".to_owned(), Duration::from_secs(3))
        ]
    );
    assert_eq!(settled(&pipeline).exported, 2);
}

#[test]
fn a_guard_may_move_to_another_thread_and_end_there() {
    let (tracer, memory) = tracer();
    let root = tracer.start_span("root");
    let child = root.child("child");
    thread::spawn(move || {
        root.set_tag("moved", true);
        drop(root.child("grandchild"));
        drop(root);
    })
    .join()
    .unwrap();
    assert_eq!(tracer.stats().exported, 0, "the child is still open");
    drop(child);
    let trace = only(&tracer, &memory);
    assert_eq!(tree(&trace), "root moved=true\n├─ child\n└─ grandchild");
}

#[test]
fn children_on_many_threads_end_up_in_one_local_trace() {
    const THREADS: usize = 8;
    const EACH: usize = 50;
    let (tracer, memory) = tracer();
    let root = tracer.start_span("root");
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (root, tracer) = (&root, &tracer);
            scope.spawn(move || {
                let lane = root.child(format!("lane {number}"));
                for step in 0..EACH {
                    // By guard and by context alike.
                    let span = if step % 2 == 0 {
                        lane.child("step")
                    } else {
                        tracer.start_span_with_context("step", lane.context())
                    };
                    span.set_tag("step", step);
                    root.log(LogLevel::Debug, "said by many");
                }
            });
        }
    });
    drop(root);
    let trace = only(&tracer, &memory);
    assert_eq!(trace.span_count(), 1 + THREADS * (1 + EACH));
    let root = trace.root().unwrap();
    assert_eq!(root.logs().count(), 128);
    assert_eq!(root.dropped_logs() as usize, THREADS * EACH - 128);
    for number in 0..THREADS {
        let name = format!("lane {number}");
        let lane = trace.spans().find(|span| span.operation_name() == name).unwrap();
        assert_eq!(lane.parent_span_id(), Some(root.span_id()));
        let steps = trace.spans().filter(|span| span.parent_span_id() == Some(lane.span_id()));
        let steps: Vec<_> = steps.map(|span| span.tag("step").unwrap().to_value()).collect();
        let expected: Vec<_> = (0..EACH).map(TagValue::from).collect();
        assert_eq!(steps, expected, "each thread's steps in their order");
    }
}

#[test]
fn every_span_of_a_trace_has_an_id_of_its_own() {
    let (tracer, memory) = tracer();
    let root = tracer.start_span("root");
    for _ in 0..50 {
        let child = root.child("child");
        for _ in 0..50 {
            drop(child.child("grandchild"));
        }
    }
    drop(root);
    let trace = only(&tracer, &memory);
    let ids: std::collections::BTreeSet<_> = trace.spans().map(SpanRef::span_id).collect();
    assert_eq!((ids.len(), trace.span_count()), (2551, 2551));
}

#[test]
fn the_last_value_of_a_tag_and_the_last_name_count() {
    let (tracer, memory) = tracer();
    let span = tracer.start_span("GET");
    span.set_tag("status", 200);
    span.set_tag(String::from("status"), "two hundred");
    span.set_name("GET /orders/{id}");
    drop(span);
    let trace = only(&tracer, &memory);
    assert_eq!(tree(&trace), "GET /orders/{id} status=\"two hundred\"");
}

#[test]
fn a_log_entry_takes_fields_of_mixed_types() {
    let (tracer, memory) = tracer();
    let span = tracer.start_span("span");
    let owned = String::from("orders");
    span.log_with_fields(
        LogLevel::Warn,
        "mixed",
        [
            ("rows", TagValue::from(3)),
            ("table", TagValue::from(&owned)),
            ("share", TagValue::from(0.5)),
            ("raw", TagValue::from(vec![1_u8, 255])),
            ("big", TagValue::from(u64::MAX)),
            ("rows", TagValue::from(4)),
        ],
    );
    span.log_with_fields(LogLevel::Info, owned, [(String::from("owned key"), true)]);
    span.log(LogLevel::Debug, String::from("plain"));
    drop(span);
    let trace = only(&tracer, &memory);
    let logs: Vec<_> = trace.root().unwrap().logs().map(|log| log.to_entry()).collect();
    let said: Vec<_> = logs.iter().map(|log| (log.level, log.message.as_ref())).collect();
    assert_eq!(
        said,
        [(LogLevel::Warn, "mixed"), (LogLevel::Info, "orders"), (LogLevel::Debug, "plain")]
    );
    let fields: Vec<_> = logs[0].fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let big = u64::MAX.to_string();
    assert_eq!(fields, ["rows=4", "table=orders", "share=0.5", "raw=01ff", &format!("big={big}")]);
    assert_eq!(logs[1].fields, [("owned key".into(), TagValue::Bool(true))]);
}

#[test]
fn fields_may_be_computed_by_code_that_uses_the_same_span() {
    let (tracer, memory) = tracer();
    let span = tracer.start_span("span");
    let fields = (0..2).map(|number| {
        span.set_tag("asked", number);
        let child = span.child("child");
        (format!("field {number}"), child.context().span_id.to_hex())
    });
    span.log_with_fields(LogLevel::Info, "said", fields);
    drop(span);
    let trace = only(&tracer, &memory);
    let root = trace.root().unwrap();
    assert_eq!(root.logs().next().unwrap().fields().count(), 2);
    assert_eq!((trace.span_count(), root.tag("asked")), (3, Some(TagRef::I64(1))));
}

#[test]
fn hostile_names_and_values_are_kept_within_the_limits() {
    let (tracer, memory) = tracer();
    let huge = "🦀".repeat(1_000_000);
    let span = tracer.start_span(huge.clone());
    span.set_tag(huge.clone(), &huge);
    span.log_with_fields(LogLevel::Info, &huge, [(huge.clone(), &huge)]);
    span.set_tag("\0\u{202e}\n", "\0\u{202e}\n");
    drop(span);
    let trace = only(&tracer, &memory);
    let root = trace.root().unwrap();
    assert_eq!(root.operation_name().len(), 16 * 1024);
    assert_eq!(root.tag("\0\u{202e}\n"), Some(TagRef::Str("\0\u{202e}\n")));
    assert!(trace.bytes() < 200_000, "{}", trace.bytes());
    assert_eq!(tracer.stats().cut_values, 6);
}

#[test]
fn the_last_clone_of_a_tracer_shuts_its_pipeline_down() {
    let (tracer, memory) = tracer();
    let clone = tracer.clone();
    drop(tracer.start_span("one"));
    drop(tracer);
    drop(clone.start_span("two"));
    let span = clone.start_span("unfinished");
    drop(clone);
    assert_eq!(exported(&memory), [["one"], ["two"]]);
    drop(span);
    assert_eq!(memory.span_count(), 2);
}

#[test]
fn a_tracer_of_a_pipeline_does_not_keep_it_running_and_outlives_it() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.start().unwrap();
    let tracer = pipeline.tracer();
    let other = pipeline.clone();
    drop(pipeline);
    drop(tracer.start_span("kept"));
    drop(other);
    assert_eq!(exported(&memory), [["kept"]]);
    let late = tracer.start_span("late");
    assert!(!late.is_recording());
    drop(late.child("child"));
    drop(late);
    let stats = tracer.stats();
    assert_eq!(stats.dropped_by(Reason::ShutDown), 2);
    assert!(stats.balances(), "{stats}");
    assert_eq!(memory.span_count(), 1);
}

#[test]
fn after_a_shutdown_spans_are_counted_and_propagated_but_not_recorded() {
    let (tracer, memory) = tracer();
    let open = tracer.start_span("open");
    let report = tracer.shutdown(PLENTY).unwrap_err();
    assert_eq!(report.report().dropped_by(Reason::Unfinished), 1);
    let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    let late = tracer.start_span_with_context("late", &caller);
    assert!(!late.is_recording());
    assert_eq!(late.context().trace_id, caller.trace_id);
    late.set_tag("key", 1);
    late.set_error(&std::io::Error::other("late"));
    drop((late, open));
    tracer.shutdown(PLENTY).unwrap();
    let stats = tracer.stats();
    assert_eq!((stats.dropped_by(Reason::Unfinished), stats.dropped_by(Reason::ShutDown)), (1, 1));
    assert!(stats.balances(), "{stats}");
    assert!(memory.traces().is_empty());
}

#[test]
fn a_head_that_drops_costs_no_record_and_still_propagates() {
    let memory = InMemoryExporter::new();
    let tracer = Tracer::new("test", AlwaysOff, memory.clone());
    let root = tracer.start_span("root");
    let child = root.child("child");
    let joined = tracer.start_span_with_context("joined", child.context());
    for span in [&root, &child, &joined] {
        assert!(!span.is_recording());
        let context = span.context();
        assert_eq!(context.trace_id, root.context().trace_id);
        assert!(!context.is_sampled());
        assert!(context.trace_state.is_empty(), "no probability is promised");
        assert_eq!(span.context().span_id, context.span_id, "the id stays the same");
    }
    assert_ne!(root.context().span_id, child.context().span_id);
    drop((root, child, joined));
    let stats = tracer.stats();
    assert_eq!((stats.started, stats.sampled_out), (3, 3));
    tracer.flush(PLENTY).unwrap();
    assert!(memory.traces().is_empty());
}

#[test]
fn guards_and_tracers_can_be_shared_and_sent() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let (tracer, _) = tracer();
    let span = tracer.start_span("span");
    shared(&tracer);
    shared(&span);
    shared(&span.context());
    shared(&tracer.span_builder("builder"));
    assert!(!format!("{tracer:?} {span:?}").is_empty());
}

#[test]
fn a_span_that_a_thread_local_destructor_ends_is_exported() {
    thread_local! {
        static LAST: std::cell::RefCell<Option<tailtrace::SpanGuard>> = const { std::cell::RefCell::new(None) };
    }
    let (tracer, memory) = tracer();
    let (tell, told) = mpsc::channel();
    let starts = tracer.clone();
    thread::spawn(move || {
        LAST.set(Some(starts.start_span("last words")));
        tell.send(()).unwrap();
    })
    .join()
    .unwrap();
    told.recv().unwrap();
    assert_eq!(names(&only(&tracer, &memory)), ["last words"]);
}
