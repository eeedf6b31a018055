#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// What the adapter, which is the main crate's, calls its own.
use tailtrace::{delivery, export, model, pipeline, propagation, record, sampling, time, trace};

mod adapter;

pub use adapter::{
    FromShouldSample, HeadSampler, OtelExporter, Propagator, SdkSpan, SpanExporterBridge,
    TailSpanProcessor, convert,
};
