//! What the native tracer does, beside the same work in the words of each peer.

use std::hint::black_box;
use std::time::SystemTime;

use super::{Row, row};
use crate::Job;
use crate::setups::{collector, pipeline, sdk};
use crate::shapes::rich::Request;
use crate::shapes::turns::{self, LateTurns};
use crate::shapes::{deep, flat, rich};

pub(super) const ROWS: &[Row] = &[
    // Dropped at the tail.
    row("bare_100", "tailtrace", 100, || pipeline::dropped(|t| flat::tailtrace(t, 100))),
    row("bare_100", "tailtrace-no-ring", 100, || {
        pipeline::dropped_at_once(|t| flat::tailtrace(t, 100))
    }),
    row("bare_100", "fastrace", 100, || collector::reported(|c| flat::fastrace(c, 100))),
    row("bare_100", "fastrace-local", 100, || {
        collector::reported(|c| flat::fastrace_local(c, 100))
    }),
    row("bare_100", "fastrace-local-cancelled", 100, || {
        collector::cancelled(|c| flat::fastrace_local(c, 100))
    }),
    row("bare_100", "opentelemetry", 100, || sdk::ended(|t| flat::opentelemetry(t, 100))),
    row("bare_100", "opentelemetry-batch", 100, || sdk::batched(|t| flat::opentelemetry(t, 100))),
    row("rich_100", "tailtrace", 100, || {
        let request = Request::default();
        pipeline::dropped(move |t| rich::tailtrace(t, black_box(&request), 100))
    }),
    row("rich_100", "tailtrace-no-ring", 100, || {
        let request = Request::default();
        pipeline::dropped_at_once(move |t| rich::tailtrace(t, black_box(&request), 100))
    }),
    row("rich_100", "fastrace", 100, || {
        let request = Request::default();
        collector::reported(move |c| rich::fastrace(c, black_box(&request), 100))
    }),
    row("rich_100", "fastrace-local", 100, || {
        let request = Request::default();
        collector::reported(move |c| rich::fastrace_local(c, black_box(&request), 100))
    }),
    row("rich_100", "fastrace-local-cancelled", 100, || {
        let request = Request::default();
        collector::cancelled(move |c| rich::fastrace_local(c, black_box(&request), 100))
    }),
    row("rich_100", "opentelemetry", 100, || {
        let request = Request::default();
        sdk::ended(move |t| rich::opentelemetry(t, black_box(&request), 100))
    }),
    row("single", "tailtrace", 1, || pipeline::dropped(|t| flat::tailtrace(t, 1))),
    row("single", "tailtrace-no-ring", 1, || pipeline::dropped_at_once(|t| flat::tailtrace(t, 1))),
    row("single", "fastrace", 1, || collector::reported(|c| flat::fastrace(c, 1))),
    row("single", "opentelemetry", 1, || sdk::ended(|t| flat::opentelemetry(t, 1))),
    // What a dropped trace pays where services keep their traces together.
    row("dropped_5", "tailtrace", 5, || pipeline::dropped(|t| flat::tailtrace(t, 5))),
    row("dropped_5_coherent", "tailtrace", 5, || {
        pipeline::dropped_coherent(|t| flat::tailtrace(t, 5))
    }),
    // The messages of a loop under one root, each like a trace of the row `dropped_5`.
    row("loop_5", "tailtrace", 5, || pipeline::dropped_in_parts(|root| flat::below(root, 5))),
    row("deep_10", "tailtrace", 10, || pipeline::dropped(|t| deep::tailtrace(t, 10))),
    row("deep_10", "fastrace", 10, || collector::reported(|c| deep::fastrace(c, 10))),
    row("deep_10", "fastrace-local", 10, || collector::reported(|c| deep::fastrace_local(c, 10))),
    row("deep_10", "opentelemetry", 10, || sdk::ended(|t| deep::opentelemetry(t, 10))),
    // Many open at the same time, which get a span each in turn.
    row("open_1000", "tailtrace", 1_000, || {
        let open = LateTurns::default();
        pipeline::dropped(move |t| open.turn(1_000, || turns::tailtrace(t, &None)))
    }),
    row("open_1000", "opentelemetry", 1_000, || {
        let open = LateTurns::default();
        sdk::ended(move |t| open.turn(1_000, || turns::opentelemetry(t, &None)))
    }),
    row("open_10000", "tailtrace", 10_000, || {
        let open = LateTurns::default();
        pipeline::dropped(move |t| open.turn(10_000, || turns::tailtrace(t, &None)))
    }),
    row("open_10000", "opentelemetry", 10_000, || {
        let open = LateTurns::default();
        sdk::ended(move |t| open.turn(10_000, || turns::opentelemetry(t, &None)))
    }),
    // Kept and exported to nowhere.
    row("kept_100", "tailtrace", 100, || pipeline::kept(|t| flat::tailtrace(t, 100))),
    row("kept_100", "fastrace", 100, || collector::reported(|c| flat::fastrace(c, 100))),
    row("kept_100", "opentelemetry-batch", 100, || sdk::batched(|t| flat::opentelemetry(t, 100))),
    // Dropped at the head.
    row("sampled_out_100", "tailtrace", 100, || pipeline::sampled_out(|t| flat::tailtrace(t, 100))),
    row("sampled_out_100", "fastrace", 100, || collector::sampled_out(|c| flat::fastrace(c, 100))),
    row("sampled_out_100", "fastrace-local", 100, || {
        collector::sampled_out(|c| flat::fastrace_local(c, 100))
    }),
    row("sampled_out_100", "opentelemetry", 100, || {
        sdk::sampled_out(|t| flat::opentelemetry(t, 100))
    }),
    // For context: every recorded span reads a clock twice.
    row("clock_read", "tailtrace", 1, || {
        let clock = tailtrace::time::Clock::system();
        Job::new(move || {
            black_box(clock.now());
        })
    }),
    row("clock_read", "std", 1, || {
        Job::new(|| {
            black_box(SystemTime::now());
        })
    }),
];
