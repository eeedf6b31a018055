//! Bytes to messages.

use std::sync::Arc;

use super::bytes::{Reader, cut_name};
use super::{
    KIND_ASK, KIND_NOTICES, KIND_REPEAT, MAGIC, MOST_BYTES, MOST_NAME, MOST_NOTICES, MOST_POLICIES,
    Message, MessageBody, ProtocolVersion, tag,
};
use crate::coherence::notice::{KeptPart, Notice};
use crate::kit::debug_like_display;
use crate::model::{Randomness, SpanId, TraceId};

/// Why bytes are not a message that this version reads.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The sender speaks a later protocol.
    #[error(
        "a message of protocol {major}; upgrade this service, or hold the sender at protocol 1"
    )]
    UnknownVersion {
        /// The major version of the message.
        major: u8,
    },
    /// The bytes are no message.
    #[error("malformed message: {what}; another program may use this group's channel")]
    Malformed {
        /// What was wrong.
        what: &'static str,
    },
}

debug_like_display!(MessageError);

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// When the bytes are no message, say that they have more than they may, or are of a later protocol.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MOST_BYTES {
            return Err(MessageError::Malformed { what: "longer than 128 KiB" });
        }
        let mut reader = Reader(bytes);
        if reader.byte() != Some(MAGIC) {
            return Err(MessageError::Malformed { what: "another first byte" });
        }
        let version = reader.byte().ok_or(CUT)?;
        if version >> 4 != ProtocolVersion::MAJOR {
            return Err(MessageError::UnknownVersion { major: version >> 4 });
        }
        read(reader)
    }
}

const CUT: MessageError = MessageError::Malformed { what: "it ends too early" };

fn read(mut reader: Reader<'_>) -> Result<Message, MessageError> {
    let kind = reader.byte().ok_or(CUT)?;
    let group = u32::from_le_bytes(reader.array().ok_or(CUT)?);
    let sender = u64::from_le_bytes(reader.array().ok_or(CUT)?);
    let first = reader.varint().ok_or(CUT)?;
    let fields = Fields::read(reader)?;
    let body = match kind {
        KIND_NOTICES => MessageBody::Notices(fields.notices()?),
        KIND_REPEAT => MessageBody::Repeat(fields.notices()?),
        KIND_ASK => {
            let back_millis = fields.ask_back.and_then(|mut field| field.varint()).ok_or(CUT)?;
            MessageBody::Ask { back_millis }
        }
        _ => return Err(MessageError::Malformed { what: "an unknown kind" }),
    };
    let service = fields.service.map_or_else(Arc::default, |field| name(field.0));
    Ok(Message { group, sender, first, service, body })
}

/// The fields that this version knows, not yet looked into.
#[derive(Default)]
struct Fields<'m> {
    ids: Option<Reader<'m>>,
    parts: Option<Reader<'m>>,
    ask_back: Option<Reader<'m>>,
    service: Option<Reader<'m>>,
    policies: Option<Reader<'m>>,
    policy_of_each: Option<Reader<'m>>,
    randomness: Option<Reader<'m>>,
    parents: Option<Reader<'m>>,
}

impl<'m> Fields<'m> {
    fn read(mut reader: Reader<'m>) -> Result<Self, MessageError> {
        let mut fields = Self::default();
        while !reader.is_empty() {
            let (tag, field) = reader.field().ok_or(CUT)?;
            let place = match tag {
                tag::IDS => &mut fields.ids,
                tag::PARTS => &mut fields.parts,
                tag::ASK_BACK => &mut fields.ask_back,
                tag::SERVICE => &mut fields.service,
                tag::POLICIES => &mut fields.policies,
                tag::POLICY_OF_EACH => &mut fields.policy_of_each,
                tag::RANDOMNESS => &mut fields.randomness,
                tag::PARENTS => &mut fields.parents,
                // A later minor version added it.
                _ => continue,
            };
            *place = Some(field);
        }
        Ok(fields)
    }

    fn notices(&self) -> Result<Vec<Notice>, MessageError> {
        let mut ids = self.ids.ok_or(CUT)?;
        if ids.0.len() > 16 * MOST_NOTICES {
            return Err(MessageError::Malformed { what: "more than 1,024 notices" });
        }
        let mut notices = Vec::with_capacity(ids.0.len() / 16);
        while !ids.is_empty() {
            let bits = u128::from_be_bytes(ids.array().ok_or(CUT)?);
            let id = TraceId::from_bits(bits);
            notices
                .push(Notice::new(id.ok_or(MessageError::Malformed { what: "an id of zeros" })?));
        }
        for_some(self.parts, &mut notices, |notice, bytes| {
            let top = span_id(bytes)?;
            notice.part = Some(KeptPart { top, parent: None });
            Some(())
        })?;
        for_some(self.parents, &mut notices, |notice, bytes| {
            let parent = span_id(bytes)?;
            notice.part.as_mut()?.parent = Some(parent);
            Some(())
        })?;
        for_some(self.randomness, &mut notices, |notice, bytes| {
            notice.randomness = Some(Randomness::from_bits(u64::from_le_bytes(bytes)));
            Some(())
        })?;
        self.set_policies(&mut notices)?;
        Ok(notices)
    }

    fn set_policies(&self, notices: &mut [Notice]) -> Result<(), MessageError> {
        let Some(mut field) = self.policies else { return Ok(()) };
        let mut names = Vec::new();
        while !field.is_empty() {
            let length = field.length().ok_or(CUT)?;
            let text = field.take(length).ok_or(CUT)?;
            if names.len() == MOST_POLICIES {
                return Err(MessageError::Malformed { what: "more than 32 policies" });
            }
            names.push(name(text));
        }
        match self.policy_of_each {
            None => {
                let Some(only) = names.first() else { return Ok(()) };
                notices.iter_mut().for_each(|notice| notice.policy = Arc::clone(only));
            }
            Some(of_each) => {
                for (notice, position) in notices.iter_mut().zip(of_each.0) {
                    let index = usize::from(*position).checked_sub(1);
                    if let Some(known) = index.and_then(|index| names.get(index)) {
                        notice.policy = Arc::clone(known);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Reads a field of what only some notices have: for each of these its index and eight bytes.
fn for_some(
    field: Option<Reader<'_>>,
    notices: &mut [Notice],
    set: impl Fn(&mut Notice, [u8; 8]) -> Option<()>,
) -> Result<(), MessageError> {
    let Some(mut field) = field else { return Ok(()) };
    while !field.is_empty() {
        let index = field.length().ok_or(CUT)?;
        let bytes = field.array().ok_or(CUT)?;
        let notice = notices.get_mut(index).and_then(|notice| set(notice, bytes));
        notice.ok_or(MessageError::Malformed { what: "a detail of a notice that is not there" })?;
    }
    Ok(())
}

fn span_id(bytes: [u8; 8]) -> Option<SpanId> {
    SpanId::from_bits(u64::from_be_bytes(bytes))
}

/// A name as text, cut, with a replacement for what is no UTF-8: a bad name is no reason to lose a notice.
fn name(bytes: &[u8]) -> Arc<str> {
    // Three bytes stand for each that is no UTF-8, so what came may be cut before it is read, and is cut afterwards.
    let bytes = bytes.get(..MOST_NAME + 4).unwrap_or(bytes);
    cut_name(&String::from_utf8_lossy(bytes)).into()
}
