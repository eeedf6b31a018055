//! Why a pipeline did not start.

use std::io;

use crate::kit::debug_like_display;
use crate::model::SettingError;

/// Why a pipeline did not start.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is nowhere to send kept traces to.
    #[error("no exporter; add one with `with_exporter`, for example `ConsoleExporter::stdout()`")]
    NoExporter,
    /// A setting of coherence is out of range.
    #[error("coherence cannot start: {0}")]
    Coherence(#[source] SettingError),
    /// The machine refused a thread.
    #[error("cannot start a thread; raise the limit on the number of threads")]
    Thread(#[source] io::Error),
}

debug_like_display!(StartError);
