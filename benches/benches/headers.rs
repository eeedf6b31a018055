//! Microseconds to read one header of 8 KiB that was made to cost time, in each format.
//!
//! ```sh
//! cargo bench -p tailtrace-benches --bench headers
//! ```
//!
//! Each number is the median over many readings of one request, which carries a valid parent and one header that is filled
//! with a text again and again. The slowest comes last. The goal is 20 µs for any of them.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use tailtrace::Incoming;
use tailtrace::propagation::{
    B3Propagator, BaggagePropagator, JaegerPropagator, Propagator, TraceContextPropagator,
};

/// How many readings each number is the median of.
const READINGS: usize = 501;

/// The most microseconds that a header may take.
const GOAL: f64 = 20.0;

const LEN: usize = 8 * 1024;

/// What a header is filled with.
const UNITS: [&str; 28] = [
    ";",
    ",",
    "=",
    "%",
    " ",
    "\t",
    "+",
    "%41",
    "a%41",
    "%41a%ff",
    "%7f",
    "%c3",
    "%ff",
    "%F0%9F%98%80",
    "%C3%BC",
    "é",
    "a=b,",
    "a=%,",
    "a=%41,",
    "a=%ff,",
    "k=v;a;",
    "k=v;a=b;c;",
    "a=b; c ,",
    "(=1,",
    "ot=th:8,",
    "ot=rv:0;",
    "a@b=c,",
    "\u{1}",
];

/// What stands before it, so that a reader gets that far.
const BEGINNINGS: [&str; 6] =
    ["", "k=", "k=v;", "k=v;p=", "ot=", "00-4bf92f3577b34da6a3ce929d0e0e4736-"];

fn main() {
    let w3c: &dyn Propagator = &TraceContextPropagator;
    let baggage: &dyn Propagator = &BaggagePropagator;
    let jaeger: &dyn Propagator = &JaegerPropagator;
    let b3 = B3Propagator::single();
    let formats = [
        (w3c, "traceparent"),
        (w3c, "tracestate"),
        (baggage, "baggage"),
        (&b3 as &dyn Propagator, "b3"),
        (&b3, "x-b3-traceid"),
        (jaeger, "uber-trace-id"),
        (jaeger, "jaeger-baggage"),
        (jaeger, "uberctx-a"),
    ];
    let mut rows = Vec::new();
    for (propagator, name) in formats {
        for beginning in BEGINNINGS {
            for unit in UNITS {
                let text =
                    beginning.to_owned() + &unit.repeat((LEN - beginning.len()) / unit.len());
                rows.push((median(propagator, name, text), name, beginning, unit));
            }
        }
    }
    rows.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    println!("{:<16} {:<12} {:<16} {:>8}", "header", "begins with", "filled with", "µs");
    for (time, name, beginning, unit) in rows.iter().skip(rows.len() - 24) {
        println!("{name:<16} {beginning:<12.12?} {unit:<16?} {time:>8.1}");
        if *time > GOAL {
            println!("falls short: {name}: {time:.1} µs, wanted <= {GOAL}");
        }
    }
}

fn median(propagator: &dyn Propagator, name: &str, text: String) -> f64 {
    let mut carrier = HashMap::from([(
        "traceparent".to_owned(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
    )]);
    carrier.insert(name.to_owned(), text);
    let mut times: Vec<f64> = (0..READINGS)
        .map(|_| {
            let mut incoming = Incoming::default();
            let start = Instant::now();
            propagator.extract(black_box(&carrier), &mut incoming);
            let time = start.elapsed().as_secs_f64() * 1e6;
            drop(black_box(incoming));
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[READINGS / 2]
}
