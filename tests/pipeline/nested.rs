//! Code of the application that runs inside the pipeline and comes back into it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use tailtrace::export::{Batch, Batching, ExportError};
use tailtrace::ledger::Reason;
use tailtrace::model::{Limits, TagRef};
use tailtrace::record::RecordLimits;
use tailtrace::{
    AlwaysOn, Exporter, LogLevel, Pipeline, SamplingRequest, SamplingResult, TraceContext,
    TraceView, Tracer, Verdict,
};

use crate::support::{self, Export, PLENTY, exported, settled};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs `inside` once deeper; gives up at a depth that no bounded nesting reaches.
fn deeper(deepest: &AtomicU32, inside: impl FnOnce()) {
    let depth = DEPTH.get() + 1;
    deepest.fetch_max(depth, Ordering::Relaxed);
    if depth < 50 {
        DEPTH.set(depth);
        inside();
        DEPTH.set(depth - 1);
    }
}

/// A pipeline whose sampler or policy traces into the pipeline itself; how deep it went.
fn depth_of(sampler_traces: bool) -> u32 {
    let (builder, ..) = support::pipeline();
    let deepest = Arc::new(AtomicU32::new(0));
    let own: Arc<OnceLock<Tracer>> = Arc::default();
    let ask = {
        let (deepest, own) = (Arc::clone(&deepest), Arc::clone(&own));
        move || {
            if let Some(tracer) = own.get() {
                deeper(&deepest, || drop(tracer.start_span("inside")));
            }
        }
    };
    let also = ask.clone();
    let pipeline = builder
        .with_sampler(move |_: &SamplingRequest<'_>| {
            if sampler_traces {
                ask();
            }
            SamplingResult::record()
        })
        .with_tail(move |_: &TraceView<'_>| {
            if !sampler_traces {
                also();
            }
            Verdict::pass()
        })
        .start()
        .unwrap();
    assert!(own.set(pipeline.tracer()).is_ok());
    drop(pipeline.tracer().start_span("root"));
    settled(&pipeline);
    deepest.load(Ordering::Relaxed)
}

#[test]
fn a_sampler_that_traces_into_its_own_pipeline_does_not_recurse_without_bound() {
    let depth = depth_of(true);
    assert!(depth < 10, "{depth} deep, and on");
}

#[test]
fn a_policy_that_traces_into_its_own_pipeline_does_not_recurse_without_bound() {
    let depth = depth_of(false);
    assert!(depth < 10, "{depth} deep, and on");
}

#[test]
fn an_exporter_that_joins_a_trace_of_the_application_does_not_feed_itself() {
    let own: Arc<OnceLock<(Tracer, TraceContext)>> = Arc::default();
    let inside = Arc::clone(&own);
    let joined = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&joined);
    let joins = Export(move |_: Batch| {
        if let Some((tracer, context)) = inside.get()
            && count.fetch_add(1, Ordering::Relaxed) < 20
        {
            drop(tracer.start_span_with_context("inside the exporter", context));
        }
        Ok(())
    });
    let pipeline =
        Pipeline::builder("test").with_sampler(AlwaysOn).with_exporter(joins).start().unwrap();
    let root = pipeline.tracer().start_span("root");
    assert!(own.set((pipeline.tracer(), root.context())).is_ok());
    drop(root);
    for _ in 0..30 {
        pipeline.flush(PLENTY).unwrap();
    }
    let stats = settled(&pipeline);
    assert_eq!((joined.load(Ordering::Relaxed), stats.exported), (1, 1));
    assert_eq!(stats.dropped_by(Reason::OwnWork), 1);
}

/// Traces where its runtime does what would block, as resolvers of names do.
struct TracesWhereItBlocks(Arc<OnceLock<(Tracer, TraceContext)>>);

#[async_trait]
impl Exporter for TracesWhereItBlocks {
    async fn export(&self, _: Batch) -> Result<(), ExportError> {
        let own = Arc::clone(&self.0);
        let blocking = tokio::task::spawn_blocking(move || {
            let Some((tracer, context)) = own.get() else { return };
            let span = tracer.start_span("look_up");
            assert!(!span.is_recording());
            drop(span.child("child"));
            drop(tracer.start_span_with_context("joined", context));
        });
        blocking.await.map_err(|error| ExportError::permanent(error.to_string()))
    }

