//! `OTEL_EXPORTER_ZIPKIN_*`. Pure.

use std::fmt;
use std::time::Duration;

use super::url::Url;
use super::variables::Variables;
use crate::kit::secret::Secret;

/// What `OTEL_EXPORTER_ZIPKIN_*` says.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZipkinSettings {
    /// The whole URL that spans are sent to. Default `http://localhost:9411/api/v2/spans`.
    pub endpoint: String,
    /// How long one request may take; zero is no limit. Default 10 s.
    pub timeout: Duration,
}

impl fmt::Debug for ZipkinSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZipkinSettings")
            .field("endpoint", &Secret::url(&*self.endpoint))
            .field("timeout", &self.timeout)
            .finish()
    }
}

impl ZipkinSettings {
    pub(super) fn read(vars: &mut Variables<'_>) -> Self {
        let cure = "use a URL such as http://localhost:9411/api/v2/spans";
        let whole = |text: &str| Url::read(text).filter(Url::has_scheme).map(|url| url.as_is());
        let endpoint = vars.address("OTEL_EXPORTER_ZIPKIN_ENDPOINT", cure, whole);
        let timeout = vars.millis("OTEL_EXPORTER_ZIPKIN_TIMEOUT");
        Self {
            endpoint: endpoint.unwrap_or_else(|| "http://localhost:9411/api/v2/spans".to_owned()),
            timeout: timeout.unwrap_or(Duration::from_secs(10)),
        }
    }
}
