//! A running span, as a guard or the layer holds it: on record, over a limit, or not recorded.

mod active;
mod child;
mod over_limit;
mod recorded;
mod unrecorded;
#[cfg(any(feature = "layer", feature = "bridge"))]
pub(crate) mod writer;

pub(crate) use active::ActiveSpan;
pub(super) use over_limit::OverLimitSpan;
pub(super) use recorded::RecordedSpan;
pub(crate) use unrecorded::UnrecordedTrace;
pub(super) use unrecorded::{UnrecordedSpan, UnrecordedTraces};
#[cfg(any(feature = "layer", feature = "bridge"))]
pub(crate) use writer::SpanWriter;
