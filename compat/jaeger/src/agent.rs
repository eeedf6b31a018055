//! Thrift's compact format over UDP, to an agent.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{BoxFuture, FutureExt, ready};
use opentelemetry::trace::TraceError;
use opentelemetry_jaeger::Exporter as JaegerExporter;
use opentelemetry_sdk::export::trace::{ExportResult, SpanData, SpanExporter};
use tailtrace::Exporter;
use tailtrace::model::Resource;
use tailtrace_otel_0_23::OtelExporter;

use crate::exporter::{BuildError, ThriftExporter, config_of};

/// Where an agent is, and how much it takes at once.
///
/// The sockets block, because those of opentelemetry-jaeger that do not panic in debug builds with tokio 1.44 and
/// later. Sending a datagram to an agent, which is on the same host, does not wait for anything.
#[derive(Clone)]
pub struct AgentBuilder {
    endpoint: String,
    max_packet_size: usize,
}

impl AgentBuilder {
    pub(crate) fn new() -> Self {
        Self { endpoint: "127.0.0.1:6831".to_owned(), max_packet_size: 65_000 }
    }

    /// The agent as `HOST:PORT`. Default: `127.0.0.1:6831`.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// The largest packet in bytes. Default: 65000, which is what agents take by default; some systems send less
    /// (macOS 9216).
    ///
    /// Batches that are larger go in several packets. A span that alone is larger is lost, and the rest are
    /// sent.
    #[must_use]
    pub fn with_max_packet_size(mut self, bytes: usize) -> Self {
        self.max_packet_size = bytes;
        self
    }

    /// The exporter.
    ///
    /// # Errors
    /// When the endpoint cannot be resolved, or no socket opened.
    pub fn build(self) -> Result<ThriftExporter, BuildError> {
        let too_large = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&too_large);
        let connect = move |resource: &Resource| -> Result<Box<dyn Exporter>, TraceError> {
            let (inner, too_large) = (self.connect(resource)?, Arc::clone(&counted));
            Ok(Box::new(OtelExporter::new(Agent { inner, too_large })))
        };
        ThriftExporter::new(connect, too_large)
    }

    fn connect(&self, resource: &Resource) -> Result<JaegerExporter, TraceError> {
        opentelemetry_jaeger::new_agent_pipeline()
            .with_endpoint(self.endpoint.as_str())
            .with_max_packet_size(self.max_packet_size)
            .with_auto_split_batch(true)
            .with_service_name(resource.service_name())
            .with_trace_config(config_of(resource))
            .build_sync_agent_exporter()
    }
}

impl fmt::Debug for AgentBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL with credentials may stand in place of the host.
        f.debug_struct("AgentBuilder")
            .field("max_packet_size", &self.max_packet_size)
            .finish_non_exhaustive()
    }
}

/// An exporter that does not lose a batch for one span of it.
#[derive(Debug)]
struct Agent {
    inner: JaegerExporter,
    too_large: Arc<AtomicU64>,
}

impl Agent {
    fn send(&mut self, mut spans: Vec<SpanData>) -> ExportResult {
        // Its own splitting gives a batch up for one span, before anything of it was sent.
        let sent = self.inner.export(spans.clone()).now_or_never();
        match sent.unwrap_or_else(|| Err("the socket blocks and is not waited for".into())) {
            Err(error) if !error.to_string().contains("over max UDP packet size") => Err(error),
            Err(_) if spans.len() > 1 => {
                let rest = spans.split_off(spans.len() / 2);
                self.send(spans)?;
                self.send(rest)
            }
            Err(_) => {
                self.too_large.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

impl SpanExporter for Agent {
    fn export(&mut self, batch: Vec<SpanData>) -> BoxFuture<'static, ExportResult> {
        ready(self.send(batch)).boxed()
    }
}
