//! A queue and a thread for one exporter.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::drain::{Drain, DrainKind};
use super::report::DrainOutcome;
use super::{Delivery, DeliveryConfig, DeliveryReport, FlushError, ShutdownError};
use crate::export::{Batch, Batching, ExportError, Exporter};
use crate::kit::Random;
use crate::ledger::Ledger;
use crate::time::Clock;

/// Gives an exporter a queue and a thread of its own.
///
/// [`export`](Exporter::export) returns at once; batches, retries and time limits are those of
/// [`DeliveryConfig`]. A pipeline does this for each of its exporters already: wrap one that is
/// called by something else, or the slow part of an exporter that passes traces on.
///
/// The traces that it is given count as exported for the caller, except those that find the queue full.
/// What it loses later shows in [`lost`](Self::lost) and makes the next flush or shutdown fail. Dropping the
/// future of a shutdown before its end gives up what still waits; so does dropping the exporter.
///
/// Costs a thread and at most the memory that [`DeliveryConfig`] allows.
///
/// ```
/// use async_trait::async_trait;
/// use tailtrace::delivery::AsyncExporter;
/// use tailtrace::export::{Batch, ExportError};
/// use tailtrace::{Exporter, Trace, TraceId};
///
/// struct Slow;
///
/// #[async_trait]
/// impl Exporter for Slow {
///     async fn export(&self, batch: Batch) -> Result<(), ExportError> {
///         // Talks to a slow peer.
///         Ok(())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let exporter = AsyncExporter::new(Slow);
/// exporter.export(Trace::new(TraceId::new()).into()).await?;
/// exporter.shutdown().await?;
/// assert_eq!(exporter.lost(), 0);
/// # Ok::<(), ExportError>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AsyncExporter {
    name: Cow<'static, str>,
    ledger: Arc<Ledger>,
    delivery: Delivery,
    /// Why there is no thread.
    failed: Option<io::Error>,
}

impl AsyncExporter {
    /// Wraps an exporter, with the defaults of [`DeliveryConfig`].
    ///
    /// When the system refuses a thread, every export says so.
    #[must_use]
    pub fn new(inner: impl Exporter + 'static) -> Self {
        Self::with_config(inner, DeliveryConfig::default())
    }

    /// Wraps an exporter.
    #[must_use]
    pub fn with_config(inner: impl Exporter + 'static, config: DeliveryConfig) -> Self {
        let ledger = Arc::new(Ledger::default());
        let clock = Clock::system();
        let random = Random::thread();
        let account = Arc::clone(&ledger);
        let (delivery, failed) =
            Delivery::start(vec![Box::new(inner)], config, clock, random, account);
        let channel = delivery.channels.first();
        Self {
            name: channel.map_or(Cow::Borrowed("AsyncExporter"), |channel| {
                Cow::Owned(channel.name.to_string())
            }),
            ledger,
            delivery,
            failed,
        }
    }

    /// The spans that it was given and could not deliver, since it was made.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.ledger.counters().failed()
    }

    /// The spans that it was given and that still wait or are being sent.
    #[must_use]
    pub fn queued_spans(&self) -> u64 {
        self.ledger.queued_spans()
    }

    /// Blocks until what it was given so far is delivered and the wrapped exporter flushed; for callers
    /// that cannot await [`flush`](Exporter::flush).
    ///
    /// # Errors
    /// When that took longer than `timeout`, as it does on the wrapped exporter's own thread, where it
    /// waits for itself; when spans were lost meanwhile, or when the exporter could not flush.
    pub fn flush_within(&self, timeout: Duration) -> Result<DeliveryReport, FlushError> {
        self.delivery.flush(timeout)
    }

    /// Blocks until what it was given is delivered and the wrapped exporter shut down; for callers that
    /// cannot await [`shutdown`](Exporter::shutdown).
    ///
    /// # Errors
    /// When that took longer than `timeout`, in which case what still waits is given up; when spans were
    /// lost meanwhile, or when the exporter could not shut down.
    pub fn shutdown_within(&self, timeout: Duration) -> Result<DeliveryReport, ShutdownError> {
        self.delivery.shutdown(timeout, 0)
    }

    fn delivery(&self) -> Result<&Delivery, ExportError> {
        match &self.failed {
            None => Ok(&self.delivery),
            Some(error) => Err(ExportError::permanent(format!(
                "there is no thread to export from: {error}; allow the process more threads"
            ))),
        }
    }

    async fn drain(&self, ask: DrainKind) -> Result<DrainOutcome, ExportError> {
        Ok(Drain::start(&self.delivery()?.channels, ask).ended().await)
    }
}

#[async_trait]
impl Exporter for AsyncExporter {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        let delivery = self.delivery()?;
        if let Some(account) = batch.account() {
            self.ledger.count_sent_in(account);
        }
        let mut refused = 0;
        for trace in batch {
            let spans = trace.span_count() as u64;
            if !delivery.offer(trace) {
                refused += spans;
            }
        }
        if refused == 0 {
            return Ok(());
        }
        let message = "its queue was full; raise its limits or speed up its exporter";
        Err(ExportError::partial(refused, message))
    }

    async fn flush(&self) -> Result<(), ExportError> {
        let outcome = self.drain(DrainKind::Flush).await?;
        match FlushError::check(outcome, Duration::MAX) {
            Ok(_) => Ok(()),
            Err(error) => Err(ExportError::permanent(error.to_string()).with_source(error)),
        }
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        let outcome = self.drain(DrainKind::Shutdown).await?;
        match ShutdownError::check(outcome, Duration::MAX) {
            Ok(_) => Ok(()),
            Err(error) => Err(ExportError::permanent(error.to_string()).with_source(error)),
        }
    }

    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn batching(&self) -> Batching {
        // Its own queue gathers them.
        Batching::immediate()
    }
}

impl fmt::Debug for AsyncExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncExporter")
            .field("inner", &self.name)
            .field("queued_spans", &self.queued_spans())
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}
