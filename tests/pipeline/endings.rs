//! Flush, shutdown, drop and panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::{Batch, Batching, ExportError};
use tailtrace::ledger::Reason;
use tailtrace::model::Resource;
use tailtrace::pipeline::{FlushError, ShutdownError, StartError};
use tailtrace::time::ManualClock;
use tailtrace::{AlwaysOn, Errors, InMemoryExporter, Pipeline, Status, TraceView, Verdict};

use crate::support::{self, Export, PLENTY, exported, keep_errors, settled};

/// Sends nothing before it is asked to, because the clock stands still.
fn patient() -> DeliveryConfig {
    DeliveryConfig::default().with_batching(Batching::default())
}

#[test]
fn a_pipeline_without_an_exporter_does_not_start() {
    let refused = Pipeline::builder("test").start().unwrap_err();
    assert!(matches!(refused, StartError::NoExporter));
    assert!(refused.to_string().contains("with_exporter"), "{refused}");
}

#[test]
fn a_flush_exports_what_was_kept_and_says_how_much() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).with_delivery(patient()).start().unwrap();
    let tracer = pipeline.tracer();
    assert_eq!(pipeline.flush(PLENTY).unwrap().sent, 0);
    let root = tracer.start_span("root");
    drop(root.child("child"));
    drop(root);
    let open = tracer.start_span("open");
    assert_eq!(settled(&pipeline).queued, 2);
    let report = pipeline.flush(PLENTY).unwrap();
    assert_eq!((report.sent, report.left, report.dropped()), (2, 0, 0));
    assert_eq!(exported(&memory), [["root", "child"]]);
    let stats = settled(&pipeline);
    assert_eq!((stats.exported, stats.queued, stats.live), (2, 0, 1));
    drop(open);
    assert_eq!(pipeline.flush(PLENTY).unwrap().sent, 1);
}

#[test]
fn a_shutdown_decides_on_what_has_ended_and_counts_the_rest() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(Errors).with_delivery(patient()).start().unwrap();
    let tracer = pipeline.tracer();
    let root = tracer.start_span("open");
    root.child("failed").set_status(Status::error("failed"));
    let hopeless = tracer.start_span("open, nothing ended");
    // A trace that is dropped on what has ended takes what is open with it.
    let dropped = tracer.start_span("open, not kept");
    drop(dropped.child("fine"));
    drop(tracer.start_span("held"));
    let lost = pipeline.shutdown(PLENTY).unwrap_err();
    assert!(matches!(lost, ShutdownError::Lost { .. }), "{lost}");
    let report = lost.report();
    assert_eq!((report.sent, report.dropped_by(Reason::Unfinished)), (1, 2));
    assert_eq!(exported(&memory), [["failed"]]);
    let stats = settled(&pipeline);
    assert_eq!((stats.live, stats.held, stats.queued), (0, 0, 0));
    assert_eq!((stats.exported, stats.dropped_by(Reason::NotKept)), (1, 3), "{stats}");
    // The guards that end now find nothing to end.
    drop((root, hopeless, dropped));
    assert_eq!(pipeline.stats(), stats);
}

#[test]
fn a_second_shutdown_and_a_late_flush_have_nothing_to_do() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).start().unwrap();
    drop(pipeline.tracer().start_span("span"));
    pipeline.shutdown(PLENTY).unwrap();
    let again = pipeline.shutdown(PLENTY).unwrap();
    assert_eq!((again.sent, again.left, again.dropped()), (0, 0, 0));
    assert_eq!(pipeline.flush(PLENTY).unwrap().sent, 0);
    drop(pipeline.tracer().start_span("late"));
    assert_eq!(settled(&pipeline).dropped_by(Reason::ShutDown), 1);
    assert_eq!(exported(&memory), [["span"]]);
}

#[test]
fn dropping_the_last_handle_exports_what_was_kept() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).with_delivery(patient()).start().unwrap();
    let clone = pipeline.clone();
    drop(pipeline.tracer().start_span("span"));
    drop(pipeline);
    assert!(memory.traces().is_empty(), "a handle is left");
    drop(clone);
    assert_eq!(exported(&memory), [["span"]]);
}

