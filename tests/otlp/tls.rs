//! OTLP over TLS, with certificates made for each test.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tailtrace::export::{HttpError, OtlpExporterBuilder, OtlpProtocol};
use tailtrace::testing::{span, trace};
use tailtrace::{OtlpExporter, Trace};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::Caller;
use crate::relay::{Carries, Relay};
use crate::server::{Accept, Reply, Server, Speaks, Stream};

fn batch() -> [Trace; 1] {
    [trace(span("root"))]
}

/// An authority that signs certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages.push(usage);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Identity { certificate, key: key.serialize_pem() }
    }

    fn server(&self, name: &str) -> Identity {
        self.sign(name, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self) -> Identity {
        self.sign("client", ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()
    }
}

/// A peer with this identity, which asks for certificates of `clients` if there is one.
fn start(speaks: Speaks, identity: &Identity, clients: Option<&Authority>) -> Server {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    let alpn: &[u8] = if speaks == Speaks::Grpc { b"h2" } else { b"http/1.1" };
    config.alpn_protocols = vec![alpn.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let accept: Accept = Arc::new(move |tcp| {
        let acceptor = acceptor.clone();
        Box::pin(async move {
            let stream = acceptor.accept(tcp).await?;
            Ok::<_, io::Error>(Box::new(stream) as Box<dyn Stream>)
        })
    });
    Server::start_over(speaks, accept, move |_| match speaks {
        Speaks::Http => Reply::ok(),
        Speaks::Grpc => Reply::code(0),
    })
}

fn exporter(speaks: Speaks, server: &Server) -> OtlpExporterBuilder {
    let url = server.url("/v1/traces").replace("http://", "https://");
    match speaks {
        Speaks::Http => OtlpExporter::builder().with_endpoint(url),
        Speaks::Grpc => OtlpExporter::builder()
            .with_protocol(OtlpProtocol::Grpc)
            .with_endpoint(url.trim_end_matches("/v1/traces")),
    }
}

#[test]
fn a_peer_with_a_certificate_of_the_named_authority_is_trusted() {
    let authority = Authority::new();
    for speaks in [Speaks::Http, Speaks::Grpc] {
        let server = start(speaks, &authority.server("127.0.0.1"), None);
        let builder = exporter(speaks, &server).with_ca_certificate(&*authority.pem);
        Caller::new(builder).export(&batch()).unwrap();
        assert_eq!(server.next().names(), ["root"]);
    }
}

#[test]
fn a_connection_with_tls_that_died_without_a_sign_costs_one_try() {
    let authority = Authority::new();
    for speaks in [Speaks::Http, Speaks::Grpc] {
        let server = start(speaks, &authority.server("127.0.0.1"), None);
        let relay = Relay::start(server.address, |_| Carries::ALL);
        let url = relay.url("/").replace("http://", "https://");
        let builder = exporter(speaks, &server).with_base_endpoint(url);
        let builder = builder.with_ca_certificate(&*authority.pem);
        let caller = Caller::new(builder.with_timeout(Duration::from_secs(1)));
        caller.export(&batch()).unwrap();
        relay.stall();
        assert!(caller.refused(&batch()).is_retryable());
        caller.export(&batch()).unwrap();
        assert_eq!(relay.connections(), 2);
    }
}

#[test]
fn a_peer_with_another_certificate_is_not_and_the_message_says_why() {
    let authority = Authority::new();
    for speaks in [Speaks::Http, Speaks::Grpc] {
        for identity in [Authority::new().server("127.0.0.1"), authority.server("elsewhere")] {
            let server = start(speaks, &identity, None);
            let builder = exporter(speaks, &server).with_ca_certificate(&*authority.pem);
            let error = Caller::new(builder).refused(&batch());
            let told = error.to_string();
            assert!(error.is_retryable() && told.contains("certificate"), "{told}");
            assert!(server.so_far().is_empty());
        }
    }
}

#[test]
fn a_peer_that_asks_who_we_are_is_told() {
    let (authority, clients) = (Authority::new(), Authority::new());
    for speaks in [Speaks::Http, Speaks::Grpc] {
        let server = start(speaks, &authority.server("127.0.0.1"), Some(&clients));
        let builder = || exporter(speaks, &server).with_ca_certificate(&*authority.pem);
        let Identity { certificate, key } = clients.client();
        Caller::new(builder().with_client_identity(certificate, key)).export(&batch()).unwrap();
        assert_eq!(server.next().names(), ["root"]);
        assert!(Caller::new(builder()).refused(&batch()).is_retryable());
        let Identity { certificate, key } = authority.client();
        let stranger = builder().with_client_identity(certificate, key);
        assert!(Caller::new(stranger).refused(&batch()).is_retryable());
        assert!(server.so_far().is_empty());
    }
}

#[test]
fn a_certificate_or_key_that_is_none_is_refused_by_its_part() {
    let builder = || OtlpExporter::builder().with_endpoint("https://localhost:4318/v1/traces");
    let authority = Authority::new();
    let Identity { certificate, key } = authority.client();
    let refused = |builder: OtlpExporterBuilder| {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, HttpError::Certificate { .. }), "{error}");
        error.to_string()
    };
    assert!(refused(builder().with_ca_certificate("")).contains("the CA certificate"));
    assert!(refused(builder().with_ca_certificate("none")).contains("no certificate in it"));
    let trusting = || builder().with_ca_certificate(&*authority.pem);
    let told = refused(trusting().with_client_identity("", &*key));
    assert!(told.contains("the client's certificate"), "{told}");
    let told = refused(trusting().with_client_identity(&*certificate, "secret"));
    assert!(told.contains("the client's private key") && !told.contains("secret"), "{told}");
    let other = authority.client();
    let told = refused(trusting().with_client_identity(certificate, other.key));
    assert!(told.contains("the client's identity"), "{told}");
}

#[cfg(not(any(feature = "tls-native-roots", feature = "tls-webpki-roots")))]
#[test]
fn without_anybody_to_trust_the_cure_is_named() {
    let error = OtlpExporter::builder()
        .with_protocol(OtlpProtocol::Grpc)
        .with_endpoint("https://localhost:4317")
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("tls-webpki-roots"), "{error}");
}

#[cfg(any(feature = "tls-native-roots", feature = "tls-webpki-roots"))]
#[test]
fn whom_everybody_trusts_is_trusted_and_a_stranger_is_not() {
    let server = start(Speaks::Http, &Authority::new().server("127.0.0.1"), None);
    let error = Caller::new(exporter(Speaks::Http, &server)).refused(&batch());
    assert!(error.to_string().contains("certificate"), "{error}");
}
