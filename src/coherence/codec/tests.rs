//! The codec, from both ends.

use proptest::prelude::*;

use super::bytes::{Reader, put_field, put_varint};
use super::{FIXED_BYTES, MOST_NOTICES, Message, MessageBody, MessageError, ProtocolVersion};
use crate::coherence::notice::Notice;
use crate::model::{Randomness, SpanId, TraceId};

fn id(bits: u128) -> TraceId {
    TraceId::from_bits(bits).unwrap()
}

fn full() -> Notice {
    let part = SpanId::from_bits(7).unwrap();
    Notice::new(id(3))
        .with_part(part, SpanId::from_bits(8))
        .with_randomness(Randomness::from_bits(9))
        .with_policy("Errors")
}

fn message(notices: Vec<Notice>) -> Message {
    let mut message = Message::new("prod", 5, MessageBody::Notices(notices));
    message.first = 300;
    message.service = "payment".into();
    message
}

fn notices() -> impl Strategy<Value = Vec<Notice>> {
    let part = proptest::option::of((1u64.., proptest::option::of(1u64..)));
    let notice = (1u128.., part, proptest::option::of(any::<u64>()), "[a-c]{0,2}");
    let notice = notice.prop_map(|(bits, part, randomness, policy)| {
        let mut notice = Notice::new(id(bits)).with_policy(policy);
        if let Some((top, parent)) = part {
            notice = notice
                .with_part(SpanId::from_bits(top).unwrap(), parent.and_then(SpanId::from_bits));
        }
        if let Some(bits) = randomness {
            notice = notice.with_randomness(Randomness::from_bits(bits));
        }
        notice
    });
    proptest::collection::vec(notice, 0..40)
}

proptest! {
    #[test]
    fn what_is_sent_is_what_is_read(notices in notices(), repeat: bool, first: u64) {
        let body = if repeat { MessageBody::Repeat(notices) } else { MessageBody::Notices(notices) };
        let mut message = Message::new("prod", 5, body);
        message.first = first;
        let bytes = message.encode(ProtocolVersion::V1_1);
        prop_assert_eq!(Message::decode(&bytes), Ok(message));
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_grow(bytes: Vec<u8>, cut in 0usize..200, at in 0usize..200, to: u8) {
        let mut near = message(vec![full(), Notice::new(id(1))]).encode(ProtocolVersion::V1_1);
        if let Some(byte) = near.get_mut(at) {
            *byte = to;
        }
        near.truncate(cut);
        for bytes in [bytes, near] {
            let Ok(read) = Message::decode(&bytes) else { continue };
            prop_assert!(read.notices().len() <= bytes.len() / 16);
            prop_assert_eq!(Message::decode(&read.encode(ProtocolVersion::V1_1)), Ok(read));
        }
    }

    #[test]
    fn a_number_survives(number: u64) {
        let mut out = Vec::new();
        put_varint(&mut out, number);
        prop_assert_eq!(Reader(&out).varint(), Some(number));
    }
}

#[test]
fn one_id_costs_less_than_sixty_bytes_and_each_further_one_sixteen() {
    let notice = || Notice::new(id(u128::MAX)).with_policy("Errors");
    let one = message(vec![notice()]).encode(ProtocolVersion::V1_1);
    assert!(one.len() < 60, "{} bytes", one.len());
    let two = message(vec![notice(), notice()]).encode(ProtocolVersion::V1_1);
    assert_eq!(two.len() - one.len(), 16);
}

#[test]
fn a_sender_held_at_the_version_before_is_read_without_what_came_later() {
    let read = Message::decode(&message(vec![full()]).encode(ProtocolVersion::V1_0)).unwrap();
    assert_eq!(&*read.service, "");
    let expected = Notice::new(id(3)).with_part(SpanId::from_bits(7).unwrap(), None);
    assert_eq!(read.notices(), [expected]);
}

#[test]
fn unknown_fields_are_skipped_and_a_later_minor_version_is_read() {
    let message = message(vec![full()]);
    let mut bytes = message.encode(ProtocolVersion::V1_1);
    put_field(&mut bytes, 99, b"from the future");
    bytes[1] = 0x1f;
    assert_eq!(Message::decode(&bytes), Ok(message));
}

#[test]
fn an_unknown_major_version_is_refused_by_its_number() {
    let mut bytes = message(vec![full()]).encode(ProtocolVersion::V1_1);
    bytes[1] = 0x20;
    assert_eq!(Message::decode(&bytes), Err(MessageError::UnknownVersion { major: 2 }));
}

#[test]
fn more_notices_than_a_message_may_have_are_neither_sent_nor_read() {
    let many = message(vec![Notice::new(id(1)); MOST_NOTICES + 1]);
    let bytes = many.encode(ProtocolVersion::V1_1);
    assert_eq!(Message::decode(&bytes).unwrap().notices().len(), MOST_NOTICES);
    let mut forged = bytes[..FIXED_BYTES + 2].to_vec();
    put_field(&mut forged, 1, &vec![1; 16 * (MOST_NOTICES + 1)]);
    assert!(Message::decode(&forged).is_err());
}

#[test]
fn a_long_name_is_cut_at_a_character() {
    let notice = Notice::new(id(1)).with_policy("é".repeat(100));
    let read = Message::decode(&message(vec![notice]).encode(ProtocolVersion::V1_1)).unwrap();
    assert_eq!(&*read.notices()[0].policy, "é".repeat(32));
}

#[test]
fn a_name_that_is_no_text_is_read_as_one_that_can_be_sent_again() {
    let named = message(vec![Notice::new(id(1)).with_policy("p".repeat(64))]);
    let mut bytes = named.encode(ProtocolVersion::V1_1);
    for byte in &mut bytes {
        if *byte == b'p' {
            *byte = 0x82;
        }
    }
    let read = Message::decode(&bytes).unwrap();
    assert_eq!(&*read.notices()[0].policy, "\u{fffd}".repeat(21));
    assert_eq!(Message::decode(&read.encode(ProtocolVersion::V1_1)), Ok(read));
}

#[test]
fn an_ask_says_who_asks() {
    let mut ask = Message::new("prod", 5, MessageBody::Ask { back_millis: 10_000 });
    ask.service = "bank".into();
    assert_eq!(Message::decode(&ask.encode(ProtocolVersion::V1_1)), Ok(ask.clone()));
    assert_eq!(&*Message::decode(&ask.encode(ProtocolVersion::V1_0)).unwrap().service, "");
}
