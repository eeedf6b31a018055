use std::collections::HashMap;

use super::*;
use proptest::prelude::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const PARENT: &str = "05e3ac9a4f6e3b90";

/// Several lines of one name, as they come.
struct Lines<'a>(&'a [(&'a str, &'a [u8])]);

impl Extractor for Lines<'_> {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        self.0.iter().filter(|(key, _)| *key == name).for_each(|(_, line)| each(line));
    }
}

fn extract(lines: &[(&str, &str)]) -> Option<TraceContext> {
    let lines: Vec<_> = lines.iter().map(|(name, line)| (*name, line.as_bytes())).collect();
    let mut incoming = Incoming::default();
    B3Propagator::default().extract(&Lines(&lines), &mut incoming);
    incoming.context
}

fn multi<'a>(more: &[(&'a str, &'a str)]) -> Option<TraceContext> {
    extract(&[&[(TRACE_ID, TRACE), (SPAN_ID, SPAN)], more].concat())
}

fn flags(read: Option<TraceContext>) -> Option<TraceFlags> {
    read.map(|context| context.flags)
}

#[test]
fn every_single_changed_byte_is_refused_or_changes_what_is_read() {
    let valid = format!("{TRACE}-{SPAN}-1-{PARENT}");
    let original = read_single(valid.as_bytes()).unwrap();
    for at in 0..valid.len() {
        for byte in 0..=u8::MAX {
            let mut line = valid.as_bytes().to_vec();
            line[at] = byte;
            if let Some(read) = read_single(&line) {
                assert_eq!(read == original, line == valid.as_bytes(), "{at} {byte}");
                assert!(matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'), "{at} {byte}");
            }
        }
    }
}

#[test]
fn every_length_but_those_of_the_format_is_refused() {
    let valid = format!("{TRACE}-{SPAN}-1-{PARENT}");
    let whole = [TRACE.len() + 1 + SPAN.len(), TRACE.len() + 3 + SPAN.len(), valid.len()];
    for len in 0..=valid.len() {
        let read = read_single(&valid.as_bytes()[..len]);
        assert_eq!(read.is_some(), whole.contains(&len), "{len}");
    }
    assert_eq!(read_single(format!("{valid}-").as_bytes()), None);
}

#[test]
fn a_line_beyond_any_use_is_refused_unread() {
    let padded = |len: usize| format!("{:len$}", format!("{TRACE}-{SPAN}"));
    assert!(extract(&[(SINGLE, &padded(MAX_LEN))]).is_some());
    assert!(extract(&[(SINGLE, &padded(MAX_LEN + 1))]).is_none());
}

#[test]
fn of_several_lines_the_first_counts_also_if_it_is_malformed() {
    let one = format!("{TRACE}-{SPAN}-1");
    let other = format!("{TRACE}-{PARENT}-0");
    let read = extract(&[(SINGLE, &one), (SINGLE, &other)]).unwrap();
    assert_eq!((read.span_id.to_hex().as_str(), read.is_sampled()), (SPAN, true));
    assert_eq!(extract(&[(SINGLE, "x"), (SINGLE, &other)]), None);
    let read = multi(&[(SPAN_ID, PARENT), (SAMPLED, "0"), (SAMPLED, "1")]).unwrap();
    assert_eq!((read.span_id.to_hex().as_str(), read.is_sampled()), (SPAN, false));
}

#[test]
fn a_single_header_that_is_malformed_or_empty_leaves_the_multi_headers_to_be_read() {
    for single in ["", " ", "x", "0", "d", "0000000000000000-00f067aa0ba902b7-1"] {
        assert_eq!(multi(&[(SINGLE, single)]), multi(&[]), "{single}");
    }
    let single = format!("{TRACE}-{PARENT}-d");
    assert_eq!(flags(multi(&[(SINGLE, &single), (SAMPLED, "0")])), Some(TraceFlags::DEBUG));
}

#[test]
fn sampled_may_be_a_word_and_anything_else_costs_the_context() {
    for (text, sampled) in [
        ("1", true),
        ("0", false),
        ("true", true),
        ("TRUE", true),
        ("False", false),
        (" 1\t", true),
    ] {
        let expected = TraceFlags::default().with_sampled(sampled);
        assert_eq!(flags(multi(&[(SAMPLED, text)])), Some(expected), "{text}");
    }
    for text in ["2", "d", "yes", "01", "1,1", "t"] {
        assert_eq!(multi(&[(SAMPLED, text)]), None, "{text}");
    }
    assert_eq!(flags(multi(&[(SAMPLED, "")])), Some(TraceFlags::DEFERRED));
}

#[test]
fn only_flags_of_1_mean_debug_and_others_change_nothing() {
    for sampled in ["0", "1"] {
        assert_eq!(flags(multi(&[(SAMPLED, sampled), (FLAGS, "1")])), Some(TraceFlags::DEBUG));
        for other in ["0", "", "6", "garbage"] {
            let with_flags = multi(&[(SAMPLED, sampled), (FLAGS, other)]);
            assert_eq!(with_flags, multi(&[(SAMPLED, sampled)]), "{other}");
        }
    }
    assert_eq!(flags(multi(&[(FLAGS, "1")])), Some(TraceFlags::DEBUG));
    assert_eq!(flags(multi(&[(FLAGS, "0")])), Some(TraceFlags::DEFERRED));
}

#[test]
fn the_parent_is_read_and_zeros_are_none() {
    let parent = |read: Option<TraceContext>| read.map(|context| context.parent_span_id);
    let read = SpanId::from_hex(PARENT).ok();
    assert_eq!(parent(multi(&[(PARENT_SPAN_ID, PARENT)])), Some(read));
    assert_eq!(parent(multi(&[(PARENT_SPAN_ID, "0000000000000000")])), Some(None));
    assert_eq!(parent(multi(&[(PARENT_SPAN_ID, "1")])), None);
    let single = |parent: &str| read_single(format!("{TRACE}-{SPAN}-1-{parent}").as_bytes());
    assert_eq!(parent(single(PARENT)), Some(read));
    assert_eq!(parent(single("0000000000000000")), Some(None));
    assert_eq!(parent(single("05E3AC9A4F6E3B90")), None);
}

fn any_context() -> impl Strategy<Value = TraceContext> {
    let flags =
        [TraceFlags::default(), TraceFlags::SAMPLED, TraceFlags::DEBUG, TraceFlags::DEFERRED];
    (1..=u128::MAX, 1..=u64::MAX, prop::sample::select(flags.to_vec())).prop_map(
        |(trace, span, flags)| {
            let trace = TraceId::from_bits(trace).unwrap();
            let span = SpanId::from_bits(span).unwrap();
            TraceContext::new(trace, span).with_flags(flags).remote()
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_in_either_form_is_read_as_it_was(context in any_context()) {
        for propagator in [B3Propagator::single(), B3Propagator::multi()] {
            let mut headers = HashMap::new();
            let mut child = context.clone();
            child.parent_span_id = SpanId::from_hex(PARENT).ok();
            propagator.inject(&child, &mut headers);
            prop_assert!(headers.keys().all(|name| propagator.fields().contains(&name.as_str())));
            prop_assert!(!(headers.contains_key(SAMPLED) && headers.contains_key(FLAGS)));
            let mut incoming = Incoming::default();
            propagator.extract(&headers, &mut incoming);
            prop_assert_eq!(incoming.context.as_ref(), Some(&context));
        }
    }

    #[test]
    fn arbitrary_headers_never_panic_and_never_make_an_id_that_was_not_there(
        lines in prop::collection::vec(
            (
                prop::sample::select(vec![SINGLE, TRACE_ID, SPAN_ID, PARENT_SPAN_ID, SAMPLED, FLAGS]),
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..80),
                    "[0-9a-f]{16}([0-9a-f]{16})?(-[0-9a-f]{16}(-[01dx])?)?".prop_map(String::into_bytes),
                ],
            ),
            0..8,
        ),
    ) {
        let lines: Vec<_> = lines.iter().map(|(name, line)| (*name, line.as_slice())).collect();
        let mut incoming = Incoming::default();
        B3Propagator::default().extract(&Lines(&lines), &mut incoming);
        if let Some(parent) = incoming.context {
            let holds = |id: String| lines.iter().any(|(_, line)| {
                String::from_utf8_lossy(line).contains(id.trim_start_matches('0'))
            });
            prop_assert!(holds(parent.trace_id.to_hex()) && holds(parent.span_id.to_hex()));
            prop_assert!(parent.is_remote);
        }
    }
}
