//! Messages to bytes.

use std::sync::Arc;

use super::bytes::{cut_name, put_field, put_varint};
use super::{
    FIXED_BYTES, KIND_ASK, KIND_NOTICES, KIND_REPEAT, MAGIC, MOST_NOTICES, MOST_POLICIES, Message,
    MessageBody, ProtocolVersion, tag,
};
use crate::coherence::notice::Notice;

impl Message {
    /// The bytes of this message; of notices, the first 1,024.
    #[must_use]
    pub fn encode(&self, version: ProtocolVersion) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_BYTES + 16 + 26 * self.notices().len());
        let kind = match &self.body {
            MessageBody::Notices(_) => KIND_NOTICES,
            MessageBody::Repeat(_) => KIND_REPEAT,
            MessageBody::Ask { .. } => KIND_ASK,
        };
        out.extend_from_slice(&[MAGIC, version.to_byte(), kind]);
        out.extend_from_slice(&self.group.to_le_bytes());
        out.extend_from_slice(&self.sender.to_le_bytes());
        put_varint(&mut out, self.first);
        match &self.body {
            MessageBody::Notices(notices) | MessageBody::Repeat(notices) => {
                let notices = notices.get(..MOST_NOTICES).unwrap_or(notices);
                put_notices(&mut out, notices);
                if version >= ProtocolVersion::V1_1 {
                    put_service(&mut out, &self.service);
                    put_additions(&mut out, notices);
                }
            }
            MessageBody::Ask { back_millis } => {
                let mut field = Vec::new();
                put_varint(&mut field, *back_millis);
                put_field(&mut out, tag::ASK_BACK, &field);
                if version >= ProtocolVersion::V1_1 {
                    put_service(&mut out, &self.service);
                }
            }
        }
        out
    }
}

/// What version 1.0 has of notices.
fn put_notices(out: &mut Vec<u8>, notices: &[Notice]) {
    let ids: Vec<u8> = notices.iter().flat_map(|notice| notice.trace_id.to_bytes()).collect();
    put_field(out, tag::IDS, &ids);
    put_some(out, tag::PARTS, notices, |notice, field| {
        let Some(part) = notice.part else { return false };
        field.extend_from_slice(&part.top.to_bytes());
        true
    });
}

fn put_service(out: &mut Vec<u8>, service: &str) {
    if !service.is_empty() {
        put_field(out, tag::SERVICE, cut_name(service).as_bytes());
    }
}

/// What version 1.1 added to notices.
fn put_additions(out: &mut Vec<u8>, notices: &[Notice]) {
    put_policies(out, notices);
    put_some(out, tag::RANDOMNESS, notices, |notice, field| {
        let Some(randomness) = notice.randomness else { return false };
        field.extend_from_slice(&randomness.bits().to_le_bytes());
        true
    });
    put_some(out, tag::PARENTS, notices, |notice, field| {
        let Some(parent) = notice.part.and_then(|part| part.parent) else { return false };
        field.extend_from_slice(&parent.to_bytes());
        true
    });
}

/// Writes a field of what only some notices have: for each of these its index, and what `put` writes.
fn put_some(
    out: &mut Vec<u8>,
    tag: u64,
    notices: &[Notice],
    put: impl Fn(&Notice, &mut Vec<u8>) -> bool,
) {
    let mut field = Vec::new();
    for (index, notice) in notices.iter().enumerate() {
        let before = field.len();
        put_varint(&mut field, index as u64);
        if !put(notice, &mut field) {
            field.truncate(before);
        }
    }
    if !field.is_empty() {
        put_field(out, tag, &field);
    }
}

/// Writes the names of the policies, and for each notice which one it was; with one policy for all, only its name.
fn put_policies(out: &mut Vec<u8>, notices: &[Notice]) {
    let mut names: Vec<&Arc<str>> = Vec::new();
    let mut of_each = Vec::with_capacity(notices.len());
    for notice in notices {
        let known = names.iter().position(|name| **name == notice.policy);
        let position = match known {
            Some(position) => position + 1,
            None if notice.policy.is_empty() || names.len() == MOST_POLICIES => 0,
            None => {
                names.push(&notice.policy);
                names.len()
            }
        };
        of_each.push(position as u8);
    }
    if names.is_empty() {
        return;
    }
    let mut field = Vec::new();
    for name in names {
        let name = cut_name(name);
        put_varint(&mut field, name.len() as u64);
        field.extend_from_slice(name.as_bytes());
    }
    put_field(out, tag::POLICIES, &field);
    if of_each.iter().any(|position| *position != 1) {
        put_field(out, tag::POLICY_OF_EACH, &of_each);
    }
}
