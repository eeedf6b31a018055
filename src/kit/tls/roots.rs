//! The authorities that TLS trusts unless the program names its own.

use rustls::RootCertStore;

pub(super) fn default_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    add_native(&mut roots);
    add_webpki(&mut roots);
    roots
}

#[cfg(feature = "tls-native-roots")]
fn add_native(roots: &mut RootCertStore) {
    // A store has certificates that cannot be parsed; the rest of it still counts.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
}

#[cfg(not(feature = "tls-native-roots"))]
fn add_native(_: &mut RootCertStore) {}

#[cfg(feature = "tls-webpki-roots")]
fn add_webpki(roots: &mut RootCertStore) {
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
}

#[cfg(not(feature = "tls-webpki-roots"))]
fn add_webpki(_: &mut RootCertStore) {}
