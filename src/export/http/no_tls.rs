//! Connections without TLS, where the feature for it is off.

use hyper_util::client::legacy::connect::HttpConnector;

use super::endpoint::Endpoint;
use super::error::HttpError;
use super::options::Certificates;

pub(in crate::export) type Connector = HttpConnector;

pub(in crate::export) fn http1(
    tcp: HttpConnector,
    endpoint: &Endpoint,
    certificates: &Certificates,
) -> Result<Connector, HttpError> {
    certificates.check(endpoint)?;
    if endpoint.is_https {
        return Err(HttpError::TlsFeature { endpoint: endpoint.shown.clone() });
    }
    Ok(tcp)
}

#[cfg(feature = "otlp")]
pub(in crate::export) use http1 as http2;
