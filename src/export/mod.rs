//! What leaves the process and where to.
//!
//! An [`Exporter`] is handed batches of kept traces; when and how often is delivery's affair.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::kit::type_name;
use crate::trace::Trace;

pub(crate) mod console;
mod error;
mod file;
#[cfg(feature = "jaeger")]
mod jaeger;
mod json;
mod memory;
#[cfg(feature = "otlp")]
mod otlp;
pub(crate) mod tree;
#[cfg(feature = "zipkin")]
mod zipkin;

pub use console::ConsoleExporter;
pub use error::ExportError;
pub use file::{FileError, FileExporter, Rotation};
#[cfg(feature = "jaeger")]
pub use jaeger::JaegerExporter;
pub use memory::InMemoryExporter;
#[cfg(feature = "otlp")]
pub use otlp::{OtlpError, OtlpExporter, OtlpExporterBuilder, OtlpProtocol};
#[cfg(feature = "zipkin")]
pub use zipkin::{ZipkinError, ZipkinExporter, ZipkinExporterBuilder};

/// Sends batches of kept traces somewhere.
///
/// OpenTelemetry: `SpanExporter`. Calls never overlap for one exporter and come from a thread of
/// ours that runs a tokio runtime of its own; blocking there delays this exporter and nobody else.
/// A panic is caught, counted, and costs the batch in flight.
///
/// ```
/// use async_trait::async_trait;
/// use tailtrace::export::{ExportError, Exporter};
/// use tailtrace::Trace;
///
/// struct Count(std::sync::atomic::AtomicUsize);
///
/// #[async_trait]
/// impl Exporter for Count {
///     async fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
///         self.0.fetch_add(batch.len(), std::sync::atomic::Ordering::Relaxed);
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Exporter: Send + Sync {
    /// Sends a batch; never an empty one.
    ///
    /// # Errors
    /// Says whether trying again makes sense; see [`ExportError`].
    async fn export(&self, batch: &[Trace]) -> Result<(), ExportError>;

    /// Pushes out whatever the exporter itself still holds back.
    ///
    /// # Errors
    /// When that could not be done.
    async fn flush(&self) -> Result<(), ExportError> {
        Ok(())
    }

    /// Flushes and lets go of connections and files. Called once, after the last batch.
    ///
    /// # Errors
    /// When something that was exported may not have arrived.
    async fn shutdown(&self) -> Result<(), ExportError> {
        self.flush().await
    }

    /// What warnings and the ledger call it. The default is the type's own name.
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(type_name::short(std::any::type_name::<Self>()))
    }

    /// How it likes its batches.
    fn batching(&self) -> Batching {
        Batching::default()
    }
}

/// How traces are gathered before they are handed to an [`Exporter`].
///
/// A batch is full when any of its bounds is reached. One that is not full leaves when its oldest
/// trace has waited for `max_age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// The most spans in a batch; one larger trace still goes, alone. Default 4096.
    pub max_spans: usize,
    /// The most bytes of memory in a batch. Default 2 MiB.
    pub max_bytes: usize,
    /// How long a trace waits for company. Default 200 ms; zero sends at once what is there.
    pub max_age: Duration,
}

impl Batching {
    /// Batches that leave at once: what gathers while one is being sent makes the next.
    #[must_use]
    pub fn immediate() -> Self {
        Self { max_age: Duration::ZERO, ..Self::default() }
    }
}

impl Default for Batching {
    fn default() -> Self {
        Self { max_spans: 4096, max_bytes: 2 * 1024 * 1024, max_age: Duration::from_millis(200) }
    }
}

/// A pointer to an exporter exports like what it points to.
macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[async_trait]
        impl<E: Exporter + ?Sized> Exporter for $pointer<E> {
            async fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
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

            fn batching(&self) -> Batching {
                (**self).batching()
            }
        }
    )*};
}

forward!(Arc, Box);
