//! What a span processor costs the SDK's spans: ours with its tail, and the SDK's own that batches.
//!
//! The rows of `none` have a processor that does nothing; what the others take more is what they cost.

use std::hint::black_box;

use super::{Row, row};
use crate::Job;
use crate::setups::sdk;
use crate::shapes::rich::Request;
use crate::shapes::{flat, rich};

type Setup = fn(Shape) -> Job;
type Shape = Box<dyn Fn(&opentelemetry_sdk::trace::SdkTracer) + Send + Sync>;

fn bare(setup: Setup) -> Job {
    setup(Box::new(|tracer| flat::opentelemetry(tracer, 10)))
}

fn full(setup: Setup) -> Job {
    let request = Request::default();
    setup(Box::new(move |tracer| rich::opentelemetry(tracer, black_box(&request), 10)))
}

pub(super) const ROWS: &[Row] = &[
    row("processor_dropped_bare", "tailtrace", 10, || bare(sdk::tail_dropped)),
    row("processor_dropped_bare", "none", 10, || bare(sdk::ended)),
    row("processor_kept_bare", "tailtrace", 10, || bare(sdk::tail_kept)),
    row("processor_kept_bare", "opentelemetry-batch", 10, || bare(sdk::batched)),
    row("processor_dropped_rich", "tailtrace", 10, || full(sdk::tail_dropped)),
    row("processor_dropped_rich", "none", 10, || full(sdk::ended)),
    row("processor_kept_rich", "tailtrace", 10, || full(sdk::tail_kept)),
    row("processor_kept_rich", "opentelemetry-batch", 10, || full(sdk::batched)),
];
