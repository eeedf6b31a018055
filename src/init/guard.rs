//! What flushes at the end.

use std::fmt;
use std::time::Duration;

use crate::kit::internal_log;
use crate::pipeline::{Pipeline, ShutdownError};

/// How long the guard waits for what is still to be exported.
pub(super) const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Flushes the traces when it is dropped, within five seconds, and warns about what was lost.
///
/// From [`init`](fn@crate::init). Bind it in `main` to a name, such as `_guard`: `_` alone drops it at once. A
/// collector that is down costs a warning and no error, so that an orderly exit stays one.
#[must_use = "the pipeline shuts down when the guard is dropped; bind it to a name in `main`"]
pub struct Guard {
    pipeline: Pipeline,
}

impl Guard {
    pub(super) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline }
    }

    /// The pipeline, to switch it [off and on](Pipeline::set_enabled), replace its tail, keep a trace after the
    /// fact, or read its account.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.shutdown(FLUSH_TIMEOUT) {
            internal_log::warn(&text_of(&error));
        }
    }
}

/// The words of the error, with a cure that a program with a guard has: the guard's own time is fixed.
fn text_of(error: &ShutdownError) -> String {
    let text = error.to_string();
    match error {
        ShutdownError::TimedOut { .. } => text.replacen(
            "allow more time",
            "call `guard.pipeline().shutdown(..)` with more time",
            1,
        ),
        _ => text,
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}
