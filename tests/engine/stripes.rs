//! Threads that come and go, and traces that begin on one and end on another.

use std::sync::mpsc;
use std::thread;

use tailtrace::ledger::Reason;
use tailtrace::record::{KeepOutcome, RecordLimits};

use super::start;
use super::support::{PLENTY, exported, settled};

#[test]
fn the_traces_of_a_thousand_threads_that_have_ended_can_be_kept() {
    let (pipeline, _clock, memory) = start(RecordLimits::default());
    let ids: Vec<_> = (0..1_000)
        .map(|_| {
            let tracer = pipeline.tracer();
            let trace = thread::spawn(move || tracer.start_span("root").context().trace_id);
            trace.join().unwrap()
        })
        .collect();
    let stats = settled(&pipeline);
    assert_eq!((stats.live, stats.held), (0, 1_000));
    // One thread after the other used the memory of the first.
    assert!(pipeline.span_pool().misses() < 32, "{:?}", pipeline.span_pool());
    assert_eq!(pipeline.keep_all(&ids), vec![KeepOutcome::Exported; 1_000]);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory).len(), 1_000);
    assert_eq!(settled(&pipeline).held, 0);
}

#[test]
fn a_trace_that_another_thread_ends_gives_its_memory_to_the_thread_that_began_it() {
    let (pipeline, _clock, _memory) = start(RecordLimits::default());
    let (begun, to_end) = mpsc::sync_channel(8);
    let ending = thread::spawn(move || to_end.into_iter().for_each(drop));
    for _ in 0..10_000 {
        let root = pipeline.tracer().start_span("root");
        drop(root.child("child"));
        begun.send(root).unwrap();
    }
    drop(begun);
    ending.join().unwrap();
    // So many were under way at most.
    assert!(pipeline.span_pool().misses() < 32, "{:?}", pipeline.span_pool());
    assert_eq!(settled(&pipeline).live, 0);
}

#[test]
fn one_thread_may_use_the_memory_of_all() {
    let (pipeline, _clock, _memory) = start(RecordLimits::default());
    let tracer = pipeline.tracer();
    for _ in 0..10 {
        let all: Vec<_> = (0..1_000).map(|_| tracer.start_span("root")).collect();
        drop(all);
    }
    let pool = pipeline.span_pool();
    assert_eq!(pool.capacity(), 1_024);
    assert!(pool.misses() <= 1_050 && pool.available() <= 1_024, "{pool:?}");
}

#[test]
fn a_limit_below_1024_is_exact_whichever_threads_reach_it() {
    let limits = RecordLimits::default().with_live_traces(1_000);
    let (pipeline, _clock, _memory) = start(limits);
    let open = |count: usize| {
        let tracer = pipeline.tracer();
        let all = move || (0..count).map(|_| tracer.start_span("root")).collect::<Vec<_>>();
        thread::spawn(all)
    };
    let threads: Vec<_> = (0..8).map(|_| open(125)).collect();
    let spans: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(settled(&pipeline).live, 1_000);
    let one_more = open(1).join().unwrap();
    let stats = settled(&pipeline);
    assert_eq!((stats.live, stats.dropped_by(Reason::LiveTraces)), (1_000, 1));
    drop((spans, one_more));
    assert_eq!(settled(&pipeline).live, 0);
}

#[test]
fn a_large_limit_holds_for_all_threads_together_and_is_nearly_reached() {
    let limits = RecordLimits::default().with_live_traces(20_000);
    let (pipeline, _clock, _memory) = start(limits);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let tracer = pipeline.tracer();
            thread::spawn(move || (0..6_000).map(|_| tracer.start_span("root")).collect::<Vec<_>>())
        })
        .collect();
    let spans: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let live = settled(&pipeline).live;
    assert!((19_000..=20_000).contains(&live), "{live} live");
    drop(spans);
    assert_eq!(settled(&pipeline).live, 0);
}

#[test]
fn a_span_that_outlives_its_pipeline_ends_in_peace() {
    let (pipeline, _clock, _memory) = start(RecordLimits::default());
    let root = pipeline.tracer().start_span("root");
    let child = root.child("child");
    pipeline.shutdown(PLENTY).unwrap_err();
    drop(pipeline);
    thread::spawn(move || drop(root)).join().unwrap();
    child.set_tag("key", "value");
    drop(child);
}
