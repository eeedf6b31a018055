//! Messages between services, as bytes.
//!
//! ```text
//! 'K'  version  kind  group (4)  sender (8)  first (varint)  field ...
//! field: tag (varint)  length (varint)  bytes
//! ```
//!
//! The upper half of the version's byte is the major version: a reader refuses one that it does not know. The lower
//! half is the minor one: it adds fields, and a reader skips those that it does not know. Numbers of fixed length are
//! little-endian, ids are as in headers.

mod bytes;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(super) use bytes::group_hash;
pub use decode::MessageError;

use super::notice::Notice;

/// The most notices of one message; a message that says it has more is refused.
pub(super) const MOST_NOTICES: usize = 1_024;
/// The most bytes of one message; a longer one is refused before it is read.
pub(super) const MOST_BYTES: usize = 128 * 1_024;
/// The most bytes of the name of a service or a policy; a longer one is cut.
const MOST_NAME: usize = 64;
/// The most policies that one message names; the notices of further ones go without.
const MOST_POLICIES: usize = 32;

const MAGIC: u8 = b'K';
const KIND_NOTICES: u8 = 0;
const KIND_REPEAT: u8 = 1;
const KIND_ASK: u8 = 2;
/// What a message has before its first field, without the varint.
const FIXED_BYTES: usize = 15;

/// The fields. Never reuse a number.
mod tag {
    pub(super) const IDS: u64 = 1;
    pub(super) const PARTS: u64 = 2;
    pub(super) const ASK_BACK: u64 = 3;
    // Since 1.1.
    pub(super) const SERVICE: u64 = 4;
    pub(super) const POLICIES: u64 = 5;
    pub(super) const POLICY_OF_EACH: u64 = 6;
    pub(super) const RANDOMNESS: u64 = 7;
    pub(super) const PARENTS: u64 = 8;
}

/// The form of the messages that a service sends. It reads all of them.
///
/// Many services are never upgraded at once. A new form is only sent by services of a version that has it, and those
/// that run the version before read it, without what it added. Hold a service at the form before while peers have
/// trouble with the new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProtocolVersion {
    /// Trace ids and parts.
    V1_0,
    /// With the names of the service and of the policy, a part's parent, and a trace's own randomness.
    #[default]
    V1_1,
}

impl ProtocolVersion {
    const MAJOR: u8 = 1;

    fn to_byte(self) -> u8 {
        let minor = match self {
            Self::V1_0 => 0,
            Self::V1_1 => 1,
        };
        (Self::MAJOR << 4) | minor
    }
}

/// A message of one service to all others of its group.
///
/// For buses and tools that look into what is sent; [`Coherence`](super::Coherence) makes and reads messages itself.
///
/// ```
/// use tailtrace::TraceId;
/// use tailtrace::coherence::{Message, MessageBody, Notice, ProtocolVersion};
///
/// let notices = vec![Notice::new(TraceId::new())];
/// let message = Message::new("prod", 7, MessageBody::Notices(notices));
/// let bytes = message.encode(ProtocolVersion::default());
/// assert_eq!(Message::decode(&bytes), Ok(message));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// A hash of the group's name: messages of other groups are passed over.
    pub group: u32,
    /// What the sender calls itself: a number drawn when it started.
    pub sender: u64,
    /// How many notices the sender had announced before the first one of this message.
    pub first: u64,
    /// The service that sends it; empty where the message does not say.
    pub service: Arc<str>,
    /// What it says.
    pub body: MessageBody,
}

/// What a [`Message`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageBody {
    /// Traces that were kept, 1,024 at most.
    Notices(Vec<Notice>),
    /// The same once more, for receivers that missed them.
    Repeat(Vec<Notice>),
    /// The sender was cut off: the others repeat what they announced in this many milliseconds.
    Ask {
        /// How far back, in milliseconds.
        back_millis: u64,
    },
}

impl Message {
    /// A message to a group, without the name of a service.
    #[must_use]
    pub fn new(group: &str, sender: u64, body: MessageBody) -> Self {
        Self { group: group_hash(group), sender, first: 0, service: Arc::default(), body }
    }

    /// The notices that it brings.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        match &self.body {
            MessageBody::Notices(notices) | MessageBody::Repeat(notices) => notices,
            MessageBody::Ask { .. } => &[],
        }
    }
}
