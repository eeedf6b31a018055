//! Why there is no spool.

use std::io;
use std::path::PathBuf;

use crate::kit::error_text::debug_like_display;

/// Why a [`Spool`](super::Spool) could not be made.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The directory cannot be made, read or written.
    #[error(
        "cannot use the directory {} as a spool: {source}; name one that this program may write",
        directory.display()
    )]
    Directory {
        /// The directory, unless its name looks like the content of a file.
        directory: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The exporter speaks JSON, and a spool holds protobuf.
    #[error(
        "a spool holds protobuf, and the exporter speaks JSON: use HTTP with protobuf, or gRPC"
    )]
    Json,
}

debug_like_display!(SpoolError);
