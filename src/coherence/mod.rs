//! Keeping one trace in all services: notices of what was kept, over a message bus.
//!
//! ```text
//! kept here --> budget --> outbox (60 ms) --> bus --> other services: budget --> remembered ids, keep
//! ```
//!
//! Between services travel only the ids of kept traces, at most once; no span of a dropped trace leaves its process.
//! [`Coherence`] says over which [`KeepBus`] and in which group. A bus that is away costs nothing but coherence:
//! decisions are local then, and what was kept in the last seconds is repeated when the bus is back.
//!
//! The logic has neither clock nor threads nor sockets. A thread of its own, with a small runtime, connects it to the bus.

#[cfg(any(feature = "coherence-nats", feature = "coherence-redis"))]
mod address;
mod budget;
mod bus;
#[cfg(all(feature = "tls", any(feature = "coherence-nats", feature = "coherence-redis")))]
mod bus_tls;
mod codec;
mod config;
mod heard;
mod inbox;
mod member;
mod memory;
#[cfg(feature = "coherence-nats")]
mod nats;
mod notice;
mod outbox;
#[cfg(feature = "coherence-redis")]
mod redis;
mod remembered;
mod runner;
mod senders;

pub use bus::{BusConnection, BusError, BusReceiver, BusSender, KeepBus};
pub use codec::{Message, MessageBody, MessageError, ProtocolVersion};
pub use config::Coherence;
pub(crate) use heard::{HeardNotice, HeardOutcome, KeepHeard, MOST_RING_ENTRIES};
pub use memory::MemoryBus;
#[cfg(feature = "coherence-nats")]
pub use nats::NatsBus;
pub use notice::{KeptPart, Notice};
#[cfg(feature = "coherence-redis")]
pub use redis::RedisBus;
pub(crate) use runner::CoherenceHandle;
