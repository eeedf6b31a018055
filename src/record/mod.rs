//! The hot path: live local traces, their buffers, and the moment they are complete.
//!
//! A *local trace* is what one local root and its descendants do in this process. It is one buffer
//! behind one lock; starting a span, setting a tag and ending a span each take it for a few dozen
//! instructions. The recorder counts the open spans of a local trace: at zero it is complete and the
//! tail is asked, on the thread that ended the last span, without any lock.
//!
//! ```text
//! start root --> head sampler --drop--> unrecorded guard (counts, propagates)
//!                     | record, sample
//!                     v
//!               LocalTrace in a shard <---- children, tags, logs
//!                     | open spans = 0, or linger over, or shutdown
//!                     v
//!                tail policy --keep--> Trace --> sink (delivery)
//!                     | drop
//!                     v
//!               ring of recent drops --(aged, crowded out)--> pool of buffers
//! ```
//!
//! # Invariants
//! 1. A local trace stands in its shard while it holds spans that no other column counts, and while
//!    it is being decided.
//! 2. Locks are taken in this order: the lingering traces, one trace, one shard. The lock of the groups
//!    is held alone.
//! 3. User code (samplers, policies, conversions) runs without any lock held.
//! 4. Every span that starts is counted once as started and ends in exactly one column of the ledger.

mod active;
#[cfg_attr(not(feature = "otel"), allow(dead_code))]
pub(crate) mod bridge;
mod complete;
mod config;
mod deciders;
mod draft;
mod dropped;
mod evict;
mod foreign;
mod holders;
pub(crate) mod intake;
mod local;
mod open_foreign_spans;
mod over_limit;
mod postponed;
mod recorded;
mod recorder;
mod ring;
mod sampler_tags;
mod shard;
mod start;
mod unrecorded;
#[cfg_attr(not(feature = "otel"), allow(dead_code))]
mod writer;

pub(crate) use active::ActiveSpan;
pub(crate) use complete::CompletedTrace;
pub use config::RecordLimits;
pub(crate) use draft::{DetachedSpan, Draft, DraftOutcome, DraftRequest};
pub(crate) use holders::DraftHolder;
pub(crate) use intake::Intake;
#[cfg(feature = "otel")]
pub(crate) use intake::Started;
pub use recorder::KeepOutcome;
#[cfg_attr(not(feature = "otel"), allow(unused_imports))]
pub(crate) use recorder::OpenSpanCounts;
pub(crate) use recorder::{Recorder, RecorderSettings};
pub use shard::SpanPool;
pub(crate) use start::{SpanStart, StartTime};
#[cfg_attr(not(feature = "otel"), allow(unused_imports))]
pub(crate) use writer::SpanWriter;

#[cfg(test)]
mod tests;
