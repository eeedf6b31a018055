//! What can be set about the requests of an exporter.

use std::fmt;
use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::HttpError;
use crate::model::text::excerpt;

/// The options that all exporters over HTTP have. [`http_options`] gives a builder their methods.
#[derive(Clone)]
pub(in crate::export) struct Options {
    pub(in crate::export) headers: Vec<(String, String)>,
    pub(in crate::export) timeout: Duration,
    pub(in crate::export) gzip: bool,
    pub(in crate::export) certificates: Certificates,
}

/// The certificates for TLS, in the form of PEM.
#[derive(Clone, Default)]
pub(in crate::export) struct Certificates {
    /// The authorities that are trusted in place of the default ones.
    pub(in crate::export) ca: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub(in crate::export) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            gzip: false,
            certificates: Certificates::default(),
        }
    }
}

impl Options {
    /// How long a request may take; `None` when there is no limit.
    pub(in crate::export) fn time_limit(&self) -> Option<Duration> {
        Some(self.timeout).filter(|timeout| !timeout.is_zero())
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
            let shown = || excerpt(name);
            let Ok(known) = HeaderName::from_bytes(name.trim().as_bytes()) else {
                return Err(HttpError::HeaderName { name: shown() });
            };
            if RESERVED.contains(&known) || known.as_str().starts_with("grpc-") {
                return Err(HttpError::ReservedHeader { name: shown() });
            }
            let is_text = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            let Some(mut value) = HeaderValue::from_str(value.trim()).ok().filter(|_| is_text)
            else {
                return Err(HttpError::HeaderValue { name: shown() });
            };
            value.set_sensitive(true);
            map.insert(known, value);
        }
        Ok(map)
    }
}

/// The headers that the client sets itself.
const RESERVED: [HeaderName; 6] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE, TRANSFER_ENCODING];

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values of headers are often secrets, and so is the key of a certificate.
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Options")
            .field("headers", &headers)
            .field("timeout", &self.timeout)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
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
                self.$($options).+.headers.push((name.into(), value.into()));
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

            /// Trusts servers that have a certificate of this authority, in the form of PEM, and no other
            /// servers. Counts for `https://` only, like the other settings of TLS.
            pub fn with_ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
                self.$($options).+.certificates.ca = Some(pem.into());
                self
            }

            /// Shows this certificate, with those that lead to its authority, to servers that ask for one,
            /// and proves it by its key; both in the form of PEM.
            pub fn with_client_identity(
                mut self,
                certificate_pem: impl Into<Vec<u8>>,
                key_pem: impl Into<Vec<u8>>,
            ) -> Self {
                let identity = (certificate_pem.into(), key_pem.into());
                self.$($options).+.certificates.identity = Some(identity);
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
            let headers = vec![(name.to_owned(), value.to_owned())];
            let options = Options { headers, ..Options::default() };
            assert!(!format!("{options:?}").contains("secret"));
            options.header_map("test").unwrap_err().to_string()
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
}
