//! `tracing-opentelemetry`'s layer kept, in front of our pipeline: through the SDK, or without it.
//!
//! The rows of `none` have the SDK with a processor that does nothing: what the layer costs by itself.

use std::hint::black_box;

use super::{Row, row};
use crate::setups::subscriber;
use crate::setups::swap::{self, Way};
use crate::shapes::rich::Request;
use crate::shapes::{flat, rich};

type Shape = Box<dyn Fn() + Send + Sync>;

fn bare() -> Shape {
    Box::new(|| flat::tracing(10))
}

fn full() -> Shape {
    let request = Request::default();
    Box::new(move || rich::tracing(black_box(&request), 10))
}

pub(super) const ROWS: &[Row] = &[
    row("swap_dropped_bare", "tailtrace-provider", 10, || swap::dropped(Way::Provider, bare())),
    row("swap_dropped_bare", "tailtrace-sdk", 10, || swap::dropped(Way::Sdk, bare())),
    row("swap_dropped_bare", "none", 10, || subscriber::opentelemetry(bare())),
    row("swap_dropped_rich", "tailtrace-provider", 10, || swap::dropped(Way::Provider, full())),
    row("swap_dropped_rich", "tailtrace-sdk", 10, || swap::dropped(Way::Sdk, full())),
    row("swap_dropped_rich", "none", 10, || subscriber::opentelemetry(full())),
    row("swap_kept_rich", "tailtrace-provider", 10, || swap::kept(Way::Provider, full())),
    row("swap_kept_rich", "tailtrace-sdk", 10, || swap::kept(Way::Sdk, full())),
    row("swap_kept_rich_theirs", "tailtrace-provider", 10, || {
        swap::kept_by_theirs(Way::Provider, full())
    }),
    row("swap_kept_rich_theirs", "tailtrace-sdk", 10, || swap::kept_by_theirs(Way::Sdk, full())),
];
