//! What can be set about the exporter.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::endpoint::Endpoint;
use super::tally::Tallies;
use super::transport::{Certificates, Settings, Transport};
use super::{OtlpError, OtlpExporter};
use crate::model::text::excerpt;

/// Who sends: the distribution in front of the exporter (specification, "OTLP exporter": user agent).
const AGENT: &str = concat!(
    "tailtrace/",
    env!("CARGO_PKG_VERSION"),
    " OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION")
);

/// How OTLP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OtlpProtocol {
    /// gRPC with protobuf. `OTEL_EXPORTER_OTLP_PROTOCOL`: `grpc`.
    Grpc,
    /// HTTP with protobuf. `OTEL_EXPORTER_OTLP_PROTOCOL`: `http/protobuf`.
    HttpProtobuf,
    /// HTTP with JSON. `OTEL_EXPORTER_OTLP_PROTOCOL`: `http/json`.
    HttpJson,
}

impl OtlpProtocol {
    /// Where it is spoken unless told otherwise.
    #[must_use]
    pub const fn default_endpoint(self) -> &'static str {
        match self {
            Self::Grpc => "http://localhost:4317",
            Self::HttpProtobuf | Self::HttpJson => "http://localhost:4318/v1/traces",
        }
    }
}

/// Makes an [`OtlpExporter`].
///
/// ```
/// use tailtrace::OtlpExporter;
/// let exporter = OtlpExporter::http().with_base_endpoint("http://collector:4318").build()?;
/// assert_eq!(exporter.endpoint(), "http://collector:4318/v1/traces");
/// let refused = OtlpExporter::grpc().with_endpoint("collector:4317").build();
/// assert!(refused.is_err_and(|error| error.to_string().contains("begin it with http://")));
/// # Ok::<(), tailtrace::export::OtlpError>(())
/// ```
#[must_use]
pub struct OtlpExporterBuilder {
    protocol: OtlpProtocol,
    endpoint: Place,
    headers: Vec<(String, String)>,
    timeout: Duration,
    gzip: bool,
    certificates: Certificates,
    peer: &'static str,
    language: &'static str,
}

#[derive(Debug)]
enum Place {
    Default,
    Exact(String),
    Base(String),
}

impl OtlpExporterBuilder {
    pub(in crate::export) fn new(protocol: OtlpProtocol) -> Self {
        Self {
            protocol,
            endpoint: Place::Default,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            gzip: false,
            certificates: Certificates::default(),
            peer: "a collector",
            language: "OTLP",
        }
    }

