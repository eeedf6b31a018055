//! Connections without TLS, where the feature for it is off.

use super::endpoint::Endpoint;
use super::error::HttpError;
use super::options::Certificates;
use super::transport::{Dialer, Version};

pub(in crate::export) type Connector = Dialer;

pub(super) fn connector(
    dialer: Dialer,
    _: Version,
    endpoint: &Endpoint,
    certificates: &Certificates,
) -> Result<Connector, HttpError> {
    certificates.check(endpoint)?;
    if endpoint.is_https {
        return Err(HttpError::TlsFeature { endpoint: endpoint.shown.clone() });
    }
    Ok(dialer)
}
