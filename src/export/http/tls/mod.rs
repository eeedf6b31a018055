//! Connections with TLS where the endpoint asks for it.

mod cause;
mod roots;

use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::endpoint::Endpoint;
use super::error::HttpError;
use super::options::{Certificates, Identity};
use super::transport::{Dialer, Version};

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
    let roots = match &certificates.ca {
        // No server is asked for a certificate.
        _ if !endpoint.is_https => RootCertStore::empty(),
        Some(pem) => named_roots(pem.expose())?,
        None => roots::default_roots(),
    };
    if endpoint.is_https && roots.is_empty() {
        return Err(HttpError::NoRoots { endpoint: endpoint.shown.clone() });
    }
    // The provider is named because the process may have chosen none, or another.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("the protocol versions", cause::of_tls(&error)))?
        .with_root_certificates(roots);
    let Some(Identity { certificate, key }) =
        certificates.identity.as_ref().filter(|_| endpoint.is_https)
    else {
        return Ok(builder.with_no_client_auth());
    };
    let what = "the client's certificate";
    let chain = certificates_in(certificate.expose(), what)?;
    let what = "the client's private key";
    let key = PrivateKeyDer::from_pem_slice(key.expose())
        .map_err(|error| unusable(what, cause::of_pem(&error, "private key")))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| unusable("the client's identity", cause::of_tls(&error)))
}

fn named_roots(pem: &[u8]) -> Result<RootCertStore, HttpError> {
    let what = "the CA certificate";
    let mut roots = RootCertStore::empty();
    for certificate in certificates_in(pem, what)? {
        roots.add(certificate).map_err(|error| unusable(what, cause::of_tls(&error)))?;
    }
    Ok(roots)
}

fn certificates_in(
    pem: &[u8],
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if found.is_empty() => {
            Err(unusable(what, cause::of_pem(&pem::Error::NoItemsFound, "certificate")))
        }
        Ok(found) => Ok(found),
        Err(error) => Err(unusable(what, cause::of_pem(&error, "certificate"))),
    }
}

fn unusable(what: &'static str, source: String) -> HttpError {
    HttpError::Certificate { what, source: source.into() }
}
