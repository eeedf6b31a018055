//! The book: how `tailtrace` works, and how to choose what to keep.
//!
//! 1. [`data_flow`]: the way of a span from its start to the exporter, and what runs on which thread.
//! 2. [`tracing`]: how spans and events of the `tracing` crate become traces, and what each of it costs.
//! 3. [`choosing_a_sampler`]: which head sampler when, and how head and tail play together.
//! 4. [`tail_sampling`]: the policies, how they combine, and what they cost.
//! 5. [`loss_and_the_ledger`]: how every span is accounted for, what each reason of loss means, and
//!    what is not promised.
//! 6. [`propagation`]: how a trace crosses from one process into the next.
//! 7. [`switching_from_tracing_opentelemetry`]: what stays the same for a program that changes to this
//!    crate's layer, and what differs.
//! 8. `opentelemetry`, with the feature `otel`: an existing set-up of its SDK, libraries that use its API, contexts
//!    that both share, the ledger as metrics.
//! 9. [`configuration`]: the environment variables, their defaults, and what goes before what.
//! 10. [`features`]: what each Cargo feature adds.
//! 11. [`decisions`]: why it is built this way.
//! 12. [`record`]: how the recorder is built, and one table of what becomes of a local trace.
//! 13. [`across_services`]: how a trace that one service keeps is kept by all of them, what is promised, and sizes.
//! 14. [`running`]: the metrics, alerts on them, and what to do about each warning.
//! 15. [`versions`]: what stays the same from version to version, and for how long.
//! 16. [`comparison`]: the numbers, how they were measured, and where other tools are better.
//!
//! The programs in it are tests of the crate.

// For the links in the chapters.
#[cfg(all(doc, feature = "layer"))]
use crate::layer::*;
#[cfg(doc)]
use crate::{delivery::*, ledger::*, model::*, pipeline::*, record::*, sampling::*, tail::*, *};

#[doc = include_str!("data_flow.md")]
pub mod data_flow {}

#[cfg(feature = "layer")]
#[doc = include_str!("tracing.md")]
pub mod tracing {}

#[doc = include_str!("choosing_a_sampler.md")]
pub mod choosing_a_sampler {}

#[doc = include_str!("tail_sampling.md")]
pub mod tail_sampling {}

#[doc = include_str!("loss_and_the_ledger.md")]
pub mod loss_and_the_ledger {}

#[doc = include_str!("propagation.md")]
pub mod propagation {}

#[cfg(feature = "layer")]
#[doc = include_str!("switching_from_tracing_opentelemetry.md")]
pub mod switching_from_tracing_opentelemetry {}

#[doc = include_str!("across_services.md")]
pub mod across_services {}

#[doc = include_str!("configuration.md")]
pub mod configuration {}

#[cfg(all(feature = "layer", feature = "otel"))]
#[doc = include_str!("opentelemetry.md")]
pub mod opentelemetry {}

/// What each Cargo feature adds.
///
#[doc = include_str!("features.md")]
pub mod features {}

#[doc = include_str!("decisions.md")]
pub mod decisions {}

#[doc = include_str!("record.md")]
pub mod record {}

#[doc = include_str!("running.md")]
pub mod running {}

#[doc = include_str!("versions.md")]
pub mod versions {}

#[doc = include_str!("../../COMPARE.md")]
pub mod comparison {}
