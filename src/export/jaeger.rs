//! Traces to Jaeger.

use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;
use http::Uri;

use super::http::{HttpError, http_options};
use super::otlp::{OtlpExporter, OtlpExporterBuilder};
use super::{Batch, Batching, ExportError, Exporter, OtlpProtocol};
use crate::kit::secret::{Secret, shown_url};

/// The ports at which Jaeger takes OTLP.
const GRPC_PORT: u16 = 4317;
const HTTP_PORT: u16 = 4318;

/// Sends traces to Jaeger, which takes OTLP since its version 1.35.
///
/// Feature `jaeger`. An [`OtlpExporter`] that knows Jaeger's ports: 4317 speaks gRPC, 4318 HTTP. A URL
/// with a path, such as that of a proxy, is HTTP as it is; one with `http://` and neither a port nor a
/// path gets port 4317; any other speaks gRPC.
///
/// Jaeger's older ways in, thrift over HTTP or UDP and its own gRPC, are not spoken here: a URL with
/// one of their ports is refused.
///
/// ```
/// use tailtrace::JaegerExporter;
/// let exporter = JaegerExporter::new("http://jaeger.example")?;
/// assert_eq!(exporter.endpoint(), "http://jaeger.example:4317");
/// let old = JaegerExporter::new("http://localhost:14268/api/traces").unwrap_err();
/// assert!(old.to_string().contains("4318"));
/// # Ok::<(), tailtrace::export::HttpError>(())
/// ```
pub struct JaegerExporter(OtlpExporter);

impl JaegerExporter {
    /// Makes an exporter to the Jaeger at this address.
    ///
    /// # Errors
    /// When it is no address, or one where Jaeger does not take OTLP.
    pub fn new(endpoint: impl Into<String>) -> Result<Self, HttpError> {
        Self::builder().with_endpoint(endpoint).build()
    }

    /// Prepares an exporter to a Jaeger on this machine, at `http://localhost:4317`, unless told otherwise.
    pub fn builder() -> JaegerExporterBuilder {
        let endpoint = Secret::url(OtlpProtocol::Grpc.default_endpoint());
        JaegerExporterBuilder { endpoint, otlp: OtlpExporter::builder().with_peer("Jaeger") }
    }

    /// The protocol that the exporter speaks.
    #[must_use]
    pub const fn protocol(&self) -> OtlpProtocol {
        self.0.protocol()
    }

    /// Where it sends to, without a query.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.0.endpoint()
    }
}

/// Makes a [`JaegerExporter`].
///
/// ```
/// use tailtrace::JaegerExporter;
/// let exporter = JaegerExporter::builder()
///     .with_endpoint("http://localhost:4318")
///     .with_header("authorization", "Bearer 4711")
///     .with_gzip(true)
///     .build()?;
/// assert_eq!(exporter.endpoint(), "http://localhost:4318/v1/traces");
/// # Ok::<(), tailtrace::export::HttpError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct JaegerExporterBuilder {
    endpoint: Secret<String>,
    otlp: OtlpExporterBuilder,
}

impl JaegerExporterBuilder {
    /// Sets the address of Jaeger, whose port or path says the protocol. Default `http://localhost:4317`.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Secret::url(url);
        self
    }

    /// Sets whether the members of other systems in the trace state leave with the local root alone. Default on; see
    /// [`OtlpExporterBuilder::with_foreign_trace_state_on_root_only`].
    pub fn with_foreign_trace_state_on_root_only(mut self, only_root: bool) -> Self {
        self.otlp = self.otlp.with_foreign_trace_state_on_root_only(only_root);
        self
    }

    /// Makes the exporter. It connects with the first batch.
    ///
    /// # Errors
    /// When the address is none, or one where Jaeger does not take OTLP, or when a header or a certificate
    /// cannot be used.
    pub fn build(self) -> Result<JaegerExporter, HttpError> {
        let Self { endpoint, otlp } = self;
        let endpoint = endpoint.expose().trim();
        let url: Uri = endpoint.parse().unwrap_or_default();
        let port = url.port_u16();
        if let Some(cure) = port.and_then(cure_of) {
            return Err(HttpError::Endpoint { endpoint: shown_url(endpoint), cure });
        }
        let has_path = !matches!(url.path(), "" | "/");
        let grpc = |otlp: OtlpExporterBuilder| otlp.with_protocol(OtlpProtocol::Grpc);
        let otlp = match port {
            _ if has_path => otlp.with_endpoint(endpoint),
            Some(HTTP_PORT) => otlp.with_base_endpoint(endpoint),
            None if url.scheme_str() == Some("http") => {
                let host = endpoint.trim_end_matches('/');
                grpc(otlp).with_endpoint(format!("{host}:{GRPC_PORT}"))
            }
            _ => grpc(otlp).with_endpoint(endpoint),
        };
        Ok(JaegerExporter(otlp.build()?))
    }
}

