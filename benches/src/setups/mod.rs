//! What becomes of the spans: how each library is configured.
//!
//! Where tailtrace drops a trace at its tail, a peer has nothing of the kind: it hands the spans over
//! to somebody who drops them, in the cheapest way it has.

pub mod collector;
pub mod logs;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod pipeline;
pub mod sdk;
pub mod subscriber;
pub mod swap;