    /// The URL that requests are sent to, as it is: by HTTP with its path, `/v1/traces` at most
    /// collectors. By gRPC a path comes before that of the method.
    ///
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Place::Exact(url.into());
        self
    }

    /// The URL of a collector, to which HTTP adds `/v1/traces`.
    ///
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn with_base_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Place::Base(url.into());
        self
    }

    /// One more header of every request, or other text for one that is there. Its value shows
    /// nowhere. By gRPC it is metadata.
    ///
    /// `OTEL_EXPORTER_OTLP_HEADERS`.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How long one request may take, from connecting to the end of the answer. Default 10 s; zero is
    /// no limit, and then that of [`DeliveryConfig`](crate::delivery::DeliveryConfig) for the whole batch stays.
    ///
    /// `OTEL_EXPORTER_OTLP_TIMEOUT`.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Compresses requests: a fifth of the bytes for several times the work. Default off.
    ///
    /// `OTEL_EXPORTER_OTLP_COMPRESSION`: `gzip`.
    pub fn with_gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Trusts servers that have a certificate of this authority, in the form of PEM, and no others.
    /// Counts for `https://` only, like the other settings of TLS.
    ///
    /// `OTEL_EXPORTER_OTLP_CERTIFICATE`.
    pub fn with_ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.ca = Some(pem.into());
        self
    }

    /// Shows servers that ask for it this certificate, with what leads to its authority, and proves it
    /// by its key; both in the form of PEM.
    ///
    /// `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`, `OTEL_EXPORTER_OTLP_CLIENT_KEY`.
    pub fn with_client_identity(
        mut self,
        certificate_pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Self {
        self.certificates.identity = Some((certificate_pem.into(), key_pem.into()));
        self
    }

    /// Who is expected at the endpoint, for messages.
    #[cfg(any(feature = "jaeger", feature = "zipkin"))]
    pub(in crate::export) fn with_peer(mut self, peer: &'static str) -> Self {
        self.peer = peer;
        self
    }

    /// What is spoken at the endpoint, for messages.
    #[cfg(feature = "zipkin")]
    pub(in crate::export) fn with_language(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// The exporter. Connects to nobody yet.
    ///
    /// # Errors
    /// When the endpoint, a header or a certificate cannot be used, or when `https://` needs a feature
    /// that is off.
    pub fn build(self) -> Result<OtlpExporter, OtlpError> {
        let protocol = self.protocol;
        let (target, transport) = self.into_transport()?;
        Ok(OtlpExporter {
            protocol,
            target,
            transport: Mutex::new(Some(transport)),
            buffer: Mutex::default(),
            tallies: Mutex::new(Tallies::default()),
        })
    }

    /// What the exporter sends with, and how messages name its endpoint.
    pub(in crate::export) fn into_transport(self) -> Result<(String, Transport), OtlpError> {
        let protocol = self.protocol;
        let endpoint = match &self.endpoint {
            Place::Default => Endpoint::exact(protocol.default_endpoint()),
            Place::Exact(url) => Endpoint::exact(url),
            Place::Base(url) => Endpoint::base(url, protocol),
        }?;
        let target = endpoint.shown.clone();
        let settings = Settings {
            endpoint,
            headers: header_map(&self.headers)?,
            timeout: Some(self.timeout).filter(|timeout| !timeout.is_zero()),
            gzip: self.gzip,
            peer: self.peer,
            language: self.language,
        };
        Ok((target, Transport::new(protocol, settings, &self.certificates)?))
    }
}

impl fmt::Debug for OtlpExporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("OtlpExporterBuilder")
            .field("protocol", &self.protocol)
            .field("endpoint", &self.endpoint)
            .field("headers", &headers)
            .field("timeout", &self.timeout)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, OtlpError> {
    let mut map = HeaderMap::new();
    map.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, value) in headers {
        let shown = || excerpt(name);
        let Ok(known) = HeaderName::from_bytes(name.trim().as_bytes()) else {
            return Err(OtlpError::HeaderName { name: shown() });
        };
        let is_ours =
            [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE, TRANSFER_ENCODING]
                .contains(&known);
        if is_ours || known.as_str().starts_with("grpc-") {
            return Err(OtlpError::ReservedHeader { name: shown() });
        }
        let is_text = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let Some(mut value) = HeaderValue::from_str(value.trim()).ok().filter(|_| is_text) else {
            return Err(OtlpError::HeaderValue { name: shown() });
        };
        value.set_sensitive(true);
        map.insert(known, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_cannot_be_sent_is_refused_by_name_and_its_value_is_not_told() {
        let refused = |name: &str, value: &str| {
            let builder = OtlpExporter::http().with_header(name, value);
            assert!(!format!("{builder:?}").contains("secret"));
            builder.build().unwrap_err().to_string()
        };
        assert!(refused("two words", "x").contains("\"two words\""));
        assert!(refused("", "x").contains("letters, digits and dashes"));
        for value in ["secret\nx: y", "sécret secret", "secret\0"] {
            let told = refused("api-key", value);
            assert!(told.contains("\"api-key\"") && !told.contains("secret"), "{told}");
        }
        for name in ["Content-Type", "te", "grpc-timeout", "content-length"] {
            assert!(refused(name, "x").contains("protocol's own"), "{name}");
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_specification() {
        let endpoint = |builder: OtlpExporterBuilder| builder.build().unwrap().target;
        assert_eq!(endpoint(OtlpExporter::http()), "http://localhost:4318/v1/traces");
        assert_eq!(endpoint(OtlpExporter::http_json()), "http://localhost:4318/v1/traces");
        assert_eq!(endpoint(OtlpExporter::grpc()), "http://localhost:4317");
        assert_eq!(OtlpExporter::http().timeout, Duration::from_secs(10));
    }
}
