//! Why nothing was set up.

use tracing_subscriber::util::TryInitError;

use crate::config::ConfigError;
use crate::kit::error_text::debug_like_display;
use crate::model::SettingError;
use crate::pipeline::StartError;

/// Why [`init`](fn@crate::init) set nothing up.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The environment's settings make no pipeline. An exporter that cannot be made is left out with a warning instead.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The pipeline did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A number of the tail is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The program has a subscriber, or a logger of the crate `log`, already.
    #[error(
        "the subscriber is not installed: {0}; call `tailtrace::init` once and first, or add `pipeline.layer()` to \
         the subscriber you have"
    )]
    Installed(#[source] TryInitError),
}

debug_like_display!(InitError);
