//! Exporters of the tests, as exporters of the release line.

use std::fmt::Debug;
use std::sync::Arc;
#[cfg(not(before_0_30))]
use std::time::Duration;

use opentelemetry_sdk::Resource;

use super::{SdkResult, SpanData, SpanExporter};

/// An exporter as the tests write it for every line.
pub(crate) trait TestExporter: Debug + Send + Sync + 'static {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = SdkResult> + Send;

    fn flush(&self) -> SdkResult {
        Ok(())
    }

    fn shut_down(&self) -> SdkResult {
        Ok(())
    }

    fn set_resource(&self, _: &Resource) {}
}

/// A test's exporter as an exporter of the line.
#[derive(Debug)]
pub(crate) struct LineExporter<E> {
    inner: Arc<E>,
    /// Up to line 0.23 an exporter learns of a resource only from the spans.
    #[cfg(before_0_24)]
    last: Option<Resource>,
}

impl<E> LineExporter<E> {
    pub(crate) fn new(inner: E) -> Self {
        Self {
            inner: Arc::new(inner),
            #[cfg(before_0_24)]
            last: None,
        }
    }
}

/// For exporters that wrap another.
impl<E: TestExporter> TestExporter for LineExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
        self.inner.export(batch).await
    }
}

#[cfg(not(before_0_29))]
impl<E: TestExporter> SpanExporter for LineExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
        self.inner.export(batch).await
    }

    #[cfg(not(before_0_32))]
    fn shutdown_with_timeout(&self, limit: Duration) -> SdkResult {
        assert!(limit >= Duration::from_secs(1), "no time to end: {limit:?}");
        self.inner.shut_down()
    }

    #[cfg(all(before_0_32, not(before_0_30)))]
    fn shutdown_with_timeout(&mut self, limit: Duration) -> SdkResult {
        assert!(limit >= Duration::from_secs(1), "no time to end: {limit:?}");
        self.inner.shut_down()
    }

    #[cfg(before_0_30)]
    fn shutdown(&mut self) -> SdkResult {
        self.inner.shut_down()
    }

    #[cfg(not(before_0_32))]
    fn force_flush(&self) -> SdkResult {
        self.inner.flush()
    }

    #[cfg(before_0_32)]
    fn force_flush(&mut self) -> SdkResult {
        self.inner.flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(before_0_29)]
type Boxed = std::pin::Pin<Box<dyn Future<Output = SdkResult> + Send>>;

#[cfg(before_0_29)]
impl<E: TestExporter> SpanExporter for LineExporter<E> {
    fn export(&mut self, batch: Vec<SpanData>) -> Boxed {
        #[cfg(before_0_24)]
        if let Some(first) = batch.first() {
            let of = &*first.resource;
            assert!(batch.iter().all(|span| &*span.resource == of), "a batch of two services");
            if self.last.as_ref() != Some(of) {
                self.last = Some(of.clone());
                self.inner.set_resource(of);
            }
        }
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.export(batch).await })
    }

    #[cfg(before_0_28)]
    fn shutdown(&mut self) {
        let _ = self.inner.shut_down();
    }

    #[cfg(not(before_0_28))]
    fn shutdown(&mut self) -> SdkResult {
        self.inner.shut_down()
    }

    #[cfg(before_0_28)]
    fn force_flush(&mut self) -> Boxed {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.flush() })
    }

    #[cfg(not(before_0_28))]
    fn force_flush(&mut self) -> SdkResult {
        self.inner.flush()
    }

    #[cfg(not(before_0_24))]
    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
