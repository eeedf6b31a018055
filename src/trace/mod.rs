//! How spans are stored and read.
//!
//! A [`Trace`] is the spans of one local trace in one compact buffer; [`SpanRef`] reads a span in place,
//! [`Span`] owns one, [`TraceView`] is what a tail policy sees.

pub(crate) mod header;
pub(crate) mod kept_trace;
pub(crate) mod original;
pub(crate) mod span;
pub(crate) mod span_mut;
pub(crate) mod span_ref;
pub(crate) mod store;
pub(crate) mod view;

pub(crate) use kept_trace::KeepReason;
pub(crate) use kept_trace::Trace;
pub(crate) use kept_trace::notes::UNFINISHED;
pub(crate) use kept_trace::packed::PackedTrace;
pub(crate) use original::{Original, Outline};
#[cfg(feature = "otel")]
pub(crate) use original::{PackedOriginal, PackedOriginals};
pub(crate) use span::Span;
pub(crate) use span_mut::ErrorDetails;
pub(crate) use span_mut::SpanMut;
pub(crate) use span_ref::SpanRef;
pub use span_ref::{LinkRef, LogRef};
pub(crate) use view::{OpenAncestors, TraceView};
