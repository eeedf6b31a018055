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
//!               LocalTrace in a stripe <---- children, tags, logs
//!                     | open spans = 0, or linger over, or shutdown
//!                     v
//!                tail policy --keep--> Trace --> sink (delivery)
//!                     | drop
//!                     v
//!               copied into the ring of recent drops; the buffer goes back to the pool
//! ```
//!
//! Each folder is one idea, and files name each other in one direction: from the recorder and the spans
//! above it down to one local trace. The chapter [`record`](crate::manual::record) of the manual has the
//! fields of each, and one table of what becomes of a trace.
//!
//! # What it promises
//! 1. A local trace is registered in its stripe from the call that starts its first span on, a draft's
//!    included, while it holds spans that the ledger counts as live, and while it is being decided.
//! 2. Locks are taken in this order: the span table of the layer, the lingering traces, one trace, one stripe,
//!    the reasons of other services. The lock of the foreign traces is held while no lock of the recorder is taken.
//! 3. Samplers and policies run while no lock is held; conversions run before one is taken.
//! 4. Every span that starts is counted once as started. It ends in exactly one column of the ledger; while
//!    the tail is asked about it, it is in none.
//! 5. A trace is decided once, and a closed recorder pools none.

mod baggage_tags;
#[cfg(any(feature = "layer", feature = "bridge"))]
pub(crate) mod bridge;
mod carrying;
mod claims;
mod completion;
mod config;
mod deciders;
mod draft_holders;
#[cfg(feature = "layer")]
mod drafts;
mod foreign;
mod heard;
pub(crate) mod intake;
mod leaks;
mod link;
mod live;
mod local;
mod panic_notice;
mod postponed;
mod quota;
mod recent_ids;
mod recorder;
mod ring;
mod ring_watch;
pub(crate) mod span;
mod trace_hash;

pub(crate) use baggage_tags::BaggageTags;
#[cfg(feature = "layer")]
pub(crate) use carrying::CarriedLimit;
#[cfg(feature = "layer")]
pub(crate) use completion::CompletedTrace;
pub use completion::KeepOutcome;
pub use config::RecordLimits;
pub(crate) use deciders::ChosenDeciders;
#[cfg(feature = "layer")]
pub(crate) use draft_holders::{DraftHolder, RecorderId};
#[cfg(feature = "layer")]
pub(crate) use drafts::{DetachedSpan, Draft, DraftOutcome, DraftRequest, DraftStart};
pub(crate) use heard::HeardKeeper;
pub(crate) use intake::Intake;
#[cfg(feature = "otel")]
pub(crate) use intake::{Ended, Started};
pub(crate) use leaks::LeakWatch;
pub use live::SpanPool;
pub(crate) use local::{ASKED_FOR, KeepRequest};
#[cfg(feature = "otel")]
pub(crate) use recorder::OpenSpanCounts;
pub(crate) use recorder::{Recorder, RecorderSettings, SpanStart, StartTime};
pub(crate) use ring_watch::RingWatch;
pub(crate) use span::ActiveSpan;
#[cfg(feature = "otel")]
pub(crate) use span::SpanWriter;
#[cfg(feature = "layer")]
pub(crate) use span::UnrecordedTrace;

#[cfg(test)]
mod tests;
