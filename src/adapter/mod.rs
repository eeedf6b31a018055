//! What authors of adapters need, and programs do not.
//!
//! An adapter feeds spans that another tracer makes into a pipeline, as the crate's own adapters for
//! OpenTelemetry do. **This module may change more often than the rest of the crate**: a release that
//! keeps every program compiling may still change what stands here.
//!
//! - [`Intake`] takes the spans: [`Pipeline::intake`](crate::Pipeline::intake) gives one, and each span
//!   that starts is [`Started`] until it has [`Ended`].
//! - [`Original`] is a finished span in the other tracer's own form, which is kept as it is and converted
//!   only when its trace is exported. [`Outline`] is what a sampler and a tail policy see of it.
//!   [`PackedOriginal`] is the form in which it waits for an exporter that does not keep up.
//! - [`SpanMut`] writes to a span where it is stored; [`TagKey`] is what its writers accept as a key.
//! - `ContextBridge` (feature `bridge`) shows the spans that the layer has on a thread in the contexts of another
//!   tracer: [`Intake`] takes one.
//! - [`may_block`] says whether the calling thread may wait for this crate's threads.
//!
//! The conversions between the words of this crate and OpenTelemetry's are `otel::convert`, because they
//! belong to one line of OpenTelemetry; each crate for an older line has its own.

pub use crate::delivery::may_block::may_block;
pub use crate::model::tag::TagKey;
#[cfg(feature = "bridge")]
pub use crate::record::bridge::{
    BridgedParent, BridgedSpan, BridgedSpanId, ContextBridge, ContextLock, is_own_work,
};
pub use crate::record::intake::{Ended, Intake, Started};
#[cfg(feature = "bridge")]
pub use crate::record::span::writer::SpanWriter;
pub use crate::trace::original::{Original, Outline, PackedOriginal, PackedOriginals};
pub use crate::trace::span_mut::SpanMut;
