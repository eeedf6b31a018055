//! Threads that do everything to the same spans at the same time.

use crate::way;
use std::sync::Mutex;
use std::thread;

use super::support::{Run, tailed};
use tailtrace::{
    LogLevel, Pipeline, SamplingRequest, SamplingResult, SpanId, TraceContext, TraceId,
    TraceSpanExt,
};
use tracing::dispatcher::with_default;
use tracing::{Span, error, field, info, info_span};

const THREADS: u64 = 4;
const STEPS: u64 = 3_000;
/// So few that threads meet.
const SPANS: u64 = 6;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Every decision there is.
fn decides_by_trace(request: &SamplingRequest<'_>) -> SamplingResult {
    match request.trace_id.to_bits() % 3 {
        0 => SamplingResult::drop(),
        1 => SamplingResult::record(),
        _ => SamplingResult::sample(),
    }
}

/// Drops a span while no other thread drops one: where two threads drop handles of one span at once, the
/// registry of `tracing-subscriber` 0.3.23 now and then never forgets it, with or without a layer.
fn close(span: Span) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    drop(span);
}

fn open(parent: &Span, number: u64) -> Span {
    match number % 3 {
        0 => info_span!(parent: None, "root", a = number, otel.name = field::Empty),
        1 => info_span!(parent: parent, "child", a = number, otel.name = field::Empty),
        _ => info_span!("contextual", a = number, otel.name = field::Empty),
    }
}

fn step(spans: &[Mutex<Span>], numbers: &mut Numbers) {
    let at = numbers.below(SPANS) as usize;
    let span = spans[at].lock().unwrap().clone();
    let other = spans[numbers.below(SPANS) as usize].lock().unwrap().clone();
    match numbers.below(12) {
        0..=3 => {
            let opened = open(&other, numbers.below(1_000));
            let closed = std::mem::replace(&mut *spans[at].lock().unwrap(), opened);
            close(closed);
        }
        4 => span.in_scope(|| close(open(&other, numbers.below(1_000)))),
        5 => info!(parent: &span, "said"),
        6 => span.in_scope(|| error!("said")),
        7 => {
            span.record("a", numbers.below(1_000)).record("otel.name", "renamed");
        }
        8 => {
            span.follows_from(&other);
        }
        9 => {
            let _ = span.set_parent(TraceContext::new(TraceId::new(), SpanId::new()).remote());
        }
        10 => {
            if let Some(context) = other.context() {
                let _ = span.set_parent(context);
            }
        }
        _ => {
            span.set_tag("b", 1);
            span.log(LogLevel::Info, "said");
            assert_eq!(span.context().is_some(), !span.is_none());
        }
    }
    close(span);
    close(other);
}

#[test]
fn nothing_is_lost_or_left_when_threads_race_for_the_same_spans() {
    let builder = tailed().with_sampler(decides_by_trace);
    let run = Run::start(builder, |pipeline: &Pipeline| way::under(way::plain(pipeline)));
    let spans: Vec<_> = (0..SPANS).map(|_| Mutex::new(Span::none())).collect();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (spans, dispatch) = (&spans, &run.dispatch);
            scope.spawn(move || {
                let mut numbers = Numbers(thread);
                with_default(dispatch, || (0..STEPS).for_each(|_| step(spans, &mut numbers)));
            });
        }
    });
    with_default(&run.dispatch, || drop(spans));
    let outcome = run.end();
    assert!(outcome.stats.sampled_out > 0 && !outcome.traces.is_empty(), "{}", outcome.stats);
    assert_eq!(outcome.stats.lost(), 0, "{}", outcome.stats);
}
