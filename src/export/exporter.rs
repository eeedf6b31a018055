//! The trait of every destination.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Batching, ExportError};
use crate::kit::type_name;
use crate::trace::Trace;

/// Sends batches of kept traces somewhere.
///
/// OpenTelemetry: `SpanExporter`. Calls never overlap for one exporter and come from a thread of
/// ours that runs a tokio runtime of its own; blocking there delays this exporter and nobody else.
/// A panic is caught, counted, and costs the batch in flight.
///
/// ```
/// use async_trait::async_trait;
/// use tailtrace::export::ExportError;
/// use tailtrace::{Exporter, Trace};
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
