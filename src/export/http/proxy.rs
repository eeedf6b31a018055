//! A proxy between an exporter and its peer.

use std::fmt;

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use super::error::HttpError;

/// Where a proxy is, and what it wants to be told.
#[derive(Clone)]
pub(in crate::export) struct Proxy {
    pub(super) uri: Uri,
    /// The name and password of its URL, as a header has them.
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads the URL of a proxy, `http://` by default.
    ///
    /// # Errors
    /// When it is none that requests can be sent through.
    pub(super) fn read(text: &str) -> Result<Self, HttpError> {
        let any = Uri::from_static("http://any");
        let matcher = Matcher::builder().all(text.trim()).build();
        let found = matcher.intercept(&any).ok_or(HttpError::Proxy)?;
        if found.uri().scheme() != Some(&Scheme::HTTP) {
            return Err(HttpError::Proxy);
        }
        Ok(Self { uri: found.uri().clone(), authorization: found.basic_auth().cloned() })
    }
}

/// Whether requests can be sent through a proxy of this URL.
pub(crate) fn is_proxy(text: &str) -> bool {
    Proxy::read(text).is_ok()
}

/// Whether requests to an endpoint go through a proxy; `exceptions` is a list as in `NO_PROXY`.
pub(crate) fn is_proxied(endpoint: &str, exceptions: &str) -> bool {
    let Ok(endpoint) = endpoint.trim().parse() else { return false };
    Matcher::builder().all("http://proxy").no(exceptions).build().intercept(&endpoint).is_some()
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("uri", &self.uri).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_hosts_with_what_is_below_them_and_networks() {
        let is_direct = |endpoint| !is_proxied(endpoint, "internal, 10.0.0.0/8,[::1]");
        assert!(is_direct("http://internal:4318") && is_direct("https://otel.internal"));
        assert!(is_direct("http://10.1.2.3:4318/v1/traces") && is_direct("unix:/run/otel.sock"));
        assert!(!is_direct("http://11.1.2.3") && !is_direct("http://external"));
        assert!(!is_proxied("http://external", "*"));
    }

    #[test]
    fn a_proxy_is_a_url_of_http_whose_password_does_not_show() {
        let proxy = Proxy::read(" user:s3cret@proxy:3128 ").unwrap();
        assert_eq!(proxy.uri.to_string(), "http://proxy:3128/");
        assert!(proxy.authorization.is_some() && !format!("{proxy:?}").contains("s3cret"));
        assert!(Proxy::read("http://proxy").unwrap().authorization.is_none());
        for text in ["", "socks5://s3cret@proxy", "https://proxy", "ftp://proxy", "http://"] {
            let told = Proxy::read(text).unwrap_err().to_string();
            assert!(told.contains("http://") && !told.contains("s3cret"), "{told}");
        }
    }
}