http_options!(JaegerExporterBuilder, otlp.options);

/// What to do about a port at which Jaeger does something else.
const fn cure_of(port: u16) -> Option<&'static str> {
    Some(match port {
        14268 => "Jaeger takes thrift there, use its port 4318 for OTLP",
        14250 => "Jaeger takes its own gRPC there, use its port 4317 for OTLP",
        6831 | 6832 => "Jaeger takes thrift by UDP there, use its port 4317 for OTLP",
        9411 => "Jaeger takes Zipkin's format there, use its port 4318 for OTLP",
        16685 | 16686 => "Jaeger shows traces there and takes none, use its port 4317 for OTLP",
        _ => return None,
    })
}

#[async_trait]
impl Exporter for JaegerExporter {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        self.0.export(batch).await
    }

    async fn flush(&self) -> Result<(), ExportError> {
        self.0.flush().await
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        self.0.shutdown().await
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("JaegerExporter")
    }

    fn batching(&self) -> Batching {
        self.0.batching()
    }
}

impl fmt::Debug for JaegerExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JaegerExporter").field(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_or_the_path_says_the_protocol() {
        let read = |endpoint| {
            let made = JaegerExporter::new(endpoint).unwrap();
            (made.protocol(), made.endpoint().to_owned())
        };
        let grpc = |endpoint: &str| (OtlpProtocol::Grpc, endpoint.to_owned());
        let http = |endpoint: &str| (OtlpProtocol::HttpProtobuf, endpoint.to_owned());
        assert_eq!(read("http://jaeger:4317"), grpc("http://jaeger:4317"));
        assert_eq!(read("http://jaeger:4317/"), grpc("http://jaeger:4317"));
        assert_eq!(read("http://jaeger"), grpc("http://jaeger:4317"));
        assert_eq!(read(" http://[::1]/ "), grpc("http://[::1]:4317"));
        assert_eq!(read("http://jaeger:4318"), http("http://jaeger:4318/v1/traces"));
        assert_eq!(read("http://jaeger:4318/v1/traces"), http("http://jaeger:4318/v1/traces"));
        assert_eq!(read("http://proxy/jaeger/otlp"), http("http://proxy/jaeger/otlp"));
        assert_eq!(read("http://jaeger:5000"), grpc("http://jaeger:5000"));
        assert_eq!(JaegerExporter::builder().build().unwrap().endpoint(), "http://localhost:4317");
    }

    #[test]
    fn a_port_where_jaeger_takes_no_otlp_is_refused_with_the_one_where_it_does() {
        for port in [6831, 6832, 9411, 14250, 14268, 16685, 16686] {
            for endpoint in [format!("http://jaeger:{port}/api/traces"), format!("jaeger:{port}")] {
                let told = JaegerExporter::new(endpoint.clone()).unwrap_err().to_string();
                assert!(told.contains(&endpoint) && told.contains("use its port 431"), "{told}");
            }
        }
        let told = JaegerExporter::new("jaeger").unwrap_err().to_string();
        assert!(told.contains("begin it with http://"), "{told}");
    }
}
