//! Random programs on real threads, through the public API, checked when they have come to rest.

#[path = "../support/mod.rs"]
mod support;

mod program;
mod ring;
mod stripes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use tailtrace::ledger::Reason;
use tailtrace::record::RecordLimits;
use tailtrace::{InMemoryExporter, Pipeline, SpanId, SpanRef, Trace};

use program::{Program, Roots, Run, programs, run};
use support::{PLENTY, by_name, keep_errors};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn start(limits: RecordLimits) -> (Pipeline, tailtrace::time::ManualClock, InMemoryExporter) {
    let (builder, clock, memory) = support::pipeline();
    let builder = builder.with_sampler(by_name).with_tail(keep_errors).with_limits(limits);
    (builder.start().unwrap(), clock, memory)
}

/// By how much the threads advance the clock in all, when they do so by `advance` after `every` so many steps.
///
/// The part of a flush that decides what lingers is measured by the pipeline's clock, which the other threads
/// advance meanwhile: a flush that is to be in time however they take turns is allowed this much more.
fn total_advance(programs: &[Program], every: usize, advance: Duration) -> Duration {
    let steps: usize = programs.iter().map(Vec::len).sum();
    advance * u32::try_from(steps / every).unwrap()
}

/// What an exported span must say, by its name.
fn exported_spans(memory: &InMemoryExporter) -> Vec<(Trace, BTreeMap<String, SpanId>)> {
    let by_name = |trace: &Trace| {
        trace.spans().map(|span| (span.operation_name().to_owned(), span.span_id())).collect()
    };
    memory.traces().into_iter().map(|trace| (trace.clone(), by_name(&trace))).collect()
}

/// Every exported span stands once, under its own parent, with its own tags, logs and status.
fn check_spans(memory: &InMemoryExporter, ran: &Run) -> Result<BTreeSet<String>, TestCaseError> {
    let mut seen = BTreeSet::new();
    for (trace, _) in exported_spans(memory) {
        for span in trace.spans() {
            let name = span.operation_name();
            prop_assert!(seen.insert(name.to_owned()), "{} was exported twice", name);
            let told = &ran.spans[name];
            prop_assert_eq!(span.span_id(), told.id);
            prop_assert_eq!(span.parent_span_id(), told.parent, "the parent of {}", name);
            prop_assert_eq!(trace.trace_id(), told.trace, "the trace of {}", name);
            prop_assert!(span.is_finished());
            prop_assert_eq!(span.is_error(), told.failed, "the status of {}", name);
            let tags: Vec<_> =
                span.tags().map(|(key, value)| (key.to_owned(), value.to_value())).collect();
            prop_assert_eq!(tags, told.tags.clone(), "the tags of {}", name);
            let logs: Vec<_> = span.logs().map(|log| log.message().to_owned()).collect();
            prop_assert_eq!(logs, told.logs.clone(), "the logs of {}", name);
        }
    }
    Ok(seen)
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn without_limits_exactly_the_traces_with_errors_are_exported_whole(
        programs in programs(4),
    ) {
        let (pipeline, _clock, memory) = start(RecordLimits::default());
        let ran = run(&pipeline.tracer(), &programs, Roots::Last, |_| {});
        pipeline.flush(PLENTY).unwrap();
        let seen = check_spans(&memory, &ran)?;
        // A naive model: local traces by their root, kept if sampled or if any span failed in time.
        let expected: BTreeSet<String> = ran
            .spans
            .iter()
            .filter(|(_, span)| ran.is_kept(&span.root))
            .map(|(name, _)| name.clone())
            .collect();
        prop_assert_eq!(&seen, &expected);
        for (trace, spans) in exported_spans(&memory) {
            let roots: BTreeSet<_> = spans.keys().map(|name| &ran.spans[name].root).collect();
            prop_assert_eq!(roots.len(), 1, "one local trace");
            prop_assert!(trace.root().map(SpanRef::operation_name).is_some());
        }
        let stats = pipeline.stats();
        prop_assert!(stats.balances(), "{}", stats);
        let sampled_out = ran.spans.values().filter(|span| span.root.starts_with("drop")).count();
        prop_assert_eq!(stats.started, ran.spans.len() as u64);
        prop_assert_eq!(stats.sampled_out, sampled_out as u64);
        prop_assert_eq!(stats.exported, expected.len() as u64);
        prop_assert_eq!((stats.live, stats.queued, stats.panics), (0, 0, 0));
        prop_assert_eq!(
            stats.held + stats.dropped_by(Reason::NotKept),
            (ran.spans.len() - sampled_out - expected.len()) as u64
        );
        prop_assert_eq!(stats.lost(), 0);
    }

    #[test]
    fn under_any_limits_every_span_is_accounted_for_and_none_comes_twice(
        programs in programs(4),
        live_traces in 1..6_usize,
        spans_per_trace in 1..8_u32,
        live_bytes in prop_oneof![Just(usize::MAX), 500..20_000_usize],
        bytes_per_trace in prop_oneof![Just(u32::MAX), 100..4_000_u32],
        ring_bytes in prop_oneof![Just(0), 0..4_000_usize],
        pool_buffers in 0..4_usize,
    ) {
        let limits = RecordLimits::default().with_live_traces(live_traces).with_spans_per_trace(spans_per_trace).with_live_bytes(live_bytes).with_bytes_per_trace(bytes_per_trace).with_ring_bytes(ring_bytes).with_pool_buffers(pool_buffers);
        let (pipeline, _clock, memory) = start(limits);
        let ran = run(&pipeline.tracer(), &programs, Roots::Anytime, |_| {});
        pipeline.flush(PLENTY).unwrap();
        check_conservation(&pipeline, &memory, &ran)?;
        let most = spans_per_trace + (spans_per_trace / 8).max(1);
        prop_assert!(memory.traces().iter().all(|trace| trace.span_count() <= most as usize));
        pipeline.shutdown(PLENTY).unwrap();
        let stats = pipeline.stats();
        prop_assert!(stats.balances() && stats.held == 0, "{}", stats);
    }

    #[test]
    fn time_that_passes_meanwhile_loses_nothing(programs in programs(3)) {
        let (pipeline, clock, memory) = start(RecordLimits::default());
        let watch = pipeline.clone();
        let every = 3;
        let advance = Duration::from_secs(6);
        let timeout = PLENTY + total_advance(&programs, every, advance);
        let ran = run(&pipeline.tracer(), &programs, Roots::Anytime, |step| {
            if step % every == 0 {
                clock.advance(advance);
                // Decides what lingers, on this thread, while the others go on.
                watch.flush(timeout).unwrap();
            }
        });
        pipeline.flush(PLENTY).unwrap();
        check_conservation(&pipeline, &memory, &ran)?;
        prop_assert_eq!(pipeline.stats().lost(), 0);
        for trace in memory.traces() {
            prop_assert!(trace.spans().all(SpanRef::is_finished));
        }
    }

    #[test]
    fn traces_that_linger_at_their_limit_of_bytes_are_accounted_for(
        programs in programs(2),
        bytes_per_trace in 300..4_000_u32,
    ) {
        let limits = RecordLimits::default().with_bytes_per_trace(bytes_per_trace);
        let (pipeline, clock, memory) = start(limits);
        let watch = pipeline.clone();
        let every = 5;
        let advance = Duration::from_secs(11);
        let timeout = PLENTY + total_advance(&programs, every, advance);
        let ran = run(&pipeline.tracer(), &programs, Roots::Anytime, |step| {
            if step % every == 0 {
                clock.advance(advance);
                watch.flush(timeout).unwrap();
            }
        });
        pipeline.flush(PLENTY).unwrap();
        check_conservation(&pipeline, &memory, &ran)?;
    }

    #[test]
    fn a_shutdown_in_the_middle_accounts_for_everything(
        programs in programs(3),
        at in 0..40_usize,
    ) {
        let (pipeline, _clock, memory) = start(RecordLimits::default());
        let closing = pipeline.clone();
        let ran = run(&pipeline.tracer(), &programs, Roots::Anytime, |step| {
            if step == at {
                // What is open now is lost, and the answer says so.
                let _ = closing.shutdown(PLENTY);
            }
        });
        let _ = pipeline.shutdown(PLENTY);
        let stats = pipeline.stats();
        prop_assert!(stats.balances(), "{}", stats);
        prop_assert_eq!(stats.started, ran.spans.len() as u64);
        prop_assert_eq!((stats.live, stats.held, stats.queued), (0, 0, 0));
        prop_assert_eq!(stats.exported, memory.span_count() as u64);
    }
}

