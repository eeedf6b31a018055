//! The flow on one screen: recorder, tail, delivery, and the ledger beside them.
//!
//! ```text
//! tracer, layer, otel --> recorder --kept--> delivery --> exporters
//!                            |  ^                |
//!                            v  | linger, ring   v
//!                          ledger  <--------- ledger
//!                               |
//!                             maintenance (a thread that does what time asks for)
//! ```

mod core;
pub(crate) mod handle;
mod maintenance;
#[cfg(all(unix, feature = "signals"))]
mod signals;

pub use crate::delivery::report::{DeliveryReport, FlushError, ShutdownError};
pub use crate::delivery::waiter::ExporterFailure;
pub(crate) use handle::Pipeline;
pub use handle::builder::PipelineBuilder;
pub use handle::start_error::StartError;
