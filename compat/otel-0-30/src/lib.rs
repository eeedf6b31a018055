#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adapter;
mod rooms;

pub use adapter::{
    FromShouldSample, FromTextMap, HeadSampler, OtelExporter, Propagator, SdkSpan,
    SpanExporterBridge, TailSpanProcessor, convert, from_context, incoming_of, install,
    share_context, to_context,
};
// The adapter is the main crate's source and names its rooms by `crate::`.
use rooms::{delivery, export, model, pipeline, propagation, record, sampling, time, trace};
