use std::collections::HashMap;

use super::*;
use proptest::prelude::*;

const VALID: &str = "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1";

/// Lines as they come, with names in lower case.
struct Lines(Vec<(String, Vec<u8>)>);

impl Extractor for Lines {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        self.0.iter().filter(|(key, _)| key == name).for_each(|(_, line)| each(line));
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, line) in &self.0 {
            if let Some(rest) = name.strip_prefix(prefix) {
                each(rest, line);
            }
        }
    }
}

fn extract(lines: &[(&str, &str)]) -> Incoming {
    let line = |(name, line): &(&str, &str)| ((*name).to_owned(), line.as_bytes().to_vec());
    let mut incoming = Incoming::default();
    JaegerPropagator.extract(&Lines(lines.iter().map(line).collect()), &mut incoming);
    incoming
}

fn read(line: &str) -> Option<TraceContext> {
    read_trace_id_header(line.as_bytes())
}

fn baggage(lines: &[(&str, &str)]) -> String {
    extract(lines).baggage.to_string()
}

#[test]
fn missing_zeros_are_read_and_either_case_is() {
    let trace = TraceId::from_bits(0xabc).unwrap();
    let span = SpanId::from_bits(0xde).unwrap();
    let context = TraceContext::new(trace, span).with_flags(TraceFlags::SAMPLED).remote();
    for line in ["abc:de:0:1", "ABC:dE:0:01", "0000abc:000de::1", " abc:de:ff:01\t"] {
        assert_eq!(read(line), Some(context.clone()), "{line}");
    }
}

#[test]
fn ids_of_zeros_or_too_many_digits_are_refused_and_so_is_any_other_shape() {
    for line in [
        "",
        ":",
        ":::",
        "0:1:0:1",
        "1:0:0:1",
        "1:1:0",
        "1:1:0:",
        "1:1:0:1:",
        "1:1:0:1:1",
        "1:1:0:100",
        "1:1:0:g",
        "+1:1:0:1",
        "1:-1:0:1",
        "1:1:0:-1",
        "1:1 :0:1",
        "1:00000000000000001:0:1",
        "000000000000000000000000000000001:1:0:1",
        "é:1:0:1",
        "1%3:1:0:1",
        "1%3B1:0:1",
    ] {
        assert_eq!(read(line), None, "{line}");
    }
}

#[test]
fn colons_may_be_url_encoded_in_either_case_and_mixed() {
    for colon in ["%3A", "%3a"] {
        assert_eq!(read(&VALID.replace(':', colon)), read(VALID), "{colon}");
        assert_eq!(read(&VALID.replacen(':', colon, 1)), read(VALID), "{colon}");
    }
    assert!(read(VALID).is_some());
}

#[test]
fn flags_are_a_hex_byte_of_which_debug_counts_only_if_sampled() {
    for bits in 0..=u8::MAX {
        let flags = read(&format!("1:1:0:{bits:x}")).unwrap().flags;
        let expected = match bits & 3 {
            1 => TraceFlags::SAMPLED,
            3 => TraceFlags::DEBUG,
            _ => TraceFlags::default(),
        };
        assert_eq!(flags, expected, "{bits:x}");
        assert_eq!(read(&format!("1:1:0:{bits:02X}")).unwrap().flags, expected);
    }
}

#[test]
fn two_lines_are_none_and_a_long_one_is_refused_unread() {
    assert_eq!(extract(&[(TRACE_ID, VALID), (TRACE_ID, VALID)]).context, None);
    let padded = |len: usize| format!("{VALID:len$}");
    assert!(read(&padded(MAX_LEN)).is_some());
    assert!(read(&padded(MAX_LEN + 1)).is_none());
}

#[test]
fn baggage_is_read_from_both_headers_sorted_and_in_lower_case() {
    let both = [
        ("uberctx-z", "1"),
        ("jaeger-baggage", "b=2, Key = %C3%AB ,no pair,c=x=y"),
        ("uberctx-UserId", "a+b%2Bc%20d"),
    ];
    assert_eq!(baggage(&both), "b=2,c=x=y,key=%C3%AB,userid=a%20b+c%20d,z=1");
    assert_eq!(extract(&both).baggage.get("userid"), Some("a b+c d"));
    assert_eq!(baggage(&[("uberctx-a", "1"), ("uberctx-a", "2")]), "a=2");
}

#[test]
fn a_bad_member_costs_neither_the_trace_nor_the_others() {
    let lines = [
        (TRACE_ID, VALID),
        ("uberctx-", "1"),
        ("uberctx-a b", "1"),
        ("uberctx-c", "\u{1}"),
        ("uberctx-d", "%zz"),
        ("jaeger-baggage", "=1,,é=2"),
    ];
    let incoming = extract(&lines);
    assert_eq!(incoming.context, read(VALID));
    assert_eq!(incoming.baggage.to_string(), "d=%25zz");
}

