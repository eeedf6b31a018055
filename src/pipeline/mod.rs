//! The flow on one screen: recorder, tail, delivery, and the ledger beside them.
//!
//! ```text
//! tracer, layer, otel --> recorder --kept--> delivery --> exporters
//!                            |  ^                |
//!                            v  | linger, ring   v
//!                          ledger  <--------- ledger
//!                               |
//!                             keeper (a thread that looks after time)
//! ```

mod builder;
pub(crate) mod handle;
mod keeper;

pub use crate::delivery::report::{DeliveryReport, FlushError, ShutdownError};
pub use crate::delivery::waiter::ExporterFailure;
pub use builder::{PipelineBuilder, StartError};
pub(crate) use handle::Pipeline;
