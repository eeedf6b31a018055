//! What can be set about the exporter.

use super::{MOST_REQUESTED, ZipkinExporter};
use crate::export::http::{Client, Content, Endpoint, HttpError, Options, Peer, http_options};
use crate::kit::fork::ForkLock;
use crate::kit::secret::Secret;
use arc_swap::ArcSwapOption;

/// The user agent of requests.
const USER_AGENT: &str = concat!("tailtrace/", env!("CARGO_PKG_VERSION"));

/// The path at which Zipkin takes spans.
const SPANS: &str = "/api/v2/spans";

/// Makes a [`ZipkinExporter`].
///
/// ```
/// use tailtrace::ZipkinExporter;
/// let exporter = ZipkinExporter::builder().with_gzip(true).build()?;
/// assert_eq!(exporter.endpoint(), "http://localhost:9411/api/v2/spans");
/// assert!(ZipkinExporter::builder().with_endpoint("zipkin:9411").build().is_err());
/// # Ok::<(), tailtrace::export::HttpError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ZipkinExporterBuilder {
    endpoint: Secret<String>,
    options: Options,
}

impl ZipkinExporter {
    /// Makes an exporter with the defaults, to this URL as it is.
    ///
    /// # Errors
    /// When it is no URL that requests can be sent to, or when `https://` needs a feature that is off.
    pub fn new(endpoint: impl Into<String>) -> Result<Self, HttpError> {
        Self::builder().with_endpoint(endpoint).build()
    }

    /// Prepares an exporter to `http://localhost:9411/api/v2/spans` unless told otherwise.
    pub fn builder() -> ZipkinExporterBuilder {
        let endpoint = Secret::url("http://localhost:9411/api/v2/spans");
        ZipkinExporterBuilder { endpoint, options: Options::default() }
    }
}

impl ZipkinExporterBuilder {
    /// Sets the whole URL that spans are sent to. Default `http://localhost:9411/api/v2/spans`.
    ///
    /// `OTEL_EXPORTER_ZIPKIN_ENDPOINT`.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Secret::url(url);
        self
    }

    /// Makes the exporter. It connects with the first batch.
    ///
    /// # Errors
    /// When the endpoint, a header or a certificate cannot be used, or when `https://` needs a feature
    /// that is off.
    pub fn build(self) -> Result<ZipkinExporter, HttpError> {
        let endpoint = Endpoint::exact(self.endpoint.expose(), SPANS)?;
        let target = endpoint.shown.clone();
        let peer = Peer { endpoint, name: "Zipkin", language: "spans", other_cure: None };
        let content = Content { media_type: "application/json", empty: "[]" };
        let client = Client::new(peer, content, USER_AGENT, &self.options, MOST_REQUESTED)?;
        Ok(ZipkinExporter {
            target,
            client: ArcSwapOption::from_pointee(client),
            buffer: ForkLock::default(),
        })
    }
}

http_options!(ZipkinExporterBuilder, options);
