//! Why an exporter could not be made from the environment.

use std::error::Error;
use std::io;
#[cfg(feature = "otlp")]
use std::path::Path;
use std::path::PathBuf;

use crate::kit::error_text::debug_like_display;
#[cfg(feature = "otlp")]
use crate::kit::secret::shown_path;

/// Why an exporter could not be made as the environment asks.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file that a variable names cannot be read.
    #[error("cannot read {}: {source}; name a readable PEM file in {variable}", path.display())]
    File {
        /// The variable, without the `TRACES_` that it may have.
        variable: &'static str,
        /// The file, or a remark in its place where the text is no path: it may be the key itself.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The exporter refuses what the variables say together.
    #[error("cannot make the exporter {name}: {source}")]
    Exporter {
        /// Its name in `OTEL_TRACES_EXPORTER`.
        name: &'static str,
        /// What the exporter says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The exporter cannot have TLS, which a variable asks for.
    #[error("cannot make the exporter {name} for {variable}: {source}")]
    Tls {
        /// Its name in `OTEL_TRACES_EXPORTER`.
        name: &'static str,
        /// The variable with the endpoint.
        variable: &'static str,
        /// What the exporter says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The exporter cannot have TLS, which no variable asks for: a gRPC endpoint without a scheme means it.
    #[error(
        "cannot make the exporter {name} for {variable}: {source}; the endpoint has no scheme, which means https:// for gRPC: write http:// before it, or set OTEL_EXPORTER_OTLP_INSECURE=true"
    )]
    NoScheme {
        /// Its name in `OTEL_TRACES_EXPORTER`.
        name: &'static str,
        /// The variable with the endpoint.
        variable: &'static str,
        /// What the exporter says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

debug_like_display!(ConfigError);

/// The content of a PEM file.
///
/// # Errors
/// When it cannot be read.
#[cfg(feature = "otlp")]
pub(super) fn pem(variable: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|source| {
        let path = shown_path(path);
        ConfigError::File { variable, path, source }
    })
}
