//! `OTEL_EXPORTER_ZIPKIN_*`. Pure.

use std::fmt;
use std::time::Duration;

#[cfg(feature = "http-client")]
use super::builder_checks as checks;
#[cfg(not(feature = "http-client"))]
use super::missing_checks as checks;
use super::proxies::Proxies;
use super::url::{Url, unix_socket};
use super::variables::Variables;
use crate::kit::secret::Secret;

pub(super) const ENDPOINT: &str = "OTEL_EXPORTER_ZIPKIN_ENDPOINT";

/// What `OTEL_EXPORTER_ZIPKIN_*` says.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZipkinSettings {
    /// The whole URL that spans are sent to, or `unix:` with the path of a socket. Default
    /// `http://localhost:9411/api/v2/spans`.
    pub endpoint: String,
    /// How long one request may take; zero is no limit. Default 10 s.
    pub timeout: Duration,
    /// The proxy on the way to the endpoint.
    pub(super) proxy: Option<Secret<String>>,
}

impl fmt::Debug for ZipkinSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZipkinSettings")
            .field("endpoint", &Secret::url(&*self.endpoint))
            .field("timeout", &self.timeout)
            .field("proxy", &self.proxy)
            .finish()
    }
}

impl ZipkinSettings {
    pub(super) fn read(vars: &mut Variables<'_>, proxies: &Proxies) -> Self {
        let cure = "use a URL such as http://localhost:9411/api/v2/spans";
        let whole = |text: &str| {
            let url = || Url::read(text).filter(Url::has_scheme).map(|url| url.as_is());
            unix_socket(text).or_else(url).filter(|endpoint| checks::accepts_endpoint(endpoint))
        };
        let endpoint = vars.address(ENDPOINT, cure, whole);
        let timeout = vars.millis("OTEL_EXPORTER_ZIPKIN_TIMEOUT");
        let endpoint = endpoint.unwrap_or_else(|| "http://localhost:9411/api/v2/spans".to_owned());
        Self {
            proxy: proxies.for_endpoint(&endpoint, vars),
            endpoint,
            timeout: timeout.unwrap_or(Duration::from_secs(10)),
        }
    }
}
