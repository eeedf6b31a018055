//! The rows: a workload, under a library.

use std::hint::black_box;
use std::sync::Arc;

use fastrace::prelude::SpanContext;
use tailtrace::pipeline::PipelineBuilder;

use crate::Job;
use crate::setups::{collector, pipeline, sdk, subscriber};
use crate::shapes::requests::{self, runtime, serve};
use crate::shapes::rich::Request;
use crate::shapes::turns::{self, LateTurns, Says, Turns};
use crate::shapes::{flat, rich};

/// Requests that tasks of tokio serve at the same time.
const REQUESTS: usize = 10_000;

/// Spans until pools and the ring of the default size are full.
const WARM_UP: usize = 600_000;

/// One workload under one library.
pub struct Row {
    /// Workload and library, such as `flat-10-bare layer`.
    pub name: String,
    /// Spans that one call of the job makes.
    pub spans: usize,
    /// Spans until the steady state.
    pub warm_up: usize,
    /// Whether it uses threads of its own, so that the process is measured and not the caller.
    pub own_threads: bool,
    start: Box<dyn Fn() -> Job>,
}

impl Row {
    fn new(name: String, spans: usize, start: impl Fn() -> Job + 'static) -> Self {
        Self { name, spans, warm_up: WARM_UP, own_threads: false, start: Box::new(start) }
    }

    fn with_own_threads(mut self) -> Self {
        self.own_threads = true;
        self
    }

    fn warming_up(mut self, spans: usize) -> Self {
        self.warm_up = spans.max(WARM_UP);
        self
    }

    /// Sets the library up.
    pub fn start(&self) -> Job {
        (self.start)()
    }
}

/// The loop that threads share nothing of.
pub const CONTROL: &str = "control loop";

/// The row of this name.
pub fn find(name: &str) -> Option<Row> {
    all().into_iter().find(|row| row.name == name)
}

/// Every row.
pub fn all() -> Vec<Row> {
    let mut rows = vec![Row::new(CONTROL.to_owned(), 1, control)];
    for spans in [1, 10, 100] {
        rows.extend(bare(spans));
        rows.extend(rich(spans));
    }
    for live in [10, 1_000, 10_000] {
        for is_rich in [false, true] {
            rows.extend(open(live, is_rich));
        }
    }
    for mib in [0, 1, 8, 64] {
        for live in [10, 1_000] {
            for is_rich in [false, true] {
                rows.extend(ring(mib, live, is_rich));
            }
        }
    }
    rows.extend(tokio());
    rows
}

/// Work that threads share nothing of: what a second thread costs on this machine by itself.
fn control() -> Job {
    Job::new(|| {
        let mut mixed = black_box(1_u64);
        for _ in 0..400 {
            mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
        }
        black_box(mixed);
    })
}

fn bare(spans: usize) -> Vec<Row> {
    let row = |library: &str, start: fn(usize) -> Job| {
        Row::new(format!("flat-{spans}-bare {library}"), spans, move || start(spans))
    };
    vec![
        row("native", |spans| pipeline::dropped(move |t| flat::tailtrace(t, spans))),
        row("layer", |spans| subscriber::dropped(move || flat::tracing(spans))),
        row("subscriber", |spans| subscriber::own_dropped(move || flat::tracing(spans))),
        row("layer-off", |spans| subscriber::sampled_out(move || flat::tracing(spans))),
        row("otel-layer", |spans| subscriber::opentelemetry_batched(move || flat::tracing(spans))),
        row("otel-leanest", |spans| subscriber::opentelemetry_lean(move || flat::tracing(spans))),
        row("sdk", |spans| sdk::ended(move |t| flat::opentelemetry(t, spans))),
        row("fastrace", |spans| collector::reported(move |c| flat::fastrace(c, spans))),
        row("empty-layer", |spans| subscriber::empty(move || flat::tracing(spans))),
    ]
}

fn rich(spans: usize) -> Vec<Row> {
    let row = |library: &str, start: fn(usize, Request) -> Job| {
        let name = format!("flat-{spans}-rich {library}");
        Row::new(name, spans, move || start(spans, Request::default()))
    };
    vec![
        row("native", |spans, request| {
            pipeline::dropped(move |t| rich::tailtrace(t, black_box(&request), spans))
        }),
        row("layer", |spans, request| {
            subscriber::dropped(move || rich::tracing(black_box(&request), spans))
        }),
        row("subscriber", |spans, request| {
            subscriber::own_dropped(move || rich::tracing(black_box(&request), spans))
        }),
        row("otel-layer", |spans, request| {
            subscriber::opentelemetry_batched(move || rich::tracing(black_box(&request), spans))
        }),
        row("otel-leanest", |spans, request| {
            subscriber::opentelemetry_lean(move || rich::tracing(black_box(&request), spans))
        }),
        row("sdk", |spans, request| {
            sdk::ended(move |t| rich::opentelemetry(t, black_box(&request), spans))
        }),
        row("fastrace", |spans, request| {
            collector::reported(move |c| rich::fastrace(c, black_box(&request), spans))
        }),
        row("empty-layer", |spans, request| {
            subscriber::empty(move || rich::tracing(black_box(&request), spans))
        }),
    ]
}

