//! What is traced with the macros of `tracing` under tailtrace's own subscriber, alone and with logs beside it.

use std::hint::black_box;

use super::{Row, row};
use crate::setups::{logs, subscriber};
use crate::shapes::rich::Request;
use crate::shapes::{deep, events, flat, rich};

pub(super) const ROWS: &[Row] = &[
    row("subscriber_bare_100", "tailtrace", 100, || subscriber::own_dropped(|| flat::tracing(100))),
    row("subscriber_bare_100", "layer", 100, || subscriber::dropped(|| flat::tracing(100))),
    row("subscriber_bare_10", "tailtrace", 10, || subscriber::own_dropped(|| flat::tracing(10))),
    row("subscriber_bare_10", "layer", 10, || subscriber::dropped(|| flat::tracing(10))),
    row("subscriber_deep_10", "tailtrace", 10, || subscriber::own_dropped(|| deep::tracing(10))),
    row("subscriber_deep_10", "layer", 10, || subscriber::dropped(|| deep::tracing(10))),
    row("subscriber_bare_1", "tailtrace", 1, || subscriber::own_dropped(|| flat::tracing(1))),
    row("subscriber_bare_1", "layer", 1, || subscriber::dropped(|| flat::tracing(1))),
    row("subscriber_rich_100", "tailtrace", 100, || {
        let request = Request::default();
        subscriber::own_dropped(move || rich::tracing(black_box(&request), 100))
    }),
    row("subscriber_rich_100", "layer", 100, || {
        let request = Request::default();
        subscriber::dropped(move || rich::tracing(black_box(&request), 100))
    }),
    // The events of one span: what is counted for a span is one of them.
    row("subscriber_event_100", "tailtrace", 100, || {
        subscriber::own_dropped(|| events::tracing(100))
    }),
    row("subscriber_event_100", "layer", 100, || subscriber::dropped(|| events::tracing(100))),
    // Dropped at the head.
    row("subscriber_off_100", "tailtrace", 100, || {
        subscriber::own_sampled_out(false, || flat::tracing(100))
    }),
    row("subscriber_off_100", "layer", 100, || subscriber::sampled_out(|| flat::tracing(100))),
    row("subscriber_disabling_100", "tailtrace", 100, || {
        subscriber::own_sampled_out(true, || flat::tracing(100))
    }),
    row("subscriber_disabling_100", "layer", 100, || {
        subscriber::sampled_out(|| flat::tracing(100))
    }),
    // Logs at WARN beside it, as JSON to nowhere.
    row("subscriber_logs_bare_100", "tailtrace", 100, || {
        logs::beside_subscriber("warn", || flat::tracing(100))
    }),
    row("subscriber_logs_bare_100", "layer", 100, || {
        logs::beside_layer("warn", || flat::tracing(100))
    }),
    row("subscriber_logs_rich_100", "tailtrace", 100, || {
        let request = Request::default();
        logs::beside_subscriber("warn", move || rich::tracing(black_box(&request), 100))
    }),
    row("subscriber_logs_rich_100", "layer", 100, || {
        let request = Request::default();
        logs::beside_layer("warn", move || rich::tracing(black_box(&request), 100))
    }),
];