    fn batching(&self) -> Batching {
        Batching::immediate()
    }
}

#[test]
fn an_exporter_that_traces_where_its_runtime_blocks_does_not_feed_itself() {
    let own: Arc<OnceLock<(Tracer, TraceContext)>> = Arc::default();
    let exporter = TracesWhereItBlocks(Arc::clone(&own));
    let pipeline =
        Pipeline::builder("test").with_sampler(AlwaysOn).with_exporter(exporter).start().unwrap();
    let root = pipeline.tracer().start_span("root");
    assert!(own.set((pipeline.tracer(), root.context())).is_ok());
    drop(root);
    for _ in 0..3 {
        pipeline.flush(PLENTY).unwrap();
    }
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.exported), (4, 1));
    assert_eq!(stats.dropped_by(Reason::OwnWork), 3);
}

/// A pipeline that a sampler or a policy shuts down when it is asked.
fn shut_down_when_asked(by_sampler: bool) -> Pipeline {
    let (builder, ..) = support::pipeline();
    let own: Arc<OnceLock<Tracer>> = Arc::default();
    let (one, two) = (Arc::clone(&own), Arc::clone(&own));
    let close = |own: &OnceLock<Tracer>| {
        if let Some(tracer) = own.get() {
            // What was open then is told there.
            let _ = tracer.shutdown(PLENTY);
        }
    };
    let pipeline = builder
        .with_sampler(move |_: &SamplingRequest<'_>| {
            if by_sampler {
                close(&one);
            }
            SamplingResult::record()
        })
        .with_tail(move |_: &TraceView<'_>| {
            close(&two);
            Verdict::pass()
        })
        .start()
        .unwrap();
    assert!(own.set(pipeline.tracer()).is_ok());
    pipeline
}

#[test]
fn a_trace_that_is_being_decided_during_a_shutdown_is_not_held_after_it() {
    let pipeline = shut_down_when_asked(false);
    drop(pipeline.tracer().start_span("root"));
    let stats = settled(&pipeline);
    assert_eq!((stats.held, stats.dropped_by(Reason::NotKept)), (0, 1));
}

#[test]
fn a_trace_whose_head_is_asked_during_a_shutdown_is_not_live_after_it() {
    let pipeline = shut_down_when_asked(true);
    let root = pipeline.tracer().start_span("root");
    let stats = settled(&pipeline);
    assert_eq!(stats.live, 0);
    assert!(!root.is_recording());
}

#[test]
fn what_joins_a_kept_trace_after_a_shutdown_is_counted_and_not_recorded() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).start().unwrap();
    let tracer = pipeline.tracer();
    let root = tracer.start_span("root");
    let context = root.context();
    root.finish();
    pipeline.shutdown(PLENTY).unwrap();
    let joined = tracer.start_span_with_context("joined", &context);
    let child = joined.child("child");
    assert!(!joined.is_recording() && !child.is_recording());
    drop((joined, child));
    let stats = settled(&pipeline);
    assert_eq!((stats.dropped_by(Reason::ShutDown), stats.failed()), (2, 0));
    assert_eq!(exported(&memory), [["root"]]);
}

#[test]
fn fields_stay_with_their_entry_while_their_trace_is_decided() {
    let (builder, clock, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).start().unwrap();
    let root = pipeline.tracer().start_span("root");
    root.log(LogLevel::Info, "of the root");
    let (one, two) = (root.child("one"), root.child("two"));
    one.log(LogLevel::Info, "of one");
    drop(root);
    // Computing the field takes longer than the trace lingers for stragglers.
    let fields = (0..1).map(|_| {
        clock.advance(Duration::from_secs(20));
        pipeline.flush(PLENTY).unwrap();
        two.log(LogLevel::Info, "of two");
        ("whose", "one's")
    });
    one.log_with_fields(LogLevel::Info, "with a field", fields);
    drop((one, two));
    pipeline.flush(PLENTY).unwrap();
    let late = memory.traces()[1].clone();
    let said: Vec<_> = late
        .spans()
        .flat_map(|span| span.logs())
        .map(|log| (log.message(), log.fields().collect::<Vec<_>>()))
        .collect();
    let field = vec![("whose", TagRef::Str("one's"))];
    assert_eq!(said, [("of one", vec![]), ("with a field", field), ("of two", vec![])]);
}