#[test]
fn a_panic_that_unwinds_through_the_pipeline_loses_nothing() {
    let memory = InMemoryExporter::new();
    let theirs = memory.clone();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let pipeline = Pipeline::builder("test")
            .with_tail(keep_errors)
            .with_exporter(theirs)
            .with_delivery(patient())
            .start()
            .unwrap();
        let tracer = pipeline.tracer();
        let root = tracer.start_span("root");
        let child = root.child("child");
        child.set_error(&std::io::Error::other("failed"));
        panic!("the application's bug");
    }));
    assert!(panicked.is_err());
    assert_eq!(exported(&memory), [["root", "child"]]);
}

#[test]
fn a_deadline_is_kept_and_what_is_left_is_told() {
    let (enter, entered) = mpsc::channel();
    let (leave, left) = mpsc::channel::<()>();
    let left = Mutex::new(left);
    let arrived = Arc::new(Mutex::new(0));
    let count = Arc::clone(&arrived);
    let hangs = Export(move |batch: Batch| {
        let _ = enter.send(());
        // Until the test lets go of the other end.
        let _ = left.lock().unwrap().recv();
        *count.lock().unwrap() += batch.len();
        Ok(())
    });
    let pipeline =
        Pipeline::builder("test").with_sampler(AlwaysOn).with_exporter(hangs).start().unwrap();
    drop(pipeline.tracer().start_span("sending"));
    entered.recv().unwrap();
    drop(pipeline.tracer().start_span("waiting"));
    let slow = pipeline.flush(Duration::from_millis(1)).unwrap_err();
    assert!(matches!(slow, FlushError::TimedOut { .. }), "{slow}");
    assert_eq!((slow.report().left, slow.report().dropped()), (2, 0));
    assert_eq!(settled(&pipeline).queued, 2, "what is left stays queued");
    let late = pipeline.shutdown(Duration::from_millis(1)).unwrap_err();
    assert!(matches!(late, ShutdownError::TimedOut { .. }), "{late}");
    assert_eq!(late.report().dropped_by(Reason::ShutdownDeadline), 2);
    let stats = settled(&pipeline);
    assert_eq!((stats.queued, stats.dropped_by(Reason::ShutdownDeadline)), (0, 2));
    drop(leave);
}

#[test]
fn the_time_that_is_told_is_the_time_that_was_asked_for() {
    let (clock, never) = (ManualClock::new(), Duration::from_secs(1));
    let down =
        |batch: Batch| Err(ExportError::retryable("connection refused", batch).after(PLENTY));
    // Deciding takes nearly all of the time.
    let spend = clock.clone();
    let slow = move |_: &TraceView<'_>| {
        spend.advance(never - Duration::from_millis(1));
        Verdict::keep()
    };
    let pipeline = Pipeline::builder("test")
        .with_clock(clock.clock())
        .with_tail(slow)
        .with_exporter(Export(down))
        .start()
        .unwrap();
    let open = pipeline.tracer().start_span("open");
    drop(open.child("ended"));
    let late = pipeline.shutdown(never).unwrap_err();
    assert!(matches!(late, ShutdownError::TimedOut { limit, .. } if limit == never), "{late:?}");
    assert!(late.to_string().contains("within 1s"), "{late}");
}

#[test]
fn of_several_exporters_each_gets_every_trace() {
    let (builder, _, memory) = support::pipeline();
    let second = InMemoryExporter::new();
    let pipeline = builder
        .with_exporter(second.clone())
        .with_sampler(AlwaysOn)
        .with_delivery(patient())
        .start()
        .unwrap();
    drop(pipeline.tracer().start_span("span"));
    let report = pipeline.shutdown(PLENTY).unwrap();
    assert_eq!(report.sent, 2, "once for each exporter");
    assert_eq!(settled(&pipeline).exported, 1, "the ledger counts it once");
    assert_eq!(
        (exported(&memory), exported(&second)),
        (vec![vec!["span".to_owned()]], vec![vec!["span".to_owned()]])
    );
}

