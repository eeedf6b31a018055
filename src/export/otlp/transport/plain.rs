//! Connections without TLS, where the feature for it is off.

use hyper_util::client::legacy::connect::HttpConnector;

use super::Certificates;
use crate::export::otlp::OtlpError;
use crate::export::otlp::endpoint::Endpoint;

pub(super) type Connector = HttpConnector;

pub(super) fn http1(
    tcp: HttpConnector,
    endpoint: &Endpoint,
    _: &Certificates,
) -> Result<Connector, OtlpError> {
    if endpoint.is_https {
        return Err(OtlpError::TlsFeature { endpoint: endpoint.shown.clone() });
    }
    Ok(tcp)
}

pub(super) use http1 as http2;
