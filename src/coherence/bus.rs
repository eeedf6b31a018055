//! The trait of every message bus.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use async_trait::async_trait;

use crate::kit::error_text::debug_like_display;

/// A message bus over which services tell each other which traces they kept.
///
/// At most once is enough: each message goes to all who are connected to the group at that moment, in any order,
/// perhaps to its sender too, and need not be stored. What gets lost is noticed and asked for again.
///
/// Implement it under `#[async_trait]` for a bus of your own. What it may rely on:
///
/// - When: [`connect`](Self::connect) is called when the pipeline starts, and again, after 0.1 to 1 s, whenever it failed
///   or the connection was lost. A connection is dropped when the pipeline shuts down or one of its halves fails.
/// - On which thread: all of it on one thread of the pipeline's coherence, inside a tokio runtime of that thread,
///   with timers and I/O where the program enables these features of tokio.
/// - Under which locks: none. A call that blocks delays notices, and nothing else.
/// - A panic ends coherence for this pipeline; decisions are local then.
///
/// [`MemoryBus`](super::MemoryBus) is one in a hundred lines.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message bus",
    note = "constructors of buses return a `Result`: a `?` or `.unwrap()` behind it may be missing"
)]
pub trait KeepBus: Send + Sync {
    /// What to call the bus in messages to the operator, such as its address. Without passwords.
    fn name(&self) -> Cow<'static, str>;

    /// Connects, and listens for what the services of `group` publish. `group` has 1 to 64 letters, digits, `-` or `_`.
    ///
    /// Given up after 5 s.
    ///
    /// # Errors
    /// When the bus is away or refuses the program. It is tried again; decisions are local until then.
    async fn connect(&self, group: &str) -> Result<BusConnection, BusError>;
}

/// A connection to a message bus, in both directions.
pub struct BusConnection {
    /// Publishes to all services of the group.
    pub sender: Box<dyn BusSender>,
    /// Receives what the services of the group publish.
    pub receiver: Box<dyn BusReceiver>,
}

impl BusConnection {
    /// A connection of its two halves.
    #[must_use]
    pub fn new(sender: impl BusSender + 'static, receiver: impl BusReceiver + 'static) -> Self {
        Self { sender: Box::new(sender), receiver: Box::new(receiver) }
    }
}

impl fmt::Debug for BusConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusConnection").finish_non_exhaustive()
    }
}

/// The half of a [`BusConnection`] that publishes.
#[async_trait]
pub trait BusSender: Send {
    /// Publishes a message, of 128 KiB at most, to all services of the group. Calls never overlap.
    ///
    /// # Errors
    /// When the connection is lost. The message may be lost with it.
    async fn publish(&mut self, message: Vec<u8>) -> Result<(), BusError>;

    /// Hands over to the system what the client itself still holds back. Called when a pipeline flushes or shuts down,
    /// after the last [`publish`](Self::publish). Does nothing by default.
    ///
    /// # Errors
    /// When the connection is lost.
    async fn flush(&mut self) -> Result<(), BusError> {
        Ok(())
    }
}

/// The half of a [`BusConnection`] that receives.
#[async_trait]
pub trait BusReceiver: Send {
    /// Waits for the next message of the group.
    ///
    /// # Errors
    /// When the connection is lost. This half must notice it: the other one is called only when there is something
    /// to say.
    async fn receive(&mut self) -> Result<Vec<u8>, BusError>;
}

/// Why a message bus could not be reached, or why a connection to it ended.
pub struct BusError {
    message: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl BusError {
    /// An error with this text, which must not have a password in it.
    #[must_use]
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// This with what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

debug_like_display!(BusError);

impl Error for BusError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
