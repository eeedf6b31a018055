//! Why an exporter over HTTP could not be made.

use std::error::Error;

use crate::kit::error_text::debug_like_display;

/// Why an exporter that sends by HTTP or gRPC could not be made.
///
/// The error of the builders of `OtlpExporter`, `JaegerExporter` and `ZipkinExporter`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The endpoint is no URL that requests can be sent to.
    #[error("{endpoint:?} is not an endpoint: {cure}")]
    Endpoint {
        /// The beginning of what was given.
        endpoint: String,
        /// What to do.
        cure: &'static str,
    },
    /// The endpoint holds a user's name or password, which would show in messages.
    #[error("the endpoint at {host:?} holds credentials: send them in a header, `authorization`")]
    Credentials {
        /// The host, without them.
        host: String,
    },
    /// The name is no name of a header.
    #[error("{name:?} is not the name of a header: use letters, digits and dashes")]
    HeaderName {
        /// The beginning of what was given.
        name: String,
    },
    /// The header's value cannot be sent; it is not shown, because it may be a secret.
    #[error("the value of the header {name:?} cannot be sent: use printable ASCII characters")]
    HeaderValue {
        /// The header's name.
        name: String,
    },
    /// The header belongs to the protocol.
    #[error("the header {name:?} is the protocol's own: leave it out")]
    ReservedHeader {
        /// The header's name.
        name: String,
    },
    /// The proxy is none that requests can be sent through. Its URL is not shown, because it may hold a password.
    #[error("the proxy cannot be used: write a URL such as http://proxy:3128")]
    Proxy,
    /// The endpoint needs TLS, which was not compiled in.
    #[error(
        "{endpoint:?} needs TLS: enable the feature `tls-native-roots` or `tls-webpki-roots`, or use http://"
    )]
    TlsFeature {
        /// The endpoint.
        endpoint: String,
    },
    /// Certificates are named for an endpoint without TLS, where they would defend nothing.
    #[error(
        "{endpoint:?} has no TLS, and certificates are set for it: use https://, or leave them out"
    )]
    TlsWithoutHttps {
        /// The endpoint.
        endpoint: String,
    },
    /// The endpoint needs TLS, and no certificate is trusted.
    #[error(
        "{endpoint:?} needs TLS and no authority is trusted: name a CA certificate, or enable the feature `tls-native-roots` or `tls-webpki-roots`"
    )]
    NoRoots {
        /// The endpoint.
        endpoint: String,
    },
    /// A certificate or a key cannot be used.
    #[error("{what} cannot be used: {source}")]
    Certificate {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
}

debug_like_display!(HttpError);

impl HttpError {
    /// Whether the endpoint needs TLS and cannot have it.
    pub(crate) const fn is_about_tls(&self) -> bool {
        matches!(self, Self::TlsFeature { .. } | Self::NoRoots { .. })
    }
}
