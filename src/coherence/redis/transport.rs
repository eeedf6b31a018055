//! Connections to Redis: our own stream, so that TLS is what it is for exporters, below a well-kept client.

use std::time::Duration;

use ::redis::aio::{AsyncPushSender, MultiplexedConnection, SendError};
use ::redis::{
    AsyncConnectionConfig, ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, RedisError,
    Value, cmd,
};
use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::settings::RedisSettings;
use crate::coherence::address::Address;
use crate::coherence::bus::{BusConnection, BusError, BusReceiver, BusSender};
use crate::model::SettingError;

/// How long the server may take to answer.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the bus may be silent before the server is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(3);
/// Messages that wait for this process; further ones are dropped, which shows as a gap.
const MOST_WAITING: usize = 16_384;

pub(super) fn check_scheme(server: &Address) -> Result<(), SettingError> {
    if cfg!(feature = "tls") || server.scheme != "rediss" {
        return Ok(());
    }
    Err(SettingError::new(
        "an address with rediss:// needs the feature `tls`: enable it, or use redis://",
    ))
}

pub(super) async fn connect(
    settings: &RedisSettings,
    group: &str,
) -> Result<BusConnection, BusError> {
    let Address { host, port, scheme, .. } = &settings.server;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let connecting = TcpStream::connect((host, *port)).await;
    let stream = connecting.map_err(|error| BusError::new("no connection").with_source(error))?;
    // A notice must not wait for a full packet.
    let _ = stream.set_nodelay(true);
    let channel = format!("tailtrace.{group}");
    match scheme.as_str() {
        "rediss" => subscribe(settings, tls::wrap(settings, host, stream).await?, channel).await,
        _ => subscribe(settings, stream, channel).await,
    }
}

#[cfg(feature = "tls")]
mod tls {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    use super::{BusError, RedisSettings};

    pub(super) async fn wrap(
        settings: &RedisSettings,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, BusError> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| BusError::new("no name for TLS").with_source(error))?;
        let connector = TlsConnector::from(Arc::new(settings.tls.config()?));
        let connecting = connector.connect(name, stream).await;
        connecting.map_err(|error| BusError::new("no TLS").with_source(error))
    }
}

#[cfg(not(feature = "tls"))]
mod tls {
    use tokio::net::TcpStream;

    use super::{BusError, RedisSettings};

    pub(super) async fn wrap(
        _: &RedisSettings,
        _: &str,
        _: TcpStream,
    ) -> Result<TcpStream, BusError> {
        Err(BusError::new("rediss:// needs the feature `tls`"))
    }
}

async fn subscribe(
    settings: &RedisSettings,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    channel: String,
) -> Result<BusConnection, BusError> {
    let mut info = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    // One permission less that a user needs.
    info = info.set_skip_set_lib_name();
    if let Some(user) = &settings.server.user {
        info = info.set_username(user.expose());
    }
    if let Some(password) = &settings.server.password {
        info = info.set_password(password.expose());
    }
    let (pushes, messages) = mpsc::channel(MOST_WAITING);
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_push_sender(Pushes(pushes));
    let (connection, driver) =
        MultiplexedConnection::new_with_config(&info, stream, config).await.map_err(refused)?;
    // Ends with the connection, and then drops the sender of pushes.
    tokio::spawn(driver);
    let mut receiver = RedisReceiver { connection: connection.clone(), messages };
    receiver.connection.subscribe(&channel).await.map_err(refused)?;
    Ok(BusConnection::new(RedisSender { connection, channel }, receiver))
}

/// The server's own words, which have no password in them.
fn refused(error: RedisError) -> BusError {
    BusError::new("the server did not serve").with_source(error)
}

/// What the server sends by itself, on its way to the receiver.
struct Pushes(mpsc::Sender<PushInfo>);

impl AsyncPushSender for Pushes {
    fn send(&self, push: PushInfo) -> Result<(), SendError> {
        match self.0.try_send(push) {
            // What does not fit is a gap in its sender's count.
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SendError),
        }
    }
}

struct RedisSender {
    connection: MultiplexedConnection,
    channel: String,
}

#[async_trait]
impl BusSender for RedisSender {
    async fn publish(&mut self, message: Vec<u8>) -> Result<(), BusError> {
        let mut publish = cmd("PUBLISH");
        publish.arg(&self.channel).arg(message);
        publish.exec_async(&mut self.connection).await.map_err(refused)
    }
}

struct RedisReceiver {
    connection: MultiplexedConnection,
    messages: mpsc::Receiver<PushInfo>,
}

#[async_trait]
impl BusReceiver for RedisReceiver {
    async fn receive(&mut self) -> Result<Vec<u8>, BusError> {
        loop {
            let Ok(push) = timeout(SILENCE, self.messages.recv()).await else {
                cmd("PING").exec_async(&mut self.connection).await.map_err(refused)?;
                continue;
            };
            match push {
                None | Some(PushInfo { kind: PushKind::Disconnection, .. }) => {
                    return Err(BusError::new("the connection was lost"));
                }
                Some(PushInfo { kind: PushKind::Message, data }) => {
                    if let Some(Value::BulkString(message)) = data.into_iter().nth(1) {
                        return Ok(message);
                    }
                }
                Some(_) => {}
            }
        }
    }
}