#[test]
fn the_resource_describes_every_exported_trace() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder
        .with_sampler(AlwaysOn)
        .with_resource_tag("deployment.environment.name", "staging")
        .start()
        .unwrap();
    drop(pipeline.tracer().start_span("span"));
    pipeline.flush(PLENTY).unwrap();
    let trace = memory.traces()[0].clone();
    assert_eq!(trace.resource().service_name(), "test");
    let environment = trace.resource().get("deployment.environment.name");
    assert_eq!(environment, Some(&"staging".into()));
}

#[test]
fn the_library_names_itself_and_what_the_program_says_goes_before_a_resource_that_is_added() {
    let (builder, _, memory) = support::pipeline();
    let found =
        Resource::new("found").with_tag("host.name", "found").with_tag("host.arch", "amd64");
    let pipeline = builder
        .with_sampler(AlwaysOn)
        .with_resource_tag("host.name", "mine")
        .with_resource(found)
        .with_resource_tag("telemetry.sdk.version", "mine")
        .start()
        .unwrap();
    drop(pipeline.tracer().start_span("span"));
    pipeline.flush(PLENTY).unwrap();
    let trace = memory.traces()[0].clone();
    assert_eq!(trace.resource().service_name(), "test");
    for (key, value) in [
        ("host.name", "mine"),
        ("host.arch", "amd64"),
        ("telemetry.sdk.name", "tailtrace"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", "mine"),
    ] {
        assert_eq!(trace.resource().get(key), Some(&value.into()), "{key}");
    }
}

#[test]
fn the_ledger_prints_as_a_table_that_balances() {
    let (builder, ..) = support::pipeline();
    let pipeline = builder.with_sampler(support::by_name).with_tail(keep_errors).start().unwrap();
    let tracer = pipeline.tracer();
    drop(tracer.start_span("drop"));
    drop(tracer.start_span("sample"));
    drop(tracer.start_span("record"));
    pipeline.flush(PLENTY).unwrap();
    let table = settled(&pipeline).to_string();
    for (row, count) in
        [("started", 3), ("sampled out at the head", 1), ("exported", 1), ("held", 1), ("live", 0)]
    {
        let found = table.lines().find(|line| line.trim_start().starts_with(row)).unwrap();
        assert!(found.ends_with(&format!(" {count}")), "{found}");
    }
    assert!(table.contains("every span is accounted for"));
}

#[test]
fn of_two_shutdowns_at_once_neither_loses_what_the_other_is_deciding() {
    let (asked, is_asked) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let gate = Mutex::new(Some(may_go));
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder
        .with_tail(move |_: &TraceView<'_>| {
            // Only the first trace waits, in the middle of the first shutdown.
            if let Some(may_go) = gate.lock().unwrap().take() {
                asked.send(()).unwrap();
                may_go.recv().unwrap();
            }
            Verdict::keep()
        })
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    let roots: Vec<_> = (0..20).map(|_| tracer.start_span("root")).collect();
    roots.iter().for_each(|root| drop(root.child("ended")));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| pipeline.shutdown(PLENTY));
        is_asked.recv().unwrap();
        let second = scope.spawn(|| pipeline.shutdown(PLENTY));
        go.send(()).unwrap();
        // The roots had not ended: the first says so, and the second had nothing to lose.
        assert!(first.join().unwrap().is_err());
        assert!(second.join().unwrap().is_ok());
    });
    assert_eq!(memory.span_count(), 20);
    let stats = pipeline.stats();
    assert_eq!((stats.dropped_by(Reason::Unfinished), stats.failed()), (20, 0));
}

#[test]
fn the_queue_is_as_old_as_the_trace_that_has_waited_longest() {
    let (builder, clock, _memory) = support::pipeline();
    let pipeline = builder.with_delivery(patient()).with_sampler(AlwaysOn).start().unwrap();
    assert_eq!(pipeline.stats().oldest_queued, Duration::ZERO);
    drop(pipeline.tracer().start_span("one"));
    clock.advance(Duration::from_millis(100));
    drop(pipeline.tracer().start_span("two"));
    assert_eq!(pipeline.stats().oldest_queued, Duration::from_millis(100));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(pipeline.stats().oldest_queued, Duration::ZERO);
}
