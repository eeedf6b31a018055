//! Heap bytes per open span, what becomes of too many of them under the default limits, and what a burst of kept traces
//! takes that no exporter takes off.
//!
//! Bytes are what the allocator was asked for, the guards that the program holds included. A line that
//! begins with `falls short:` is for `benches/instructions.sh --check`.

mod burst;

use std::error::Error;
use std::time::Duration;

use fastrace::Span;
use fastrace::prelude::SpanContext;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tailtrace::otel::TailSpanProcessor;
use tailtrace::record::RecordLimits;
use tailtrace::{Pipeline, SpanGuard, TraceView, Tracer, Verdict};
use tailtrace_benches::heap::{self, Peaking};
use tailtrace_benches::setups::{collector, pipeline, sdk};

#[global_allocator]
static HEAP: Peaking = Peaking;

/// Open spans.
const SPANS: usize = 1_000_000;

/// The most bytes of ours for one of them.
const REACH: u64 = 300;

/// What it takes at most where it is known to fall short of that: what parts and counted baggage need of each trace stands
/// in each trace, one of a single span too.
const REACH_AS_KNOWN: u64 = 320;

/// The most bytes that our tail is to add to one of the SDK's, by the sizes of traces.
const ADDED: [u64; 2] = [60, 250];

/// The most bytes that an evicted trace keeps while the program holds a guard of it: no limit counts them.
const EVICTED_AS_KNOWN: u64 = 150;

/// How many spans a trace has.
const SIZES: [usize; 2] = [100, 1];

fn main() -> Result<(), Box<dyn Error>> {
    println!("heap bytes per open span, one million open, guards included");
    println!("{:<16} {:>22} {:>22}", "library", "10,000 traces of 100", "1,000,000 traces of 1");
    let ours = SIZES.map(|size| per_span(|| open(size)));
    row("tailtrace", ours);
    let sdk = SIZES.map(|size| per_span(|| open_in_sdk(size, nothing())));
    row("opentelemetry", sdk);
    let under_our_tail = SIZES.map(|size| per_span(|| open_in_sdk(size, our_tail())));
    let added = [0, 1].map(|at| under_our_tail[at].saturating_sub(sdk[at]));
    row("  our tail's part", added);
    row(
        "fastrace",
        SIZES.map(|size| {
            let bytes = per_span(|| open_in_fastrace(size));
            // Its collector still has the spans that have just ended.
            fastrace::flush();
            bytes
        }),
    );
    for (size, bytes) in SIZES.into_iter().zip(ours) {
        let judged = if bytes > REACH_AS_KNOWN { "falls short" } else { "known to fall short" };
        if bytes > REACH {
            println!(
                "{judged}: memory: {bytes} bytes per open span in traces of {size}, wanted <= {REACH}"
            );
        }
    }
    for at in [0, 1] {
        if added[at] > ADDED[at] {
            println!(
                "falls short: memory: our tail adds {} bytes to an open span of the SDK in traces of {}, wanted <= {}",
                added[at], SIZES[at], ADDED[at]
            );
        }
    }
    for size in SIZES {
        println!();
        within_the_default_limits(size)?;
    }
    println!();
    burst::table();
    Ok(())
}

fn row(library: &str, [of_100, single]: [u64; 2]) {
    println!("{library:<16} {of_100:>22} {single:>22}");
}

/// What the heap has grown by for each of the spans that `open` leaves open.
fn per_span<T>(open: impl FnOnce() -> T) -> u64 {
    let before = heap::bytes();
    let opened = open();
    let bytes = heap::bytes() - before;
    drop(opened);
    bytes / SPANS as u64
}

fn open(size: usize) -> (Vec<SpanGuard>, Pipeline) {
    let limits = RecordLimits::default().with_live_traces(SPANS).with_live_bytes(usize::MAX);
    let pipeline = start(limits);
    (guards(&pipeline.tracer(), size, |_| ()), pipeline)
}

fn start(limits: RecordLimits) -> Pipeline {
    pipeline::builder()
        .with_limits(limits)
        .with_tail(|_: &TraceView<'_>| Verdict::pass())
        .start()
        .expect("this machine starts threads")
}

/// Open spans in traces of `size`. Children come first, so that they end before their root.
fn guards(tracer: &Tracer, size: usize, describe: impl Fn(&SpanGuard)) -> Vec<SpanGuard> {
    let mut guards = Vec::with_capacity(SPANS);
    for _ in 0..SPANS / size {
        let root = tracer.start_span("root");
        describe(&root);
        for _ in 1..size {
            let child = root.child("step");
            describe(&child);
            guards.push(child);
        }
        guards.push(root);
    }
    guards
}

/// A provider whose spans are not looked at.
fn nothing() -> SdkTracerProvider {
    SdkTracerProvider::builder().with_span_processor(sdk::Nowhere).build()
}

/// A provider whose spans are recorded for a tail of ours.
fn our_tail() -> SdkTracerProvider {
    let limits = RecordLimits::default().with_live_traces(SPANS).with_live_bytes(usize::MAX);
    let processor = TailSpanProcessor::new(&start(limits));
    SdkTracerProvider::builder().with_span_processor(processor).build()
}

fn open_in_sdk(
    size: usize,
    provider: SdkTracerProvider,
) -> (Vec<opentelemetry_sdk::trace::Span>, Vec<Context>, SdkTracerProvider) {
    let tracer = provider.tracer("benches");
    let mut roots = Vec::with_capacity(SPANS / size);
    let mut children = Vec::with_capacity(SPANS - roots.capacity());
    for _ in 0..SPANS / size {
        let root = tracer.start_with_context("root", &Context::new());
        let root = Context::new().with_span(root);
        for _ in 1..size {
            children.push(tracer.start_with_context("step", &root));
        }
        roots.push(root);
    }
    (children, roots, provider)
}

fn open_in_fastrace(size: usize) -> Vec<Span> {
    collector::start();
    let mut spans = Vec::with_capacity(SPANS);
    for _ in 0..SPANS / size {
        let root = Span::root("root", SpanContext::random());
        for _ in 1..size {
            spans.push(Span::enter_with_parent("step", &root));
        }
        spans.push(root);
    }
    fastrace::flush();
    spans
}

/// The same spans, with tags, under limits that do not allow so many.
fn within_the_default_limits(size: usize) -> Result<(), Box<dyn Error>> {
    let limits = RecordLimits::default();
    let before = heap::bytes();
    let pipeline = start(limits);
    let guards = guards(&pipeline.tracer(), size, |span| {
        span.set_tag("http.route", "/orders/{id}");
        span.set_tag("order.id", 4711);
    });
    let held = size_of_val(guards.as_slice()) as u64;
    let bytes = heap::bytes() - before - held;
    let most = (limits.live_bytes + limits.ring_bytes) as u64;
    println!(
        "default limits, one million open spans with two tags in traces of {size}: \
         {} MiB of at most {} MiB",
        bytes >> 20,
        most >> 20,
    );
    println!("{}", pipeline.stats());
    if bytes > most {
        // A trace that was evicted keeps itself, without its spans, as long as the program holds a guard of it.
        let known = most + (SPANS / size) as u64 * EVICTED_AS_KNOWN;
        let verdict = if bytes > known { "falls short" } else { "known to fall short" };
        println!("{verdict}: memory: {bytes} bytes under limits of {most} in traces of {size}");
    }
    drop(guards);
    // Loss is what this is about; how much is in the table.
    let _lost = pipeline.shutdown(Duration::from_secs(60));
    if !pipeline.stats().balances() {
        println!("falls short: memory: the ledger does not balance in traces of {size}");
    }
    Ok(())
}
