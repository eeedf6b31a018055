//! Milliseconds that the end of a root takes which has a million children.
//!
//! ```sh
//! cargo bench -p tailtrace-benches --bench large_trace
//! ```
//!
//! The caller pays for the decision and for what becomes of the spans; what is left to background threads is not in
//! it. The limits are raised so that the trace is whole.

use std::time::{Duration, Instant};

use tailtrace::delivery::DeliveryConfig;
use tailtrace::model::Limits;
use tailtrace::record::RecordLimits;
use tailtrace::tail::RootNamed;
use tailtrace::{
    Errors, InMemoryExporter, Pipeline, SlowerThan, SpanId, Status, TailSampler, TraceContext,
    TraceId,
};

const CHILDREN: usize = 1_000_000;

/// How often each trace is made.
const TRACES: usize = 9;

/// A gigabyte: more than any of the traces takes.
const BYTES: u32 = 1 << 30;

fn main() {
    println!("{:<36} {:>10} {:>10}", "the end of a root", "median ms", "most ms");
    for (row, tags, fate) in [
        ("held in the ring, bare", 0, Fate::Held),
        ("dropped, bare", 0, Fate::Dropped),
        ("kept, bare", 0, Fate::Kept),
        ("held in the ring, three tags each", 3, Fate::Held),
        ("dropped, three tags each", 3, Fate::Dropped),
        ("kept, three tags each", 3, Fate::Kept),
    ] {
        let mut times: Vec<f64> = (0..TRACES).map(|_| end_of_root(tags, fate)).collect();
        times.sort_by(f64::total_cmp);
        println!("{row:<36} {:>10.3} {:>10.3}", times[TRACES / 2], times[TRACES - 1]);
    }
}

/// What becomes of the trace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The ring of recent drops has room for it.
    Held,
    /// The ring has no room for it, and its memory is given back.
    Dropped,
    Kept,
}

/// How long the last end of a trace takes that comes from another process.
fn end_of_root(tags: usize, fate: Fate) -> f64 {
    let ring = if fate == Fate::Held { BYTES as usize } else { 0 };
    let limits = RecordLimits::default()
        .with_spans_per_trace(2_000_000)
        .with_bytes_per_trace(BYTES)
        .with_live_bytes(BYTES as usize)
        .with_ring_bytes(ring)
        .with_span(Limits::default());
    let tail = TailSampler::new()
        .keep(Errors)
        .keep(SlowerThan(Duration::from_secs(3_600)))
        .keep(RootNamed::new("another"));
    let pipeline = Pipeline::builder("large")
        .with_tail(tail)
        .with_limits(limits)
        .with_delivery(DeliveryConfig::default().with_max_queued_bytes(BYTES as usize))
        .with_exporter(InMemoryExporter::new())
        .start()
        .expect("the limits are valid");
    let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    let root = pipeline.tracer().start_span_with_context("root", &caller);
    for number in 0..CHILDREN {
        let child = root.child("child");
        for key in ["shard", "attempt", "row"].iter().take(tags) {
            child.set_tag(*key, number as i64);
        }
    }
    if fate == Fate::Kept {
        root.set_status(Status::error("declined"));
    }
    let start = Instant::now();
    drop(root);
    start.elapsed().as_secs_f64() * 1e3
}
