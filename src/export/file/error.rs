//! Why an exporter to a file could not be made.

use std::io;
use std::path::PathBuf;

use super::rotation::Rotation;
use crate::kit::error_text::debug_like_display;

/// Why a [`FileExporter`](super::FileExporter) could not be made.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file could not be opened.
    #[error(
        "cannot open {path:?} to append to it: {source}; its folder must exist and be writable"
    )]
    Open {
        /// The file, unless its name looks like the content of one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A rotation without room for anything, or with more files than a folder should hold.
    #[error(
        "a rotation of {} bytes in {} files; use at least 1 byte and 1 to 1000 files",
        .0.max_bytes, .0.files
    )]
    Rotation(Rotation),
}

debug_like_display!(FileError);
