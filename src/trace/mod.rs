//! How spans are stored and read.
//!
//! A [`Trace`] is the spans of one local trace in one compact buffer; [`SpanRef`] reads a span in place,
//! [`Span`] owns one, [`TraceView`] is what a tail policy sees.

pub(crate) mod head;
mod kept;
mod original;
mod span;
mod span_mut;
mod span_ref;
pub(crate) mod store;
mod view;

pub(crate) use kept::Kept;
pub use kept::Trace;
pub use original::{Original, Outline};
pub use span::Span;
pub(crate) use span_mut::ErrorDetails;
pub use span_mut::SpanMut;
pub use span_ref::{LinkRef, LogRef, SpanRef};
pub use view::TraceView;
