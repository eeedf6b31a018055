//! Kept traces on disk while the peer is away.

mod directory;
mod error;
mod file_name;
#[cfg(not(unix))]
mod no_permissions;
#[cfg(unix)]
mod permissions;
mod replay;
mod signal;
mod spool_state;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;

pub use error::SpoolError;

use self::directory::Directory;
use self::spool_state::SpoolState;
use crate::export::{Batch, Batching, ExportError, Exporter, OtlpExporter, OtlpProtocol};
use crate::kit::Random;
use crate::kit::fork::ForkLock;
use crate::kit::secret::shown_path;
use crate::ledger::SpoolAccount;
use crate::time::{Clock, unix_nanos};

/// Keeps traces on disk while the peer of an [`OtlpExporter`] is away, and sends them when it is back.
///
/// Feature `spool`. For outages that are longer than memory reaches, and for what is left when a program ends. A
/// batch that the peer does not take now is written to a directory at once, as one file of OTLP in protobuf or several:
/// the queue in memory stays free for what it could not hold otherwise, a shutdown has little to wait for, and a process that
/// is killed had little in memory. A peer that answers neither a request nor one without spans for 4 s counts as away. This
/// process sends what waits when the peer is back, or the next one that has a spool in that directory; of several that live at
/// once, one. What is sent so takes at most a fifth of the link, so that what is live comes first. Allow a shutdown 5 s, so that
/// a peer that hangs does not keep the rest from the disk.
///
/// What has its name in the directory survives the process, whatever ends that: `kill -9` too, and with
/// [`with_sync`](Self::with_sync) the end of the machine. A file that was damaged is thrown away and told; a full disk leaves
/// spans in the queue, and is told. The directory is for this user alone (0700, its files 0600), but not encrypted: where
/// spans hold personal data, [redact](crate::model::Redact) them. One that holds other files, too, keeps its mode, and is
/// refused where other users may write to it.
///
/// In the ledger spans that wait on disk stand under [`spooled`](crate::ledger::Stats::spooled); those of an earlier
/// process stand in no account. In a pipeline with several exporters, what the spool has counts as exported.
///
/// It wraps an [`OtlpExporter`] that speaks protobuf, and no other exporter: Jaeger takes OTLP at its port 4317.
///
/// A process that is forked off writes there what the peer does not take, and asks the peer with each batch; the parent, or
/// the next process, sends what it wrote.
///
/// Costs a thread with a small runtime.
///
/// ```no_run
/// use tailtrace::delivery::Spool;
/// use tailtrace::{OtlpExporter, Pipeline};
///
/// let exporter = OtlpExporter::new("http://collector:4318")?;
/// let spool = Spool::new("/var/spool/checkout", exporter)?
///     .with_max_bytes(512 * 1024 * 1024);
/// let pipeline = Pipeline::builder("checkout").with_exporter(spool).start()?;
/// # drop(pipeline);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Spool {
    settings: Directory,
    exporter: ForkLock<Option<OtlpExporter>>,
    running: OnceLock<Running>,
}

struct Running {
    shared: Arc<SpoolState>,
    thread: ForkLock<Option<JoinHandle<()>>>,
}

impl Spool {
    /// A spool in a directory, which is made where there is none.
    ///
    /// # Errors
    /// When the directory cannot be used, or the exporter speaks JSON.
    pub fn new(directory: impl Into<PathBuf>, exporter: OtlpExporter) -> Result<Self, SpoolError> {
        if exporter.protocol() == OtlpProtocol::HttpJson {
            return Err(SpoolError::Json);
        }
        let directory = directory.into();
        let settings = Directory {
            path: directory.clone(),
            max_bytes: 256 * 1024 * 1024,
            max_age: Duration::from_secs(72 * 3600),
            sync: false,
            seed: Random::thread().next_u64(),
        };
        let now = unix_nanos(Clock::system().wall());
        settings.open(now).map_err(|source| SpoolError::Directory {
            directory: shown_path(&directory),
            source,
        })?;
        let spool = Self { settings, exporter: ForkLock::default(), running: OnceLock::new() };
        *spool.exporter.lock() = Some(exporter);
        Ok(spool)
    }

    /// Sets the most bytes of the directory's batches. Default 256 MiB. Beyond them the oldest are thrown away.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.settings.max_bytes = bytes;
        self
    }

    /// Sets how old a batch may be. Default 72 hours. An older one is thrown away when another is written,
    /// or when it would be sent.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.settings.max_age = age;
        self
    }

    /// Whether each batch is synced to the disk before it counts as spooled. Default no: batches survive the process,
    /// and not the end of the machine.
    #[must_use]
    pub fn with_sync(mut self, sync: bool) -> Self {
        self.settings.sync = sync;
        self
    }

    /// The spool at work, from its first use on.
    fn running(&self) -> Option<&Running> {
        if self.running.get().is_none()
            && let Some(exporter) = self.exporter.lock().take()
        {
            let shared = Arc::new(SpoolState::new(self.settings.clone(), exporter));
            let thread = ForkLock::default();
            *thread.lock() = replay::start(Arc::clone(&shared)).ok();
            let _ = self.running.set(Running { shared, thread });
        }
        self.running.get()
    }
}

#[async_trait]
impl Exporter for Spool {
    async fn export(&self, mut batch: Batch) -> Result<(), ExportError> {
        let Some(Running { shared, .. }) = self.running() else {
            return Err(ExportError::permanent("the spool has been shut down"));
        };
        // Where the disk does not take it, the peer may be back.
        if shared.is_away() && shared.write(&mut batch).is_ok() {
            return Ok(());
        }
        let mut error = match shared.exporter.export(batch).await {
            Err(error) if error.is_retryable() => error,
            exported => {
                shared.answered();
                return exported;
            }
        };
        shared.went_away(&error);
        let rejected = error.rejected_spans().unwrap_or(0);
        let mut left = error.take_left();
        match shared.write(&mut left) {
            Ok(()) if rejected == 0 => Ok(()),
            Ok(()) => Err(ExportError::partial(rejected, error.to_string())),
            Err(full) => {
                let directory = shown_path(&self.settings.path);
                let directory = directory.display();
                let message =
                    format!("{error}, and the spool {directory} does not take spans: {full}");
                let told = ExportError::retryable(message, left).with_source(full);
                let told = told.with_rejected_spans(rejected);
                Err(match error.retry_after() {
                    Some(wait) => told.after(wait),
                    None => told,
                })
            }
        }
    }

    async fn flush(&self) -> Result<(), ExportError> {
        match self.running.get() {
            Some(running) => running.shared.exporter.flush().await,
            None => Ok(()),
        }
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        let Some(Running { shared, thread }) = self.running.get() else { return Ok(()) };
        shared.stop();
        let shut_down = shared.exporter.shutdown().await;
        // A request that is under way ends by its own time limit; what it sends stays locked until then. In a process
        // that was forked off there is no such thread.
        drop(thread.lock().take());
        shut_down
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("Spool")
    }

    fn batching(&self) -> Batching {
        // Asked once, when the pipeline starts: what an earlier process left is sent from then on.
        self.running().map_or_else(Batching::default, |running| running.shared.exporter.batching())
    }

    fn attach(&self, account: &SpoolAccount) {
        if let Some(running) = self.running() {
            running.shared.attach(account);
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Some(running) = self.running.get() {
            running.shared.stop();
        }
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("directory", &shown_path(&self.settings.path))
            .field("max_bytes", &self.settings.max_bytes)
            .field("max_age", &self.settings.max_age)
            .field("sync", &self.settings.sync)
            .finish_non_exhaustive()
    }
}
