//! Help for tests: hand-made traces, traces as text, a clock that a test moves, ids that a seed repeats.
//!
//! ```
//! use tailtrace::testing::{span, trace, tree};
//!
//! let made = trace(span("checkout").child(span("charge_card").error("declined")));
//! assert_eq!(tree(&made), "\
//! checkout
//! └─ charge_card error: \"declined\"");
//! ```
//!
//! Feature `testing`. To see what a pipeline exports, give it an
//! [`InMemoryExporter`](crate::InMemoryExporter) and print its traces with [`tree`].

mod factory;
mod tree;

pub use factory::{SpanFactory, kept_by, span, trace, trace_with_id};
pub use tree::tree;

/// Runs a future of this crate to its end, on this thread.
#[cfg(test)]
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}