#[test]
fn fields_do_not_go_to_the_entry_that_took_the_place_of_theirs() {
    let (builder, _, memory) = support::pipeline();
    let span = Limits::default().with_logs(1);
    let limits = RecordLimits::default().with_span(span);
    let pipeline = builder.with_sampler(AlwaysOn).with_limits(limits).start().unwrap();
    let root = pipeline.tracer().start_span("root");
    let fields = (0..1).map(|_| {
        root.log(LogLevel::Error, "an error");
        ("whose", "the other's")
    });
    root.log_with_fields(LogLevel::Info, "replaced", fields);
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    let trace = memory.traces()[0].clone();
    let log = trace.root().unwrap().logs().next().unwrap();
    assert_eq!((log.message(), log.fields().count()), ("an error", 0));
}

#[test]
fn a_trace_under_its_limit_of_bytes_loses_nothing_because_its_buffer_held_arrays_before() {
    let (builder, _, memory) = support::pipeline();
    let limits = RecordLimits::default().with_bytes_per_trace(8_000).with_ring_bytes(0);
    let pipeline = builder.with_limits(limits).with_sampler(AlwaysOn).start().unwrap();
    let tracer = pipeline.tracer();
    for _ in 0..1_000 {
        tracer.start_span("root").set_tag("ids", vec![7_i64; 100]);
    }
    pipeline.flush(PLENTY).unwrap();
    let stats = settled(&pipeline);
    assert_eq!((stats.exported, stats.dropped_by(Reason::BytesPerTrace)), (1_000, 0));
    let tags: usize = memory.traces().iter().map(|t| t.root().unwrap().tags().count()).sum();
    assert_eq!(tags, 1_000);
}

#[test]
fn a_copy_of_a_span_holds_all_that_the_pipelines_limits_let_in() {
    let (builder, _, memory) = support::pipeline();
    let span = Limits::default().with_tags(300).with_value_bytes(100_000);
    let limits = RecordLimits::default().with_span(span);
    let pipeline = builder.with_sampler(AlwaysOn).with_limits(limits).start().unwrap();
    let root = pipeline.tracer().start_span("root");
    root.set_tag("body", "x".repeat(50_000));
    for number in 0..200 {
        root.set_tag(format!("key {number}"), number);
    }
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    let copy = memory.spans().remove(0);
    assert_eq!(copy.as_ref().unwrap().tags().count(), 201);
    assert_eq!(copy.tag("body").and_then(TagRef::as_str).map(str::len), Some(50_000));
}

#[test]
fn the_text_of_an_error_that_was_cut_is_counted() {
    let (builder, ..) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).start().unwrap();
    let huge = std::io::Error::other("x".repeat(1_000_000));
    pipeline.tracer().start_span("root").set_error(&huge);
    pipeline.flush(PLENTY).unwrap();
    assert!(pipeline.stats().cut_values > 0);
}

#[test]
fn a_trace_that_lingers_near_its_limit_of_bytes_loses_no_span() {
    for bytes_per_trace in (3_000..8_000).step_by(50) {
        let (builder, clock, _) = support::pipeline();
        let limits = RecordLimits::default().with_bytes_per_trace(bytes_per_trace);
        let pipeline = builder.with_sampler(AlwaysOn).with_limits(limits).start().unwrap();
        let root = pipeline.tracer().start_span("root");
        let children: Vec<_> = (0..31).map(|_| root.child("child")).collect();
        let straggler = root.child("straggler");
        root.set_tag("first", "x".repeat(1_000));
        root.set_tag("second", "x".repeat(600));
        drop((children, root));
        clock.advance(Duration::from_secs(20));
        // Decides on what has ended and leaves the straggler.
        pipeline.flush(PLENTY).unwrap();
        settled(&pipeline);
        drop(straggler);
        pipeline.flush(PLENTY).unwrap();
        assert_eq!(settled(&pipeline).live, 0, "at {bytes_per_trace} bytes");
    }
}
