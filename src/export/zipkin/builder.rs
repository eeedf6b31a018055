//! What can be set about the exporter.

use std::sync::Mutex;
use std::time::Duration;

use super::ZipkinExporter;
use crate::export::otlp::{OtlpError, OtlpExporterBuilder, OtlpProtocol};

/// Why a [`ZipkinExporter`] could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the exporter to Zipkin: {0}")]
pub struct ZipkinError(#[source] OtlpError);

impl ZipkinError {
    /// What is wrong, for messages that name the exporter themselves.
    pub(crate) fn into_cause(self) -> OtlpError {
        self.0
    }
}

/// Makes a [`ZipkinExporter`].
///
/// ```
/// use tailtrace::ZipkinExporter;
/// let exporter = ZipkinExporter::builder().build()?;
/// assert_eq!(exporter.endpoint(), "http://localhost:9411/api/v2/spans");
/// assert!(ZipkinExporter::builder().with_endpoint("zipkin:9411").build().is_err());
/// # Ok::<(), tailtrace::export::ZipkinError>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct ZipkinExporterBuilder(OtlpExporterBuilder);

impl ZipkinExporterBuilder {
    pub(super) fn new() -> Self {
        let agent = concat!("tailtrace/", env!("CARGO_PKG_VERSION"));
        let http = OtlpExporterBuilder::new(OtlpProtocol::HttpJson)
            .with_endpoint("http://localhost:9411/api/v2/spans")
            .with_header("user-agent", agent)
            .with_peer("Zipkin")
            .with_language("spans");
        Self(http)
    }

    /// The whole URL that spans are sent to. Default `http://localhost:9411/api/v2/spans`.
    ///
    /// `OTEL_EXPORTER_ZIPKIN_ENDPOINT`.
    pub fn with_endpoint(self, url: impl Into<String>) -> Self {
        Self(self.0.with_endpoint(url))
    }

    /// One more header of every request, or other text for one that is there. Its value shows nowhere.
    pub fn with_header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self(self.0.with_header(name, value))
    }

    /// How long one request may take, from connecting to the end of the answer. Default 10 s; zero is
    /// no limit.
    ///
    /// `OTEL_EXPORTER_ZIPKIN_TIMEOUT`.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self(self.0.with_timeout(timeout))
    }

    /// Compresses requests: a tenth of the bytes for more work. Default off.
    pub fn with_gzip(self) -> Self {
        Self(self.0.with_gzip())
    }

    /// Trusts servers that have a certificate of this authority, in the form of PEM, and no others.
    pub fn with_ca_certificate(self, pem: impl Into<Vec<u8>>) -> Self {
        Self(self.0.with_ca_certificate(pem))
    }

    /// Shows servers that ask for it this certificate, and proves it by its key; both in the form of
    /// PEM.
    pub fn with_client_identity(
        self,
        certificate_pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Self {
        Self(self.0.with_client_identity(certificate_pem, key_pem))
    }

    /// The exporter. Connects to nobody yet.
    ///
    /// # Errors
    /// When the endpoint, a header or a certificate cannot be used, or when `https://` needs a feature
    /// that is off.
    pub fn build(self) -> Result<ZipkinExporter, ZipkinError> {
        let (target, transport) = self.0.into_transport().map_err(ZipkinError)?;
        let transport = Mutex::new(Some(transport));
        Ok(ZipkinExporter { target, transport, buffer: Mutex::default() })
    }
}