#[test]
fn an_escape_never_brings_in_a_member() {
    assert_eq!(baggage(&[("jaeger-baggage", "a=1%2Cevil%3D1")]), "a=1%2Cevil=1");
    assert_eq!(extract(&[("jaeger-baggage", "a=1%2Cevil%3D1")]).baggage.len(), 1);
}

#[test]
fn more_than_the_limits_is_left_out_member_by_member() {
    let many: Vec<_> =
        (0..10_000).map(|at| (format!("uberctx-k{at:05}"), "v".to_owned())).collect();
    let many: Vec<_> = many.iter().map(|(name, line)| (name.as_str(), line.as_str())).collect();
    assert_eq!(extract(&many).baggage.len(), Baggage::MAX_MEMBERS);

    let huge = "x".repeat(1 << 20);
    let large = "x".repeat(8000);
    let long_name = format!("uberctx-{huge}");
    let lines = [
        ("uberctx-a", huge.as_str()),
        (long_name.as_str(), "1"),
        ("uberctx-b", large.as_str()),
        ("uberctx-c", large.as_str()),
        ("uberctx-d", "1"),
        ("jaeger-baggage", huge.as_str()),
    ];
    let read = extract(&lines).baggage;
    let names: Vec<_> = read.iter().map(|member| member.name).collect();
    assert_eq!(names, ["b", "d"]);
    assert!(read.to_string().len() <= Baggage::MAX_BYTES);
}

#[test]
fn lines_that_replace_each_other_share_one_budget_of_bytes() {
    let first = "%41".repeat(8000);
    let second = "%42".repeat(8000);
    let read = extract(&[("uberctx-a", &first), ("uberctx-a", &second), ("uberctx-b", "1")]);
    assert_eq!(read.baggage.to_string(), format!("a={},b=1", "A".repeat(8000)));
}

#[test]
fn the_largest_baggage_arrives_though_every_byte_is_escaped() {
    let mut context = read(VALID).unwrap();
    context.baggage = Baggage::new().with("a", &"=".repeat(Baggage::MAX_BYTES - 2)).unwrap();
    let mut headers = HashMap::new();
    JaegerPropagator.inject(&context, &mut headers);
    let mut incoming = Incoming::default();
    JaegerPropagator.extract(&headers, &mut incoming);
    assert_eq!(incoming.baggage, context.baggage);
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(
        trace in 1..=u128::MAX,
        span in 1..=u64::MAX,
        flags in prop::sample::select(vec![TraceFlags::default(), TraceFlags::SAMPLED, TraceFlags::DEBUG]),
        members in prop::collection::btree_map("[a-z0-9!_.~-]{1,8}", "\\PC{0,20}|[%+,;= \\t\\r\\n0-9A-F]{0,20}", 0..20),
    ) {
        let trace = TraceId::from_bits(trace).unwrap();
        let span = SpanId::from_bits(span).unwrap();
        let mut context = TraceContext::new(trace, span).with_flags(flags).remote();
        for (name, value) in &members {
            context.baggage = context.baggage.with(name, value).unwrap();
        }
        let mut headers = HashMap::new();
        JaegerPropagator.inject(&context, &mut headers);
        prop_assert_eq!(headers.len(), 1 + members.len());
        prop_assert!(headers.values().all(|value| value.bytes().all(|byte| byte.is_ascii_graphic())));
        let mut incoming = Incoming::default();
        JaegerPropagator.extract(&headers, &mut incoming);
        prop_assert_eq!(incoming.into_context(), Some(context));
    }

    #[test]
    fn arbitrary_headers_never_panic_and_stay_within_the_limits(
        lines in prop::collection::vec(
            (
                prop_oneof![Just(TRACE_ID.to_owned()), Just(BAGGAGE.to_owned()), "uberctx-\\PC{0,5}"],
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..80),
                    "([0-9a-fA-F]{0,34}(:|%3[Aa])){2,4}[0-9a-f]{0,3}".prop_map(String::into_bytes),
                    ("[a-c=,%+ 0-9]{1,9}", 1..2000_usize).prop_map(|(text, times)| text.repeat(times).into_bytes()),
                ],
            ),
            0..8,
        ),
    ) {
        let mut incoming = Incoming::default();
        JaegerPropagator.extract(&Lines(lines), &mut incoming);
        prop_assert!(incoming.baggage.len() <= Baggage::MAX_MEMBERS);
        prop_assert!(incoming.baggage.to_string().len() <= Baggage::MAX_BYTES);
        prop_assert!(incoming.context.is_none_or(|parent| parent.is_remote));
    }
}
