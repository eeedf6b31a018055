//! What is traced with the macros of `tracing`, under each layer and in fastrace's own words.

use std::hint::black_box;

use super::{Row, row};
use crate::setups::{collector, subscriber};
use crate::shapes::rich::Request;
use crate::shapes::turns::{self, LateTurns};
use crate::shapes::{deep, flat, rich};

pub(super) const ROWS: &[Row] = &[
    // Dropped at the tail.
    row("layer_bare_100", "tailtrace", 100, || subscriber::dropped(|| flat::tracing(100))),
    row("layer_bare_100", "tracing-opentelemetry", 100, || {
        subscriber::opentelemetry(|| flat::tracing(100))
    }),
    row("layer_bare_100", "tracing-opentelemetry-lean", 100, || {
        subscriber::opentelemetry_lean(|| flat::tracing(100))
    }),
    row("layer_bare_100", "registry-empty-layer", 100, || subscriber::empty(|| flat::tracing(100))),
    row("layer_bare_100", "fastrace", 100, || collector::reported(|c| flat::fastrace(c, 100))),
    row("layer_bare_100", "fastrace-local", 100, || {
        collector::reported(|c| flat::fastrace_local(c, 100))
    }),
    row("layer_bare_1", "tailtrace", 1, || subscriber::dropped(|| flat::tracing(1))),
    row("layer_bare_1", "tracing-opentelemetry", 1, || {
        subscriber::opentelemetry(|| flat::tracing(1))
    }),
    row("layer_bare_1", "tracing-opentelemetry-lean", 1, || {
        subscriber::opentelemetry_lean(|| flat::tracing(1))
    }),
    row("layer_bare_1", "registry-empty-layer", 1, || subscriber::empty(|| flat::tracing(1))),
    row("layer_bare_10", "tailtrace", 10, || subscriber::dropped(|| flat::tracing(10))),
    row("layer_bare_10", "tracing-opentelemetry", 10, || {
        subscriber::opentelemetry(|| flat::tracing(10))
    }),
    row("layer_bare_10", "tracing-opentelemetry-lean", 10, || {
        subscriber::opentelemetry_lean(|| flat::tracing(10))
    }),
    row("layer_bare_10", "registry-empty-layer", 10, || subscriber::empty(|| flat::tracing(10))),
    row("layer_bare_1000", "tailtrace", 1000, || subscriber::dropped(|| flat::tracing(1000))),
    row("layer_bare_1000", "tracing-opentelemetry", 1000, || {
        subscriber::opentelemetry(|| flat::tracing(1000))
    }),
    row("layer_bare_1000", "tracing-opentelemetry-lean", 1000, || {
        subscriber::opentelemetry_lean(|| flat::tracing(1000))
    }),
    row("layer_bare_1000", "registry-empty-layer", 1000, || {
        subscriber::empty(|| flat::tracing(1000))
    }),
    row("layer_bare_deep_10", "tailtrace", 10, || subscriber::dropped(|| deep::tracing(10))),
    row("layer_bare_deep_10", "tracing-opentelemetry", 10, || {
        subscriber::opentelemetry(|| deep::tracing(10))
    }),
    row("layer_bare_deep_10", "tracing-opentelemetry-lean", 10, || {
        subscriber::opentelemetry_lean(|| deep::tracing(10))
    }),
    row("layer_bare_deep_10", "registry-empty-layer", 10, || {
        subscriber::empty(|| deep::tracing(10))
    }),
    row("layer_rich_100", "tailtrace", 100, || {
        let request = Request::default();
        subscriber::dropped(move || rich::tracing(black_box(&request), 100))
    }),
    row("layer_rich_100", "tracing-opentelemetry", 100, || {
        let request = Request::default();
        subscriber::opentelemetry(move || rich::tracing(black_box(&request), 100))
    }),
    row("layer_rich_100", "tracing-opentelemetry-lean", 100, || {
        let request = Request::default();
        subscriber::opentelemetry_lean(move || rich::tracing(black_box(&request), 100))
    }),
    row("layer_rich_100", "registry-empty-layer", 100, || {
        let request = Request::default();
        subscriber::empty(move || rich::tracing(black_box(&request), 100))
    }),
    row("layer_rich_100", "fastrace", 100, || {
        let request = Request::default();
        collector::reported(move |c| rich::fastrace(c, black_box(&request), 100))
    }),
    row("layer_rich_100", "fastrace-local", 100, || {
        let request = Request::default();
        collector::reported(move |c| rich::fastrace_local(c, black_box(&request), 100))
    }),
    row("layer_rich_1", "tailtrace", 1, || {
        let request = Request::default();
        subscriber::dropped(move || rich::tracing(black_box(&request), 1))
    }),
    row("layer_rich_1", "tracing-opentelemetry", 1, || {
        let request = Request::default();
        subscriber::opentelemetry(move || rich::tracing(black_box(&request), 1))
    }),
    row("layer_rich_1", "tracing-opentelemetry-lean", 1, || {
        let request = Request::default();
        subscriber::opentelemetry_lean(move || rich::tracing(black_box(&request), 1))
    }),
    row("layer_rich_1", "registry-empty-layer", 1, || {
        let request = Request::default();
        subscriber::empty(move || rich::tracing(black_box(&request), 1))
    }),
    row("layer_rich_10", "tailtrace", 10, || {
        let request = Request::default();
        subscriber::dropped(move || rich::tracing(black_box(&request), 10))
    }),
    row("layer_rich_10", "tracing-opentelemetry", 10, || {
        let request = Request::default();
        subscriber::opentelemetry(move || rich::tracing(black_box(&request), 10))
    }),
    row("layer_rich_10", "tracing-opentelemetry-lean", 10, || {
        let request = Request::default();
        subscriber::opentelemetry_lean(move || rich::tracing(black_box(&request), 10))
    }),
    row("layer_rich_10", "registry-empty-layer", 10, || {
        let request = Request::default();
        subscriber::empty(move || rich::tracing(black_box(&request), 10))
    }),
    row("layer_rich_1000", "tailtrace", 1000, || {
        let request = Request::default();
        subscriber::dropped(move || rich::tracing(black_box(&request), 1000))
    }),
    row("layer_rich_1000", "tracing-opentelemetry", 1000, || {
        let request = Request::default();
        subscriber::opentelemetry(move || rich::tracing(black_box(&request), 1000))
    }),
    row("layer_rich_1000", "tracing-opentelemetry-lean", 1000, || {
        let request = Request::default();
        subscriber::opentelemetry_lean(move || rich::tracing(black_box(&request), 1000))
    }),
    row("layer_rich_1000", "registry-empty-layer", 1000, || {
        let request = Request::default();
        subscriber::empty(move || rich::tracing(black_box(&request), 1000))
    }),
    row("layer_rich_deep_10", "tailtrace", 10, || {
        let request = Request::default();
        subscriber::dropped(move || rich::tracing_deep(black_box(&request), 10))
    }),
    row("layer_rich_deep_10", "tracing-opentelemetry", 10, || {
        let request = Request::default();
        subscriber::opentelemetry(move || rich::tracing_deep(black_box(&request), 10))
    }),
    row("layer_rich_deep_10", "tracing-opentelemetry-lean", 10, || {
        let request = Request::default();
        subscriber::opentelemetry_lean(move || rich::tracing_deep(black_box(&request), 10))
    }),
    row("layer_rich_deep_10", "registry-empty-layer", 10, || {
        let request = Request::default();
        subscriber::empty(move || rich::tracing_deep(black_box(&request), 10))
    }),
    // Many open at the same time, which get a span each in turn.
    row("layer_open_1000", "tailtrace", 1_000, || {
        let open = LateTurns::default();
        subscriber::dropped(move || open.turn(1_000, || turns::tracing(&None)))
    }),
    row("layer_open_1000", "tracing-opentelemetry-lean", 1_000, || {
        let open = LateTurns::default();
        subscriber::opentelemetry_lean(move || open.turn(1_000, || turns::tracing(&None)))
    }),
    row("layer_open_10000", "tailtrace", 10_000, || {
        let open = LateTurns::default();
        subscriber::dropped(move || open.turn(10_000, || turns::tracing(&None)))
    }),
    row("layer_open_10000", "tracing-opentelemetry-lean", 10_000, || {
        let open = LateTurns::default();
        subscriber::opentelemetry_lean(move || open.turn(10_000, || turns::tracing(&None)))
    }),
    // One trace of a hundred kept and exported to nowhere.
    row("layer_kept_1pct_100", "tailtrace", 100, || subscriber::kept_1pct(|| flat::tracing(100))),
    // Dropped at the head.
    row("layer_sampled_out_100", "tailtrace", 100, || {
        subscriber::sampled_out(|| flat::tracing(100))
    }),
    row("layer_sampled_out_100", "tracing-opentelemetry", 100, || {
        subscriber::opentelemetry_sampled_out(|| flat::tracing(100))
    }),
    row("layer_sampled_out_100", "tracing-opentelemetry-lean", 100, || {
        subscriber::opentelemetry_lean_sampled_out(|| flat::tracing(100))
    }),
    row("layer_sampled_out_100", "fastrace", 100, || {
        collector::sampled_out(|c| flat::fastrace(c, 100))
    }),
    row("layer_sampled_out_100", "fastrace-local", 100, || {
        collector::sampled_out(|c| flat::fastrace_local(c, 100))
    }),
];
