//! Traces as lines of JSON in a file.

use std::fmt;
use std::io;
use std::path::{self, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;

use self::disk::FileSystem;
use self::rotate::Log;
use super::{ExportError, Exporter};
use crate::kit::guarded::lock;
use crate::trace::Trace;

mod disk;
mod json;
mod rotate;

pub use rotate::Rotation;

/// Appends every span as a line of JSON to a file, and begins a new file before it grows too large.
///
/// For programs without a collector, for keeping what was kept, and for looking at traces with `jq`,
/// `grep` or anything that reads lines of JSON. A batch is one write; when that fails half-way, what it
/// left is cut off again and the batch is tried later. [`flush`](Exporter::flush) waits for the disk.
///
/// The file must not be written to by others. Who rotates it with tools of the system moves it away
/// without making a new one, or copies and empties it.
///
/// # Lines
/// All keys are always there, but for `dropped`:
///
/// | key | value |
/// |---|---|
/// | `trace_id`, `span_id`, `parent_span_id` | lower-case hexadecimal digits; the parent `null` for a root |
/// | `name`, `kind` | the operation, and `internal`, `server`, `client`, `producer` or `consumer` |
/// | `start` | RFC 3339 in UTC with nanoseconds, `2026-01-01T00:00:00.000000000Z` |
/// | `duration_ns` | nanoseconds; `null` for a span that has not ended |
/// | `status`, `error` | `unset`, `ok` or `error`; what was said about the error, else `null` |
/// | `tags` | an object: text, numbers, booleans, arrays; bytes as hexadecimal digits; `"NaN"`, `"Infinity"` and `"-Infinity"` as text |
/// | `logs` | objects of `time`, `level`, `message` and `fields` |
/// | `links` | objects of `trace_id`, `span_id` and `tags` |
/// | `dropped` | only where limits were exceeded: how many `tags`, `logs` and `links` are missing |
/// | `service`, `resource` | the service's name, and an object of whatever else describes it |
/// | `kept_by` | the policy that kept the trace, or `null` |
/// | `probability` | how likely such traces are kept, or `null`; each stands for `1 / probability` |
/// | `late` | whether the span ended after the rest of its trace was decided |
///
/// ```sh
/// jq -r 'select(.status == "error") | [.start, .name, .error] | @tsv' traces.jsonl
/// ```
///
/// ```
/// use tailtrace::testing::{span, trace};
/// use tailtrace::{Exporter, FileExporter};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("tailtrace-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("traces.jsonl");
/// let exporter = FileExporter::create(&path)?;
/// exporter.export(&[trace(span("checkout").tag("items", 3))]).await?;
/// let line = std::fs::read_to_string(&path)?;
/// assert!(line.contains(r#""name":"checkout","kind":"internal""#));
/// assert!(line.contains(r#""tags":{"items":3}"#));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(run())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileExporter {
    log: Mutex<Log<FileSystem>>,
}

/// Why a [`FileExporter`] could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file could not be opened.
    #[error(
        "cannot open {path:?} to append to it: {source}; its folder must exist and be writable"
    )]
    Open {
        /// The file.
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

impl FileExporter {
    /// Opens a file to append to it, and makes it where there is none.
    ///
    /// # Errors
    /// When the file cannot be opened; its folder must exist.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        // The program may change its working directory before the file is opened again.
        let opened = path::absolute(&path)
            .and_then(|whole| Log::open(FileSystem, whole, Rotation::default()));
        match opened {
            Ok(log) => Ok(Self { log: Mutex::new(log) }),
            Err(source) => Err(FileError::Open { path, source }),
        }
    }

    /// This exporter with other sizes than 5 files of 64 MiB.
    ///
    /// # Errors
    /// When a size is zero or there would be more than 1000 files.
    pub fn with_rotation(self, rotation: Rotation) -> Result<Self, FileError> {
        if rotation.max_bytes == 0 || !(1..=1000).contains(&rotation.files) {
            return Err(FileError::Rotation(rotation));
        }
        lock(&self.log).rotation = rotation;
        Ok(self)
    }

    fn run(
        &self,
        work: impl FnOnce(&mut Log<FileSystem>) -> io::Result<()>,
    ) -> Result<(), ExportError> {
        let mut log = lock(&self.log);
        // A full disk, a lost mount, a folder without permission: somebody can put it right.
        work(&mut log).map_err(|error| {
            let message = format!("cannot write traces to {:?}: {error}", log.path());
            ExportError::retryable(message).with_source(error)
        })
    }
}

#[async_trait]
impl Exporter for FileExporter {
    async fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
        let mut lines = Vec::new();
        for trace in batch {
            json::write_trace(&mut lines, trace);
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.run(|log| log.append(&lines))
    }

    async fn flush(&self) -> Result<(), ExportError> {
        self.run(Log::sync)
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        self.run(|log| {
            let synced = log.sync();
            log.close();
            synced
        })
    }
}

impl fmt::Debug for FileExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = lock(&self.log);
        f.debug_struct("FileExporter")
            .field("path", &log.path())
            .field("rotation", &log.rotation)
            .finish()
    }
}
