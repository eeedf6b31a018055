//! Connections to NATS, by the client that its makers maintain.
//!
//! Of the client's own reconnecting only the notice of a loss is used: the thread of coherence connects again.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber};
use async_trait::async_trait;
use futures_core::Stream;
use tokio::sync::mpsc;

use super::settings::{NatsLogin, NatsSettings};
use crate::coherence::address::Address;
use crate::coherence::bus::{BusConnection, BusError, BusReceiver, BusSender};
use crate::kit::secret::Secret;
use crate::model::SettingError;

/// Two pings without an answer end a connection.
const PING_INTERVAL: Duration = Duration::from_secs(2);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(4);
/// Messages that wait for this process; the client drops further ones, which shows as a gap.
const MOST_WAITING: usize = 16_384;

pub(super) fn check_schemes(servers: &[Address]) -> Result<(), SettingError> {
    if cfg!(feature = "tls") || servers.iter().all(|server| server.scheme != "tls") {
        return Ok(());
    }
    Err(SettingError::new(
        "an address with tls:// needs the feature `tls`: enable it, or use nats://",
    ))
}

pub(super) fn check_credentials(text: &str) -> Result<(), SettingError> {
    // The client's error may repeat what it could not read.
    ConnectOptions::new().credentials(text).map(drop).map_err(|_| {
        SettingError::new("the text is no NATS credentials: give the whole file, with its lines")
    })
}

pub(super) async fn connect(
    settings: &NatsSettings,
    group: &str,
) -> Result<BusConnection, BusError> {
    let addresses = settings.servers.iter().map(server_address).collect::<Result<Vec<_>, _>>()?;
    let (tell, told) = mpsc::channel(8);
    let options = options(settings)?.event_callback(move |event| {
        if let Some(end) = end_of(event) {
            // One of the reasons is enough.
            let _ = tell.try_send(end);
        }
        std::future::ready(())
    });
    let connecting = options.connect(addresses).await;
    let client = connecting.map_err(|error| BusError::new("no connection").with_source(error))?;
    let subject = format!("tailtrace.{group}");
    let subscribed = client.subscribe(subject.clone()).await;
    let messages =
        subscribed.map_err(|error| BusError::new("no subscription").with_source(error))?;
    let flushed = client.flush().await;
    flushed.map_err(|error| BusError::new("no subscription").with_source(error))?;
    Ok(BusConnection::new(NatsSender { client, subject }, NatsReceiver { messages, told }))
}

fn server_address(address: &Address) -> Result<ServerAddr, BusError> {
    let url = address.shown();
    url.parse()
        .map_err(|error: std::io::Error| BusError::new(format!("{url} is no address: {error}")))
}

fn options(settings: &NatsSettings) -> Result<ConnectOptions, BusError> {
    let options = ConnectOptions::new()
        .name("tailtrace")
        .no_echo()
        .ping_interval(PING_INTERVAL)
        .connection_timeout(CONNECTION_TIMEOUT)
        .subscription_capacity(MOST_WAITING)
        .max_reconnects(1);
    let options = with_tls(options, settings)?;
    let exposed = |secret: &Option<Secret<String>>| secret.as_ref().map(|one| one.expose().clone());
    match &settings.login {
        NatsLogin::NKey(seed) => Ok(options.nkey(seed.expose().clone())),
        NatsLogin::Credentials(text) => options
            .credentials(text.expose())
            .map_err(|_| BusError::new("the credentials cannot be read")),
        NatsLogin::OfAddress => {
            let login = settings.servers.iter().find(|server| server.user.is_some());
            let user = login.and_then(|server| exposed(&server.user));
            let password = login.and_then(|server| exposed(&server.password));
            Ok(match (user, password) {
                (Some(user), Some(password)) => options.user_and_password(user, password),
                (Some(token), None) => options.token(token),
                (None, _) => options,
            })
        }
    }
}

#[cfg(feature = "tls")]
fn with_tls(options: ConnectOptions, settings: &NatsSettings) -> Result<ConnectOptions, BusError> {
    let is_required = settings.servers.iter().any(|server| server.scheme == "tls");
    if !is_required {
        return Ok(options);
    }
    Ok(options.require_tls(true).tls_client_config(settings.tls.config()?))
}

#[cfg(not(feature = "tls"))]
fn with_tls(options: ConnectOptions, _: &NatsSettings) -> Result<ConnectOptions, BusError> {
    Ok(options)
}

/// Why a connection is of no use any more after an event; `None` when it is.
fn end_of(event: Event) -> Option<BusError> {
    match event {
        Event::Disconnected | Event::Closed => Some(BusError::new("the connection was lost")),
        // A server that refuses the subject would drop what is published, without another word.
        Event::ServerError(error) => {
            Some(BusError::new(format!("the server refuses the program: {error}")))
        }
        Event::ClientError(error) => Some(BusError::new(format!("the client failed: {error}"))),
        _ => None,
    }
}

struct NatsSender {
    client: Client,
    subject: String,
}

#[async_trait]
impl BusSender for NatsSender {
    async fn publish(&mut self, message: Vec<u8>) -> Result<(), BusError> {
        let published = self.client.publish(self.subject.clone(), message.into()).await;
        published.map_err(|error| BusError::new("cannot publish").with_source(error))
    }

    async fn flush(&mut self) -> Result<(), BusError> {
        let flushed = self.client.flush().await;
        flushed.map_err(|error| BusError::new("cannot publish").with_source(error))
    }
}

struct NatsReceiver {
    messages: Subscriber,
    /// Why the connection is of no use any more.
    told: mpsc::Receiver<BusError>,
}

#[async_trait]
impl BusReceiver for NatsReceiver {
    async fn receive(&mut self) -> Result<Vec<u8>, BusError> {
        poll_fn(|context| {
            if let Poll::Ready(Some(error)) = self.told.poll_recv(context) {
                return Poll::Ready(Err(error));
            }
            Pin::new(&mut self.messages).poll_next(context).map(|message| match message {
                Some(message) => Ok(message.payload.to_vec()),
                None => Err(BusError::new("the connection was closed")),
            })
        })
        .await
    }
}
