//! Nanoseconds to set one more tag of a span that has many, and one beyond the limit.
//!
//! ```sh
//! cargo bench -p tailtrace-benches --bench tags
//! ```
//!
//! Each number is the median over many spans of the mean over the tags around the one that is named: ten around the
//! 10th, a hundred else. Keys are static, as nearly all are; the values are numbers. The limit is raised to 20,000
//! tags, but for the last row, whose span has the default limit. Spans are dropped at once, so that each finds a
//! buffer that has been used before.

use std::hint::black_box;
use std::time::Instant;

use tailtrace::model::Limits;
use tailtrace::record::RecordLimits;
use tailtrace::{Errors, InMemoryExporter, Pipeline, SpanGuard};

/// How many spans each number is the median of.
const SPANS: usize = 201;

fn main() {
    let keys: Vec<&'static str> =
        (0..10_100).map(|number| &*format!("order.item.{number}").leak()).collect();
    let raised = Limits::default().with_tags(20_000);
    let tenth = median(raised, &keys, 5, 10);
    println!("{:<24} {:>8} {:>8}", "tag", "ns", "ratio");
    let print = |row: &str, time: f64| println!("{row:<24} {time:>8.1} {:>8.2}", time / tenth);
    print("the 10th", tenth);
    for position in [100, 1_000, 10_000] {
        print(&format!("the {position}th"), median(raised, &keys, position - 50, 100));
    }
    print("beyond the limit", median(Limits::default(), &keys, 200, 100));
}

/// The time that one of `measured` tags takes after those `before` them.
fn median(limits: Limits, keys: &[&'static str], before: usize, measured: usize) -> f64 {
    let limits = RecordLimits::default().with_ring_bytes(0).with_span(limits);
    let pipeline = Pipeline::builder("tags")
        .with_tail(Errors)
        .with_limits(limits)
        .with_exporter(InMemoryExporter::new())
        .start()
        .expect("the limits are valid");
    let tracer = pipeline.tracer();
    let (first, rest) = keys.split_at(before);
    let mut times: Vec<f64> = (0..SPANS)
        .map(|_| {
            let span = tracer.start_span("order");
            set_all(&span, first);
            let start = Instant::now();
            set_all(&span, &rest[..measured]);
            start.elapsed().as_secs_f64() * 1e9 / measured as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[SPANS / 2]
}

fn set_all(span: &SpanGuard, keys: &[&'static str]) {
    for key in black_box(keys) {
        span.set_tag(*key, 7);
    }
}
