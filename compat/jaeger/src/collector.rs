//! Thrift's binary format over HTTP, to a collector.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry::trace::TraceError;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_jaeger::Exporter as JaegerExporter;
use opentelemetry_sdk::runtime::Tokio;
use tailtrace::Exporter;
use tailtrace::model::Resource;
use tailtrace_otel_0_23::OtelExporter;

use crate::exporter::{BuildError, ThriftExporter, config_of};

/// Where a collector is.
///
/// Timeouts, credentials and TLS are the client's.
pub struct CollectorBuilder {
    endpoint: String,
    client: Shared,
}

impl CollectorBuilder {
    pub(crate) fn new(client: impl HttpClient + 'static) -> Self {
        let endpoint = "http://localhost:14268/api/traces".to_owned();
        Self { endpoint, client: Shared(Arc::new(client)) }
    }

    /// The collector's URL. Default: `http://localhost:14268/api/traces`, where Jaeger listens.
    ///
    /// opentelemetry-jaeger's own default names the port of another protocol and a path that does not exist.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// The exporter.
    ///
    /// # Errors
    /// When the endpoint is not a URL.
    pub fn build(self) -> Result<ThriftExporter, BuildError> {
        let connect = move |resource: &Resource| -> Result<Box<dyn Exporter>, TraceError> {
            Ok(Box::new(OtelExporter::new(self.connect(resource)?)))
        };
        ThriftExporter::new(connect, Arc::default())
    }

    fn connect(&self, resource: &Resource) -> Result<JaegerExporter, TraceError> {
        opentelemetry_jaeger::new_collector_pipeline()
            .with_endpoint(self.endpoint.as_str())
            .with_http_client(self.client.clone())
            .with_service_name(resource.service_name())
            .with_trace_config(config_of(resource))
            // The runtime is a type for it, and nothing more.
            .build_collector_exporter::<Tokio>()
    }
}

impl fmt::Debug for CollectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold credentials.
        f.debug_struct("CollectorBuilder").field("client", &self.client).finish_non_exhaustive()
    }
}

/// One client for the exporters of all services.
#[derive(Clone)]
struct Shared(Arc<dyn HttpClient>);

#[async_trait]
impl HttpClient for Shared {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Bytes>, HttpError> {
        self.0.send(request).await
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}
