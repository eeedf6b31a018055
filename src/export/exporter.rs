//! The trait of every destination.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Batch, Batching, ExportError};
use crate::kit::type_name;
use crate::ledger::SpoolAccount;

/// Sends batches of kept traces somewhere.
///
/// Implement it under `#[async_trait]`, as `async fn export(&self, batch: Batch) -> Result<(), ExportError>`. The
/// attribute is of the crate `async-trait`, which stands in your Cargo.toml then; without it rustc says
/// "lifetime parameters or bounds on method `export` do not match the trait declaration":
///
/// ```toml
/// [dependencies]
/// async-trait = "0.1"
/// ```
///
/// OpenTelemetry: `SpanExporter`. What an exporter may rely on in a pipeline:
///
/// - When: [`export`](Self::export) is called when a batch is full or its oldest trace has waited for
///   [`Batching::max_age`], and when a flush or the shutdown asks for what is queued;
///   [`flush`](Self::flush) when a caller flushes, after everything queued before has been exported;
///   [`shutdown`](Self::shutdown) when the pipeline ends; [`name`](Self::name) and
///   [`batching`](Self::batching) when the pipeline starts.
/// - How often: `export` once for each batch, and again for what is left of it after a retryable error
///   or after the [time limit](crate::delivery::DeliveryConfig::export_timeout) of a call, until the
///   [budget](crate::delivery::Retry::budget) is used up. `shutdown`, `name` and `batching` once.
/// - On which thread: all of it, and the exporter's drop, on one thread that the exporter shares with no
///   other exporter, inside a tokio runtime of its own. Calls never overlap. An exporter that blocks
///   delays itself only, but a time limit cannot interrupt it. `name` and `batching` are called on the
///   thread that starts the pipeline.
/// - Under which locks: none.
/// - A panic is caught and counted. It costs the batch in flight, except what the exporter has
///   [marked](Batch::mark_accepted) in it.
///
/// An exporter that writes a line for each span, and has a batch tried again that it could not write:
///
/// ```
/// use std::fmt::Write as _;
/// use std::io::Write;
/// use std::sync::{Mutex, PoisonError};
///
/// use async_trait::async_trait;
/// use tailtrace::Exporter;
/// use tailtrace::export::{Batch, ExportError};
///
/// struct LineExporter<W>(Mutex<W>);
///
/// #[async_trait]
/// impl<W: Write + Send> Exporter for LineExporter<W> {
///     async fn export(&self, batch: Batch) -> Result<(), ExportError> {
///         let mut lines = String::new();
///         // By reference: what is taken out of the batch cannot be tried again.
///         for trace in &batch {
///             for span in trace.spans() {
///                 let _ = writeln!(lines, "{} {:?}", span.operation_name(), span.duration());
///             }
///         }
///         let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         match writer.write_all(lines.as_bytes()) {
///             Ok(()) => Ok(()),
///             Err(error) => Err(ExportError::retryable("cannot write", batch).with_source(error)),
///         }
///     }
/// }
/// ```
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not export traces",
    label = "not an exporter",
    note = "constructors of exporters return a `Result`: a `?` or `.unwrap()` behind it may be missing",
    note = "builders make an exporter by `.build()`, most of them with a `?` behind it",
    note = "an exporter of your own implements `tailtrace::Exporter` under `#[async_trait]` of the crate `async-trait`"
)]
pub trait Exporter: Send + Sync {
    /// Sends a batch, which is never empty.
    ///
    /// # Errors
    /// When not all of it was accepted. The error says whether trying again makes sense, and returns
    /// what is left then; see [`ExportError`].
    async fn export(&self, batch: Batch) -> Result<(), ExportError>;

    /// Sends what the exporter itself still holds back.
    ///
    /// # Errors
    /// When the exporter could not send it.
    async fn flush(&self) -> Result<(), ExportError> {
        Ok(())
    }

    /// Flushes and closes connections and files. Called once, after the last batch.
    ///
    /// # Errors
    /// When something that was exported may not have arrived.
    async fn shutdown(&self) -> Result<(), ExportError> {
        self.flush().await
    }

    /// The name of the exporter in warnings and in the ledger. The default is the name of its type.
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(type_name::short(std::any::type_name::<Self>()))
    }

    /// Lets an exporter of this crate that holds traces on disk tell so, where it is the only one of its pipeline.
    #[doc(hidden)]
    fn attach(&self, _: &SpoolAccount) {}

    /// How traces are gathered for this exporter, unless the pipeline's configuration says otherwise.
    fn batching(&self) -> Batching {
        Batching::default()
    }
}

/// A pointer to an exporter exports like what it points to.
macro_rules! export_through {
    ($($pointer:ident),*) => {$(
        #[async_trait]
        impl<E: Exporter + ?Sized> Exporter for $pointer<E> {
            async fn export(&self, batch: Batch) -> Result<(), ExportError> {
                (**self).export(batch).await
            }

            async fn flush(&self) -> Result<(), ExportError> {
                (**self).flush().await
            }

            async fn shutdown(&self) -> Result<(), ExportError> {
                (**self).shutdown().await
            }

            fn name(&self) -> Cow<'static, str> {
                (**self).name()
            }

            fn attach(&self, account: &SpoolAccount) {
                (**self).attach(account);
            }

            fn batching(&self) -> Batching {
                (**self).batching()
            }
        }
    )*};
}

export_through!(Arc, Box);
