//! The ways in which a program proves who it is: each lets it in, and the same with another secret does not.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use tailtrace::coherence::{BusConnection, KeepBus, NatsBus, RedisBus};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::certificates;
use crate::refusals::{login, tenants, write};
use crate::servers::{Kind, Server, redis_arguments};

/// The first bus hears what it says by another connection; the second one is refused, and says nothing of its secret.
fn lets_in(known: &dyn KeepBus, unknown: &dyn KeepBus, secret: &str) {
    Runtime::new().unwrap().block_on(async {
        let listening = known.connect("one").await.unwrap();
        let mut speaking = known.connect("one").await.unwrap();
        speaking.sender.publish(b"hello".to_vec()).await.unwrap();
        speaking.sender.flush().await.unwrap();
        let BusConnection { mut receiver, sender: _keep } = listening;
        let heard = timeout(Duration::from_secs(20), receiver.receive()).await;
        assert_eq!(heard.expect("a message").unwrap(), b"hello");
        let refused = unknown.connect("one").await.unwrap_err();
        let told = format!("{refused:?} {refused}");
        assert!(!told.contains(secret), "{told}");
    });
}

/// A NATS with this text in its configuration.
fn nats(text: &str) -> Option<Server> {
    Server::start_with(Kind::Nats, |folder: &Path, port| {
        let text = format!("listen: \"127.0.0.1:{port}\"\n{text}\n");
        vec!["-c".into(), write(folder, "nats.conf", &text)]
    })
}

#[test]
fn a_user_with_a_password_is_let_in_by_nats_and_by_redis() {
    for kind in [Kind::Nats, Kind::Redis] {
        let Some(server) = tenants(kind) else { continue };
        let known = login(&server, "one:s3cr%3At%40");
        lets_in(&*known, &*login(&server, "one:s3cret-of-another"), "s3cret-of-another");
    }
}

#[test]
fn a_password_without_a_user_is_let_in_by_redis() {
    let server = Server::start_with(Kind::Redis, |_, port| {
        let mut arguments = redis_arguments("--port", port);
        arguments.extend(["--requirepass", "s3cret"].map(str::to_owned));
        arguments
    });
    let Some(server) = server else { return };
    lets_in(
        &*login(&server, ":s3cret"),
        &*login(&server, ":s3cret-of-another"),
        "s3cret-of-another",
    );
}

#[test]
fn a_token_is_let_in_by_nats() {
    let Some(server) = nats("authorization {token: t0ken}") else { return };
    lets_in(&*login(&server, "t0ken"), &*login(&server, "t0ken-of-another"), "t0ken-of-another");
}

#[test]
fn an_nkey_is_let_in_by_nats() {
    let (user, other) = (KeyPair::new_user(), KeyPair::new_user());
    let text = format!("authorization {{users: [{{nkey: {}}}]}}", user.public_key());
    let Some(server) = nats(&text) else { return };
    let with = |key: &KeyPair| NatsBus::new(&server.url()).unwrap().with_nkey(key.seed().unwrap());
    lets_in(&with(&user), &with(&other), &other.seed().unwrap());
}

#[test]
fn a_credentials_file_is_let_in_by_nats() {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let of_operator = jwt(&operator, &operator, r#"{"type":"operator","version":2}"#);
    let of_account = jwt(
        &operator,
        &account,
        r#"{"limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1},"type":"account","version":2}"#,
    );
    let text = format!(
        "operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{{}: {of_account}}}",
        account.public_key()
    );
    let Some(server) = nats(&text) else { return };
    let (user, other) = (KeyPair::new_user(), KeyPair::new_user());
    let claims =
        r#"{"pub":{},"sub":{},"subs":-1,"data":-1,"payload":-1,"type":"user","version":2}"#;
    let of_user = jwt(&account, &user, claims);
    // The other one shows a JWT that is not its own.
    let with = |key: &KeyPair| {
        NatsBus::new(&server.url()).unwrap().with_credentials(credentials(&of_user, key)).unwrap()
    };
    lets_in(&with(&user), &with(&other), &other.seed().unwrap());
}

/// What `nsc` makes: claims about `subject`, signed by `issuer`.
fn jwt(issuer: &KeyPair, subject: &KeyPair, nats: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let claims = URL_SAFE_NO_PAD.encode(format!(
        r#"{{"jti":"test","iat":1700000000,"iss":"{}","name":"test","sub":"{}","nats":{nats}}}"#,
        issuer.public_key(),
        subject.public_key()
    ));
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(issuer.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn credentials(jwt: &str, key: &KeyPair) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        key.seed().unwrap()
    )
}

#[test]
fn a_certificate_of_the_client_is_let_in_by_both() {
    for kind in [Kind::Nats, Kind::Redis] {
        let mut made = None;
        let server = Server::start_with(kind, |folder, port| {
            let authority = certificates::write(folder);
            let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
            write(folder, "ca.pem", &authority);
            let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
            made = Some((authority, read("cert.pem"), read("key.pem")));
            let (ca, cert, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
            match kind {
                Kind::Nats => {
                    let text = format!(
                        "listen: \"127.0.0.1:{port}\"\ntls {{cert_file: {cert:?}, key_file: {key:?}, \
                         ca_file: {ca:?}, verify: true}}\n"
                    );
                    vec!["-c".into(), write(folder, "nats.conf", &text)]
                }
                Kind::Redis => {
                    let mut arguments = redis_arguments("--tls-port", port);
                    let more = ["--port", "0", "--tls-cert-file", &cert, "--tls-key-file", &key];
                    arguments.extend(more.map(str::to_owned));
                    arguments.extend(["--tls-ca-cert-file".to_owned(), ca]);
                    arguments
                }
            }
        });
        let Some(server) = server else { continue };
        let (authority, certificate, key) = made.unwrap();
        let url = server.url().replace("nats://", "tls://").replace("redis://", "rediss://");
        let buses: [Box<dyn KeepBus>; 2] = match kind {
            Kind::Nats => {
                let bus = NatsBus::new(&url).unwrap().with_ca_certificate(authority).unwrap();
                let known = bus.clone().with_client_identity(certificate, key).unwrap();
                [Box::new(known), Box::new(bus)]
            }
            Kind::Redis => {
                let bus = RedisBus::new(&url).unwrap().with_ca_certificate(authority).unwrap();
                let known = bus.clone().with_client_identity(certificate, key).unwrap();
                [Box::new(known), Box::new(bus)]
            }
        };
        lets_in(&*buses[0], &*buses[1], "PRIVATE KEY");
    }
}
