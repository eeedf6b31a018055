//! An exporter of opentelemetry-jaeger for each service.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use opentelemetry::trace::TraceError;
use opentelemetry_http::HttpClient;
use opentelemetry_sdk::trace::Config;
use tailtrace::export::{Batch, Batching, ExportError};
use tailtrace::model::Resource;
use tailtrace::{Exporter, Trace};
use tailtrace_otel_0_23::convert::to_resource;

use crate::{AgentBuilder, CollectorBuilder};

/// For how many services exporters are kept; the oldest of more is ended.
const SERVICES: usize = 16;

/// Exports in Jaeger's own formats.
///
/// An exporter of opentelemetry-jaeger belongs to one service for its life. Here each service has its own, made
/// when the first of its traces arrives, so that a trace never leaves under another's name; up to 16 are kept.
pub struct ThriftExporter {
    connect: Box<Connect>,
    services: Mutex<Vec<Service>>,
    /// Spans that did not fit into a packet since the last export.
    too_large: Arc<AtomicU64>,
}

type Service = (Arc<Resource>, Arc<dyn Exporter>);

type Connect = dyn Fn(&Resource) -> Result<Box<dyn Exporter>, TraceError> + Send + Sync;

/// Why there is no exporter.
#[derive(thiserror::Error)]
#[error(
    "no exporter for Jaeger: {0}; check the endpoint, and OTEL_EXPORTER_JAEGER_* in the environment"
)]
pub struct BuildError(#[source] TraceError);

/// Prints what `Display` prints, which has the cause in it, for `fn main() -> Result<…>`.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ThriftExporter {
    /// To an agent, over UDP.
    ///
    /// ```
    /// use tailtrace_jaeger::ThriftExporter;
    ///
    /// let exporter = ThriftExporter::agent().with_endpoint("127.0.0.1:6831").build()?;
    /// # Ok::<(), tailtrace_jaeger::BuildError>(())
    /// ```
    #[must_use]
    pub fn agent() -> AgentBuilder {
        AgentBuilder::new()
    }

    /// To a collector, by a client of yours.
    ///
    /// Give it one that is used already; this crate brings none, since those that opentelemetry-jaeger has come
    /// with old versions of their crates. Its work runs on the exporter's thread, where tokio's timers and sockets
    /// are allowed.
    pub fn collector(client: impl HttpClient + 'static) -> CollectorBuilder {
        CollectorBuilder::new(client)
    }

    /// Tries whether an exporter can be made.
    pub(crate) fn new<C>(connect: C, too_large: Arc<AtomicU64>) -> Result<Self, BuildError>
    where
        C: Fn(&Resource) -> Result<Box<dyn Exporter>, TraceError> + Send + Sync + 'static,
    {
        connect(&Resource::new("unknown_service")).map_err(BuildError)?;
        Ok(Self { connect: Box::new(connect), services: Mutex::new(Vec::new()), too_large })
    }

    fn of(&self, resource: &Arc<Resource>) -> Result<Arc<dyn Exporter>, ExportError> {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, exporter)) = services.iter().find(|(known, _)| known == resource) {
            return Ok(Arc::clone(exporter));
        }
        let exporter: Arc<dyn Exporter> = match (self.connect)(resource) {
            Ok(exporter) => exporter.into(),
            Err(error) => {
                let message = format!("no exporter for {}: {error}", resource.service_name());
                return Err(ExportError::permanent(message).with_source(error));
            }
        };
        if services.len() >= SERVICES {
            services.remove(0);
        }
        services.push((Arc::clone(resource), Arc::clone(&exporter)));
        Ok(exporter)
    }

    fn all(&self) -> Vec<Arc<dyn Exporter>> {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.iter().map(|(_, exporter)| Arc::clone(exporter)).collect()
    }
}

/// What a process is told of in opentelemetry-jaeger.
pub(crate) fn config_of(resource: &Resource) -> Config {
    Config::default().with_resource(to_resource(resource))
}

#[async_trait]
impl Exporter for ThriftExporter {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        let mut groups: Vec<(Arc<Resource>, Vec<Trace>)> = Vec::new();
        for trace in &batch {
            match groups.iter_mut().find(|(resource, _)| resource == trace.resource()) {
                Some((_, traces)) => traces.push(trace.clone()),
                None => groups.push((Arc::clone(trace.resource()), vec![trace.clone()])),
            }
        }
        let mut lost = 0;
        let mut left = Vec::new();
        let mut failed = None;
        let services = groups.len();
        for (resource, traces) in groups {
            let spans = traces.iter().map(|trace| trace.span_count() as u64).sum();
            let sent = match self.of(&resource) {
                Ok(exporter) => exporter.export(Batch::from(traces)).await,
                Err(error) => {
                    left.extend(traces);
                    failed = Some(error);
                    continue;
                }
            };
            if let Err(error) = sent {
                lost += error.rejected_spans().unwrap_or(spans);
                failed = Some(error);
            }
        }
        let too_large = self.too_large.swap(0, Ordering::Relaxed);
        match failed {
            None if too_large > 0 => Err(ExportError::partial(
                too_large,
                "spans are larger than a packet may be; shorten their tags and logs, or raise \
                 `with_max_packet_size` where the network allows it",
            )),
            None => Ok(()),
            Some(error) if !left.is_empty() => {
                let left = Batch::from(left);
                let error = ExportError::retryable(error.to_string(), left).with_source(error);
                Err(error.with_rejected_spans(lost + too_large))
            }
            Some(error) if services == 1 => Err(error),
            Some(error) => {
                Err(ExportError::partial(lost + too_large, error.to_string()).with_source(error))
            }
        }
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        for exporter in self.all() {
            exporter.shutdown().await?;
        }
        Ok(())
    }

    fn batching(&self) -> Batching {
        self.all().first().map_or_else(Batching::default, |exporter| exporter.batching())
    }
}

impl fmt::Debug for ThriftExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThriftExporter")
            .field("services", &self.all().len())
            .finish_non_exhaustive()
    }
}
