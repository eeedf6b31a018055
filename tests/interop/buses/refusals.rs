//! Who may publish and listen: the server's own permissions, passwords, and TLS.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tailtrace::coherence::{BusConnection, BusError, KeepBus, NatsBus, RedisBus};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::certificates;
use crate::run::Plan;
use crate::servers::{Kind, Server, redis_arguments};

/// Two tenants: `one` may use group `one`, and `two` group `two`. The passwords have characters that addresses reserve.
pub(crate) fn tenants(kind: Kind) -> Option<Server> {
    Server::start_with(kind, |folder, port| match kind {
        Kind::Nats => {
            let user = |name: &str| {
                format!(
                    "{{user: {name}, password: \"s3cr:t@\", permissions: {{publish: \"tailtrace.{name}\", \
                     subscribe: \"tailtrace.{name}\"}}}}"
                )
            };
            let text = format!(
                "listen: \"127.0.0.1:{port}\"\nauthorization {{users: [{}, {}]}}\n",
                user("one"),
                user("two")
            );
            vec!["-c".into(), write(folder, "nats.conf", &text)]
        }
        Kind::Redis => {
            let user = |name: &str| {
                format!(
                    "user {name} on >s3cr:t@ +subscribe +publish +ping +hello \
                     &tailtrace.{name}\n"
                )
            };
            let text = format!("user default off\n{}{}", user("one"), user("two"));
            let mut arguments = redis_arguments("--port", port);
            arguments.extend(["--aclfile".into(), write(folder, "users.acl", &text)]);
            arguments
        }
    })
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

pub(crate) fn login(server: &Server, login: &str) -> Box<dyn KeepBus> {
    let url = server.url().replace("://", &format!("://{login}@"));
    match server.kind {
        Kind::Nats => Box::new(NatsBus::new(&url).unwrap()),
        Kind::Redis => Box::new(RedisBus::new(&url).unwrap()),
    }
}

/// Publishes a message and waits for one; a bus that refuses says so by one of the two.
async fn talk(connection: BusConnection) -> Result<Vec<u8>, BusError> {
    let BusConnection { mut sender, mut receiver } = connection;
    sender.publish(b"hello".to_vec()).await?;
    let received = timeout(Duration::from_secs(20), receiver.receive()).await;
    received.expect("a message or a refusal")
}

fn foreign_tenants_are_refused(kind: Kind) {
    let Some(server) = tenants(kind) else { return };
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let one = login(&server, "one:s3cr%3At%40");
        let two = login(&server, "two:s3cr%3At%40");
        let listening = one.connect("one").await.unwrap();
        let also = one.connect("one").await.unwrap();
        let BusConnection { sender: mut speak, .. } = also;
        speak.publish(b"own tenant".to_vec()).await.unwrap();
        speak.flush().await.unwrap();
        let BusConnection { mut receiver, sender: _keep } = listening;
        let heard = timeout(Duration::from_secs(20), receiver.receive()).await;
        assert_eq!(heard.expect("a message").unwrap(), b"own tenant");

        let refused = match two.connect("one").await {
            Ok(connection) => talk(connection).await.unwrap_err(),
            Err(refused) => refused,
        };
        let told = format!("{refused:?}");
        let reason = match kind {
            Kind::Nats => "Permissions Violation",
            Kind::Redis => "permissions",
        };
        assert!(told.to_lowercase().contains(&reason.to_lowercase()), "{told}");

        let wrong = login(&server, "one:s3cret-that-is-wrong").connect("one").await.unwrap_err();
        let told = format!("{wrong:?} {wrong}");
        assert!(!told.contains("s3cret"), "{told}");
    });
}

#[test]
fn nats_refuses_another_tenant() {
    foreign_tenants_are_refused(Kind::Nats);
}

#[test]
fn redis_refuses_another_tenant() {
    foreign_tenants_are_refused(Kind::Redis);
}

fn services_keep_together_over_tls(kind: Kind, group: &'static str) {
    let mut authority = String::new();
    let server = Server::start_with(kind, |folder, port| {
        authority = certificates::write(folder);
        let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
        match kind {
            Kind::Nats => [
                "-a",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "--tls",
                "--tlscert",
                &file("cert.pem"),
                "--tlskey",
                &file("key.pem"),
            ]
            .map(str::to_owned)
            .to_vec(),
            Kind::Redis => {
                let mut arguments = redis_arguments("--tls-port", port);
                let more = [
                    "--port",
                    "0",
                    "--tls-cert-file",
                    &file("cert.pem"),
                    "--tls-key-file",
                    &file("key.pem"),
                    "--tls-auth-clients",
                    "no",
                ];
                arguments.extend(more.map(str::to_owned));
                arguments
            }
        }
    });
    let Some(server) = server else { return };
    let url = server.url().replace("nats://", "tls://").replace("redis://", "rediss://");
    let runtime = Runtime::new().unwrap();
    let bus: Box<dyn KeepBus> = match kind {
        Kind::Nats => Box::new(NatsBus::new(&url).unwrap()),
        Kind::Redis => Box::new(RedisBus::new(&url).unwrap()),
    };
    let refused = runtime.block_on(bus.connect(group));
    assert!(refused.is_err(), "an authority that was not named is trusted");
    let plan = Plan { authority: Some(authority), ..Plan::new(&url, group) };
    plan.run(|| {}).assert_coherent();
}

#[test]
fn services_keep_together_over_nats_with_tls() {
    services_keep_together_over_tls(Kind::Nats, "nats-tls");
}

#[test]
fn services_keep_together_over_redis_with_tls() {
    services_keep_together_over_tls(Kind::Redis, "redis-tls");
}
