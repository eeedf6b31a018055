//! What a request costs that finds a trace in the ring, or does not, and what it costs others meanwhile.
//!
//! ```sh
//! cargo bench -p tailtrace-benches --bench ring
//! ```
//!
//! The ring has 256 MiB of traces of one span, more than a million and a half.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tailtrace::record::RecordLimits;
use tailtrace::{Errors, InMemoryExporter, Pipeline, TailSampler, TraceId};

const MIB: usize = 1024 * 1024;

/// Traces that fill the ring.
const TRACES: usize = 1_700_000;

/// Requests that are timed.
const REQUESTS: usize = 20_000;

/// Spans whose end is timed.
const SPANS: usize = 400_000;

fn main() {
    let pipeline = pipeline(100_000);
    let ids: Vec<TraceId> = (0..TRACES).map(|_| end_one(&pipeline)).collect();
    let stats = pipeline.stats();
    println!("ring: {} MiB, {} spans", stats.ring_bytes / MIB as u64, stats.held);

    let unknown: Vec<TraceId> = (0..REQUESTS).map(|_| TraceId::new()).collect();
    let start = Instant::now();
    for id in &unknown {
        black_box(pipeline.keep(*id));
    }
    println!("a miss:              {:>8.2} us", per_request(start));
    let held: Vec<TraceId> = ids.iter().rev().step_by(40).take(REQUESTS).copied().collect();
    let start = Instant::now();
    for id in &held {
        black_box(pipeline.keep(*id));
    }
    println!("a keep:              {:>8.2} us", per_request(start));
    let held: Vec<TraceId> = ids.iter().rev().skip(7).step_by(40).take(REQUESTS).copied().collect();
    let start = Instant::now();
    black_box(pipeline.keep_all(&held));
    println!("one of many, kept:   {:>8.2} us", per_request(start));
    drop(pipeline);

    println!("the end of a span, alone:                 {}", ends(false));
    println!("beside requests and evictions:            {}", ends(true));
}

fn pipeline(live_traces: usize) -> Pipeline {
    let reach = Duration::from_secs(3_600);
    let limits =
        RecordLimits::default().with_live_traces(live_traces).with_ring_reach(reach, 256 * MIB);
    let builder = Pipeline::builder("bench").with_limits(limits);
    let builder = builder.with_tail(TailSampler::new().keep(Errors));
    builder.with_exporter(InMemoryExporter::new()).start().expect("the settings are right")
}

fn end_one(pipeline: &Pipeline) -> TraceId {
    let span = pipeline.tracer().start_span("root");
    span.context().remote().trace_id
}

fn per_request(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / REQUESTS as f64
}

/// The median and the slowest ends of spans, while another thread keeps traces and evicts if it is `disturbed`.
fn ends(disturbed: bool) -> String {
    let pipeline = pipeline(4_000);
    let is_over = AtomicBool::new(false);
    let mut times = thread::scope(|scope| {
        if disturbed {
            scope.spawn(|| disturb(&pipeline, &is_over));
        }
        let times: Vec<u64> = (0..SPANS)
            .map(|_| {
                let span = pipeline.tracer().start_span("root");
                let start = Instant::now();
                drop(span);
                start.elapsed().as_nanos() as u64
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        times
    });
    times.sort_unstable();
    let at = |share: f64| times[(SPANS as f64 * share) as usize] as f64 / 1e3;
    format!("median {:.2} us, p99 {:.2}, p99.9 {:.2}", at(0.5), at(0.99), at(0.999))
}

/// Opens more traces than there may be, and asks for many at once, until it is over.
fn disturb(pipeline: &Pipeline, is_over: &AtomicBool) {
    let tracer = pipeline.tracer();
    while !is_over.load(Ordering::Relaxed) {
        let open: Vec<_> = (0..5_000).map(|_| tracer.start_span("idle")).collect();
        let ids: Vec<TraceId> = open.iter().map(|span| span.context().trace_id).collect();
        drop(open);
        black_box(pipeline.keep_all(&ids));
    }
}
