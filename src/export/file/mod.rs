//! Traces as lines of JSON in a file.

mod builder;
mod child_path;
mod disk;
mod error;
mod json;
mod rotation;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use self::disk::FileSystem;
use self::rotation::Log;
use super::{Batch, ExportError, Exporter, TraceSizes};
use crate::kit::fork::PerProcess;
use crate::kit::secret::shown_path;
use crate::kit::unwind_safe::lock;

pub use builder::FileExporterBuilder;
pub use error::FileError;
pub use rotation::Rotation;

/// Appends every span as a line of JSON to a file, and begins a new file before it grows too large.
///
/// For programs without a collector, for keeping what was kept, and for looking at traces with `jq`,
/// `grep` or anything that reads lines of JSON. A batch is one write; when that fails half-way, what it
/// left is cut off again and the batch is tried later. [`flush`](Exporter::flush) waits for the disk.
///
/// The file is made with mode 0600. A link in its place is refused, whenever it appears, unless it stands in `/dev`; so is
/// a file of another user, and one that begins with something else than a line as they are written here, also where a
/// rotation would replace it. An empty file gets mode 0600; one that has lines keeps its mode.
///
/// No other program may write to the file. A tool of the system that rotates it must move it away
/// without making a new one, or copy and empty it. A process that is forked off while the pipeline runs writes
/// to a file of its own beside it, with the number of the process in its name: `traces-4711.jsonl`. One in `/dev` is shared.
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
/// | `part` | whether other spans of the trace leave apart from this one |
/// | `unfinished` | whether a span of the trace had not ended when it was sent |
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
/// let exporter = FileExporter::new(&path)?;
/// exporter.export(trace(span("checkout").tag("items", 3)).into()).await?;
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
    path: PathBuf,
    rotation: Rotation,
    log: PerProcess<Mutex<Log<FileSystem>>>,
}

impl FileExporter {
    /// The file; a process that was forked off has one of its own.
    fn log(&self) -> MutexGuard<'_, Log<FileSystem>> {
        lock(self.log.get(|| {
            let path = child_path::of(&self.path, process::id());
            Mutex::new(Log::closed(FileSystem, path, self.rotation))
        }))
    }

    /// Works on the file; the error comes with its text.
    fn run(
        &self,
        work: impl FnOnce(&mut Log<FileSystem>) -> io::Result<()>,
    ) -> Result<(), (String, io::Error)> {
        let mut log = self.log();
        work(&mut log).map_err(|error| {
            (format!("cannot write traces to {:?}: {error}", shown_path(log.path())), error)
        })
    }
}

#[async_trait]
impl Exporter for FileExporter {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        let mut lines = Vec::new();
        let mut sizes = TraceSizes::default();
        for trace in &batch {
            let before = lines.len();
            json::write_trace(&mut lines, trace);
            sizes.push(lines.len() - before);
        }
        if lines.is_empty() {
            return Ok(());
        }
        // A full disk, a lost mount, a folder without permission: an operator can put it right.
        match self.run(|log| log.append(&lines)) {
            Ok(()) => {
                batch.count_request(&sizes, lines.len());
                Ok(())
            }
            Err((message, error)) => Err(ExportError::retryable(message, batch).with_source(error)),
        }
    }

    async fn flush(&self) -> Result<(), ExportError> {
        self.run(Log::sync).map_err(not_flushed)
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        self.run(|log| {
            let synced = log.sync();
            log.close();
            synced
        })
        .map_err(not_flushed)
    }
}

fn not_flushed((message, error): (String, io::Error)) -> ExportError {
    ExportError::permanent(message).with_source(error)
}

impl fmt::Debug for FileExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileExporter")
            .field("path", &shown_path(&self.path))
            .field("rotation", &self.rotation)
            .finish()
    }
}
