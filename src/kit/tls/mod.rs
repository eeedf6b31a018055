//! What a client needs for TLS: whom it trusts, and who it is.

mod cause;
mod roots;

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// A client's certificate and its key, each as a PEM text.
pub(crate) type IdentityPem<'p> = (&'p [u8], &'p [u8]);

/// Why there can be no TLS.
#[derive(Debug)]
pub(crate) enum TlsError {
    /// No authority is trusted.
    NoRoots,
    /// A certificate or a key cannot be used: which one, and why, without a byte of it.
    Unusable { what: &'static str, cause: String },
}

/// The settings of a client that trusts the authorities of `ca`, or the default ones of the crate's features.
pub(crate) fn client_config(
    ca: Option<&[u8]>,
    identity: Option<IdentityPem<'_>>,
) -> Result<ClientConfig, TlsError> {
    let roots = match ca {
        Some(pem) => named_roots(pem)?,
        None => roots::default_roots(),
    };
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    with_roots(roots, identity)
}

/// The settings of a client that no server will be asked to trust: it connects without TLS.
pub(crate) fn unused_config() -> Result<ClientConfig, TlsError> {
    with_roots(RootCertStore::empty(), None)
}

fn with_roots(
    roots: RootCertStore,
    identity: Option<IdentityPem<'_>>,
) -> Result<ClientConfig, TlsError> {
    // The provider is named because the process may have chosen none, or another.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("the protocol versions", cause::of_tls(&error)))?
        .with_root_certificates(roots);
    let Some((certificate, key)) = identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates_in(certificate, "the client's certificate")?;
    let what = "the client's private key";
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| unusable(what, cause::of_pem(&error, "private key")))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| unusable("the client's identity", cause::of_tls(&error)))
}

fn named_roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
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
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if found.is_empty() => {
            Err(unusable(what, cause::of_pem(&pem::Error::NoItemsFound, "certificate")))
        }
        Ok(found) => Ok(found),
        Err(error) => Err(unusable(what, cause::of_pem(&error, "certificate"))),
    }
}

fn unusable(what: &'static str, cause: String) -> TlsError {
    TlsError::Unusable { what, cause }
}
