//! Connections with TLS where the endpoint asks for it.

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::ClientConfig;

use super::endpoint::Endpoint;
use super::error::HttpError;
use super::options::Certificates;
use super::transport::{Dialer, Version};
use crate::kit::tls::{TlsError, client_config, unused_config};

pub(in crate::export) type Connector = HttpsConnector<Dialer>;

pub(super) fn connector(
    dialer: Dialer,
    version: Version,
    endpoint: &Endpoint,
    certificates: &Certificates,
) -> Result<Connector, HttpError> {
    let config = config(endpoint, certificates)?;
    let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
    Ok(match version {
        Version::Http1 => builder.enable_http1().wrap_connector(dialer),
        #[cfg(feature = "otlp")]
        Version::Http2 => builder.enable_http2().wrap_connector(dialer),
    })
}

fn config(endpoint: &Endpoint, certificates: &Certificates) -> Result<ClientConfig, HttpError> {
    certificates.check(endpoint)?;
    let config = if endpoint.is_https {
        let ca = certificates.ca.as_ref().map(|pem| pem.expose().as_slice());
        let identity = certificates.identity.as_ref();
        let identity = identity
            .map(|pems| (pems.certificate.expose().as_slice(), pems.key.expose().as_slice()));
        client_config(ca, identity)
    } else {
        unused_config()
    };
    config.map_err(|error| match error {
        TlsError::NoRoots => HttpError::NoRoots { endpoint: endpoint.shown.clone() },
        TlsError::Unusable { what, cause } => HttpError::Certificate { what, source: cause.into() },
    })
}