/// The equation, and that the exporter has what the account says it has.
fn check_conservation(
    pipeline: &Pipeline,
    memory: &InMemoryExporter,
    ran: &Run,
) -> Result<(), TestCaseError> {
    let stats = pipeline.stats();
    prop_assert!(stats.balances(), "{}", stats);
    prop_assert_eq!(stats.started, ran.spans.len() as u64);
    prop_assert_eq!((stats.live, stats.queued, stats.panics), (0, 0, 0));
    prop_assert_eq!(stats.exported, memory.span_count() as u64);
    let dropped: u64 = Reason::ALL.into_iter().map(|reason| stats.dropped_by(reason)).sum();
    prop_assert_eq!(stats.sampled_out + dropped + stats.exported + stats.held, stats.started);
    let mut seen = BTreeSet::new();
    for (trace, _) in exported_spans(memory) {
        for span in trace.spans() {
            prop_assert!(seen.insert(span.span_id()), "{} twice", span.operation_name());
            let told = &ran.spans[span.operation_name()];
            prop_assert_eq!((span.span_id(), trace.trace_id()), (told.id, told.trace));
            prop_assert_eq!(span.parent_span_id(), told.parent);
        }
    }
    Ok(())
}

#[test]
fn many_threads_at_full_speed_lose_nothing() {
    const THREADS: u64 = 8;
    const TRACES: u64 = 300;
    let (pipeline, _clock, memory) = start(RecordLimits::default());
    let tracer = pipeline.tracer();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for number in 0..TRACES {
                    let root = tracer.start_span("root");
                    let child = root.child("child");
                    if number % 10 == 0 {
                        child.set_error(&std::io::Error::other("failed"));
                    }
                    drop(root);
                    drop(child.child("grandchild"));
                }
            });
        }
    });
    pipeline.flush(PLENTY).unwrap();
    let stats = support::settled(&pipeline);
    assert_eq!((stats.started, stats.live, stats.lost()), (THREADS * TRACES * 3, 0, 0));
    assert_eq!(stats.exported, THREADS * TRACES * 3 / 10);
    let traces = memory.traces();
    assert!(traces.iter().all(|trace| trace.span_count() == 3 && trace.has_errors()));
}
