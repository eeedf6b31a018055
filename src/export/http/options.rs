//! What can be set about the requests of an exporter.

use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::endpoint::Endpoint;
use super::error::HttpError;
use super::proxy::Proxy;
use crate::kit::header_rule::{HeaderFault, checked_name};
use crate::kit::secret::Secret;

/// The options that all exporters over HTTP have. [`http_options`] gives a builder their methods.
#[derive(Clone, Debug)]
pub(in crate::export) struct Options {
    pub(in crate::export) headers: Vec<(Secret<String>, Secret<String>)>,
    pub(in crate::export) timeout: Duration,
    pub(in crate::export) gzip: bool,
    pub(in crate::export) certificates: Certificates,
    /// The URL of the proxy.
    pub(in crate::export) proxy: Option<Secret<String>>,
}

/// The certificates for TLS, in the form of PEM.
#[derive(Clone, Debug, Default)]
pub(in crate::export) struct Certificates {
    /// The authorities that are trusted in place of the default ones.
    pub(in crate::export) ca: Option<Secret<Vec<u8>>>,
    /// The client's certificate and its key.
    pub(in crate::export) identity: Option<Identity>,
}

/// Who the client is.
#[derive(Clone, Debug)]
pub(in crate::export) struct Identity {
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS reads it"))]
    pub(in crate::export) certificate: Secret<Vec<u8>>,
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS reads it"))]
    pub(in crate::export) key: Secret<Vec<u8>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            gzip: false,
            certificates: Certificates::default(),
            proxy: None,
        }
    }
}

impl Certificates {
    pub(in crate::export) fn set_ca(&mut self, pem: Vec<u8>) {
        self.ca = Some(Secret::hidden(pem));
    }

    pub(in crate::export) fn set_identity(&mut self, certificate: Vec<u8>, key: Vec<u8>) {
        let certificate = Secret::hidden(certificate);
        self.identity = Some(Identity { certificate, key: Secret::hidden(key) });
    }

    /// Refuses certificates beside an endpoint without TLS: the program means to be defended, and is not.
    pub(super) fn check(&self, endpoint: &Endpoint) -> Result<(), HttpError> {
        if endpoint.is_https || (self.ca.is_none() && self.identity.is_none()) {
            return Ok(());
        }
        Err(HttpError::TlsWithoutHttps { endpoint: endpoint.shown.clone() })
    }
}

impl Options {
    pub(in crate::export) fn add_header(&mut self, name: String, value: String) {
        self.headers.push((Secret::header_name(name), Secret::hidden(value)));
    }

    pub(in crate::export) fn set_proxy(&mut self, url: String) {
        self.proxy = Some(Secret::url(url));
    }

    /// How long a request may take; `None` when there is no limit.
    pub(in crate::export) fn time_limit(&self) -> Option<Duration> {
        Some(self.timeout).filter(|timeout| !timeout.is_zero())
    }

    /// The proxy that requests go through, if there is one.
    ///
    /// # Errors
    /// When its URL is none that requests can be sent through.
    pub(super) fn proxy(&self) -> Result<Option<Proxy>, HttpError> {
        self.proxy.as_ref().map(|url| Proxy::read(url.expose())).transpose()
    }

    /// The headers of every request, except those of the protocol.
    ///
    /// # Errors
    /// When one of them cannot be sent.
    pub(in crate::export) fn header_map(
        &self,
        user_agent: &'static str,
    ) -> Result<HeaderMap, HttpError> {
        let mut map = HeaderMap::new();
        map.insert(USER_AGENT, HeaderValue::from_static(user_agent));
        for (name, value) in &self.headers {
            let shown = || name.to_string();
            let value = value.expose();
            let checked = checked_name(name.expose(), value).map_err(|fault| match fault {
                HeaderFault::Name => HttpError::HeaderName { name: shown() },
                HeaderFault::Value => HttpError::HeaderValue { name: shown() },
                HeaderFault::Reserved => HttpError::ReservedHeader { name: shown() },
            })?;
            let known = HeaderName::from_bytes(checked.as_bytes());
            let known = known.map_err(|_| HttpError::HeaderName { name: shown() })?;
            let sent = HeaderValue::from_str(value.trim());
            let mut sent = sent.map_err(|_| HttpError::HeaderValue { name: shown() })?;
            sent.set_sensitive(true);
            map.insert(known, sent);
        }
        Ok(map)
    }
}

/// Gives a builder the methods for its [`Options`].
#[allow(unused_macros, reason = "`tls` and `http-client` alone have no exporter that needs it")]
macro_rules! http_options {
    ($builder:ty, $($options:ident).+) => {
        impl $builder {
            /// Adds a header to every request, or replaces its value. The value shows nowhere. By gRPC a
            /// header is metadata.
            pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
                self.$($options).+.add_header(name.into(), value.into());
                self
            }

            /// Limits the time of one request, from connecting to the end of the answer. Default 10 s;
            /// zero is no limit, and then the [time limit of a batch] remains.
            ///
            /// [time limit of a batch]: crate::delivery::DeliveryConfig::export_timeout
            pub fn with_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.$($options).+.timeout = timeout;
                self
            }

            /// Compresses requests: a fifth to a tenth of the bytes for several times the work. Default
            /// off.
            pub fn with_gzip(mut self, gzip: bool) -> Self {
                self.$($options).+.gzip = gzip;
                self
            }

            /// Sends requests through this proxy, `http://host:port`. A name and a password in the URL are sent to
            /// the proxy and show nowhere. Default none; a pipeline of [`config`](crate::config) takes the one that
            /// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name for the endpoint.
            ///
            /// `https://` and gRPC go through a tunnel, of which the proxy sees host and port only. A socket
            /// of Unix needs no proxy and uses none.
            pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
                self.$($options).+.set_proxy(url.into());
                self
            }

            /// Trusts servers that have a certificate of this authority, in the form of PEM, and no other
            /// servers. Beside `http://` it is an error to build the exporter, like the other settings of TLS.
            pub fn with_ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
                self.$($options).+.certificates.set_ca(pem.into());
                self
            }

            /// Shows this certificate, with those that lead to its authority, to servers that ask for one,
            /// and proves it by its key; both in the form of PEM.
            pub fn with_client_identity(
                mut self,
                certificate_pem: impl Into<Vec<u8>>,
                key_pem: impl Into<Vec<u8>>,
            ) -> Self {
                self.$($options).+.certificates.set_identity(certificate_pem.into(), key_pem.into());
                self
            }
        }
    };
}

pub(in crate::export) use http_options;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_cannot_be_sent_is_refused_by_name_and_its_value_is_not_told() {
        let refused = |name: &str, value: &str| {
            let mut options = Options::default();
            options.add_header(name.to_owned(), value.to_owned());
            assert!(!format!("{options:?}").contains("secret"));
            options.header_map("test").unwrap_err().to_string()
        };
        assert!(refused("two words", "x").contains("\"two…\""));
        assert!(refused("", "x").contains("letters, digits and dashes"));
        for value in ["secret\nx: y", "sécret secret", "secret\0"] {
            let told = refused("api-key", value);
            assert!(told.contains("\"api-key\"") && !told.contains("secret"), "{told}");
        }
        for name in ["Content-Type", "te", "grpc-timeout", "content-length"] {
            assert!(refused(name, "x").contains("protocol's own"), "{name}");
        }
    }
}