/// What the spans of a row say about themselves, for as long as the process lives.
fn says(is_rich: bool) -> &'static Says {
    Box::leak(Box::new(is_rich.then(Request::default)))
}

const fn word(is_rich: bool) -> &'static str {
    if is_rich { "rich" } else { "bare" }
}

fn open(live: usize, is_rich: bool) -> Vec<Row> {
    let row = |library: &str, start: fn(usize, &'static Says) -> Job| {
        let name = format!("open-{live}-{} {library}", word(is_rich));
        Row::new(name, live, move || start(live, says(is_rich)))
    };
    vec![
        row("native", |live, says| native_turns(pipeline::builder(), live, says)),
        row("layer", |live, says| layer_turns(pipeline::builder(), live, says)),
        row("subscriber", |live, says| {
            let turns = LateTurns::default();
            subscriber::own_dropped(move || turns.turn(live, || turns::tracing(says)))
        }),
        row("otel-layer", |live, says| {
            let turns = LateTurns::default();
            subscriber::opentelemetry_batched(move || turns.turn(live, || turns::tracing(says)))
        }),
        row("otel-leanest", |live, says| {
            let turns = LateTurns::default();
            subscriber::opentelemetry_lean(move || turns.turn(live, || turns::tracing(says)))
        }),
        row("sdk", |live, says| {
            let turns = LateTurns::default();
            sdk::ended(move |t| turns.turn(live, || turns::opentelemetry(t, says)))
        }),
        row("fastrace", |live, says| {
            collector::start();
            let open = move || turns::fastrace(SpanContext::random(), says);
            let turns = Turns::new(live, open);
            Job::new(move || turns.turn(open)).settling(10_000, ::fastrace::flush)
        }),
        row("empty-layer", |live, says| {
            let turns = LateTurns::default();
            subscriber::empty(move || turns.turn(live, || turns::tracing(says)))
        }),
    ]
}

fn ring(mib: usize, live: usize, is_rich: bool) -> Vec<Row> {
    // Less than a span takes in it, so that it has come round.
    let bytes_per_span = if is_rich { 128 } else { 32 };
    let row = |library: &str, start: fn(usize, usize, &'static Says) -> Job| {
        let name = format!("ring-{mib}-{live}-{} {library}", word(is_rich));
        Row::new(name, live, move || start(mib << 20, live, says(is_rich)))
            .warming_up((mib << 20) / bytes_per_span)
    };
    vec![
        row("native", |ring, live, says| native_turns(pipeline::with_ring(ring), live, says)),
        row("layer", |ring, live, says| layer_turns(pipeline::with_ring(ring), live, says)),
    ]
}

fn native_turns(builder: PipelineBuilder, live: usize, says: &'static Says) -> Job {
    let turns = LateTurns::default();
    pipeline::dropped_by(builder, move |t| turns.turn(live, || turns::tailtrace(t, says)))
}

fn layer_turns(builder: PipelineBuilder, live: usize, says: &'static Says) -> Job {
    let turns = LateTurns::default();
    subscriber::dropped_by(builder, move || turns.turn(live, || turns::tracing(says)))
}

fn tokio() -> Vec<Row> {
    let spans = REQUESTS * requests::SPANS;
    let row = |library: &str, start: fn() -> Job| {
        Row::new(format!("tokio-{REQUESTS} {library}"), spans, start).with_own_threads()
    };
    vec![
        row("native", || {
            let runtime = Arc::new(runtime());
            pipeline::dropped(move |tracer| {
                serve(&runtime, REQUESTS, || requests::tailtrace(tracer.clone()));
            })
        }),
        row("layer", || {
            let runtime = runtime();
            subscriber::dropped(move || serve(&runtime, REQUESTS, requests::tracing))
        }),
        row("subscriber", || {
            let runtime = runtime();
            subscriber::own_dropped(move || serve(&runtime, REQUESTS, requests::tracing))
        }),
        row("otel-layer", || {
            let runtime = runtime();
            subscriber::opentelemetry_batched(move || serve(&runtime, REQUESTS, requests::tracing))
        }),
        row("otel-leanest", || {
            let runtime = runtime();
            subscriber::opentelemetry_lean(move || serve(&runtime, REQUESTS, requests::tracing))
        }),
        row("sdk", || {
            let runtime = Arc::new(runtime());
            sdk::ended(move |tracer| {
                serve(&runtime, REQUESTS, || requests::opentelemetry(tracer.clone()));
            })
        }),
        row("empty-layer", || {
            let runtime = runtime();
            subscriber::empty(move || serve(&runtime, REQUESTS, requests::tracing))
        }),
        row("fastrace", || {
            collector::start();
            let runtime = runtime();
            Job::new(move || serve(&runtime, REQUESTS, requests::fastrace))
                .settling(10_000, ::fastrace::flush)
        }),
    ]
}
