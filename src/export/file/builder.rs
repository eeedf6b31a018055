//! What can be set about the exporter.

use std::fmt;
use std::path::{self, PathBuf};
use std::sync::Mutex;

use super::FileExporter;
use super::disk::FileSystem;
use super::error::FileError;
use super::rotation::{Log, Rotation};
use crate::kit::fork::PerProcess;
use crate::kit::secret::shown_path;

/// Makes a [`FileExporter`].
///
/// ```no_run
/// use tailtrace::FileExporter;
/// use tailtrace::export::Rotation;
///
/// let rotation = Rotation::default().with_max_bytes(1024 * 1024).with_files(3);
/// let exporter = FileExporter::builder("traces.jsonl").with_rotation(rotation).build()?;
/// # drop(exporter);
/// # Ok::<(), tailtrace::export::FileError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct FileExporterBuilder {
    path: PathBuf,
    rotation: Rotation,
}

impl FileExporter {
    /// Makes an exporter that appends to this file, with the defaults. The file is made where there is
    /// none.
    ///
    /// # Errors
    /// When the file cannot be opened; its folder must exist.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        Self::builder(path).build()
    }

    /// Prepares an exporter that appends to this file.
    pub fn builder(path: impl Into<PathBuf>) -> FileExporterBuilder {
        FileExporterBuilder { path: path.into(), rotation: Rotation::default() }
    }
}

impl FileExporterBuilder {
    /// Sets when a new file is begun, and how many there are. Default 5 files of 64 MiB.
    pub fn with_rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// Opens the file to append to it, and makes it where there is none.
    ///
    /// # Errors
    /// When the file cannot be opened, or when the rotation has no room or more than 1000 files.
    pub fn build(self) -> Result<FileExporter, FileError> {
        let Self { path, rotation } = self;
        if rotation.max_bytes == 0 || !(1..=1000).contains(&rotation.files) {
            return Err(FileError::Rotation(rotation));
        }
        // The program may change its working directory before the file is opened again.
        let opened = path::absolute(&path)
            .and_then(|whole| Ok((Log::open(FileSystem, whole.clone(), rotation)?, whole)));
        match opened {
            Ok((log, path)) => {
                Ok(FileExporter { path, rotation, log: PerProcess::new(Mutex::new(log)) })
            }
            Err(source) => Err(FileError::Open { path: shown_path(&path), source }),
        }
    }
}

impl fmt::Debug for FileExporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileExporterBuilder")
            .field("path", &shown_path(&self.path))
            .field("rotation", &self.rotation)
            .finish()
    }
}
