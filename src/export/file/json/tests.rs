use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{Link, LogLevel, SpanId, SpanKind, TagValue, Threshold, TraceContext, TraceId};
use crate::testing::{span, trace};
use crate::trace::{KeepReason, Span};

fn lines(trace: &Trace) -> Vec<String> {
    let mut out = Vec::new();
    write_trace(&mut out, trace);
    let text = String::from_utf8(out).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_span_is_one_line_with_every_key() {
    let ms = Duration::from_millis;
    let made = trace(
        span("POST /orders")
            .kind(SpanKind::Server)
            .lasting(ms(12))
            .tag("http.status", 500)
            .log(LogLevel::Warn, "slow")
            .error("card \"declined\"")
            .child(span("charge").starting_after(ms(2)).lasting(ms(1))),
    );
    let made = made
        .with_reason(KeepReason {
            policy: "Errors".into(),
            threshold: Some(Threshold::ALWAYS),
            is_late: false,
            is_part: false,
            is_unfinished: false,
            is_hidden: false,
        })
        .with_resource(Resource::new("checkout").with_tag("host", "a1"));
    let shared = r#","service":"checkout","resource":{"host":"a1"},"kept_by":"Errors","probability":1.0,"late":false,"part":false,"unfinished":false}"#;
    let root = r#"{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"0000000000000001","parent_span_id":null,"name":"POST /orders","kind":"server","start":"2026-01-01T00:00:00.000000000Z","duration_ns":12000000,"status":"error","error":"card \"declined\"","tags":{"http.status":500},"logs":[{"time":"2026-01-01T00:00:00.000000000Z","level":"WARN","message":"slow","fields":{}}],"links":[]"#;
    let child = r#"{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"0000000000000002","parent_span_id":"0000000000000001","name":"charge","kind":"internal","start":"2026-01-01T00:00:00.002000000Z","duration_ns":1000000,"status":"unset","error":null,"tags":{},"logs":[],"links":[]"#;
    assert_eq!(lines(&made), [format!("{root}{shared}"), format!("{child}{shared}")]);
}

#[test]
fn what_is_not_known_is_null_and_what_was_dropped_is_counted() {
    let context = TraceContext::new(TraceId::new(), SpanId::new());
    let mut span = Span::started_at("open", context, UNIX_EPOCH);
    for index in 0..130 {
        span.set_tag(format!("key {index}"), index);
    }
    let mut made = Trace::new(TraceId::new());
    made.add_span(span);
    let [line] = lines(&made).try_into().unwrap();
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["duration_ns"], Value::Null);
    assert_eq!(value["kept_by"], Value::Null);
    assert_eq!(value["probability"], Value::Null);
    assert_eq!(value["dropped"], json!({"tags": 2, "logs": 0, "links": 0}));
}

#[test]
fn what_is_not_a_number_becomes_text() {
    let values = vec![1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.0];
    let [line] = lines(&trace(span("a").tag("values", values))).try_into().unwrap();
    assert!(line.contains(r#""tags":{"values":[1.5,"NaN","Infinity","-Infinity",2.0]}"#), "{line}");
}

/// The date so many days after 1970-01-01, counted year by year and month by month.
fn naive_date(mut days: u64) -> (u64, u64, u64) {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in months {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[test]
fn every_date_that_a_time_can_have_is_right() {
    // 2^64 nanoseconds end in the year 2554.
    for days in 0..=u64::MAX / 1_000_000_000 / 86_400 {
        assert_eq!(date(days), naive_date(days), "day {days}");
    }
}

/// A value with what it must become.
fn tag() -> impl Strategy<Value = (TagValue, Value)> {
    prop_oneof![
        any::<bool>().prop_map(|flag| (flag.into(), json!(flag))),
        any::<i64>().prop_map(|whole| (whole.into(), json!(whole))),
        // Fractions that any parser reads exactly.
        any::<i32>().prop_map(|n| (TagValue::F64(f64::from(n) / 8.0), json!(f64::from(n) / 8.0))),
        any::<String>().prop_map(|text| (TagValue::from(text.clone()), json!(text))),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            (bytes.into(), json!(digits))
        }),
        prop::collection::vec(any::<bool>(), 0..4)
            .prop_map(|list| (list.clone().into(), json!(list))),
        prop::collection::vec(any::<i64>(), 0..4)
            .prop_map(|list| (list.clone().into(), json!(list))),
        prop::collection::vec(any::<String>(), 0..4)
            .prop_map(|list| (list.clone().into(), json!(list))),
    ]
}

fn tags() -> impl Strategy<Value = Vec<(String, (TagValue, Value))>> {
    let keys = prop::collection::btree_map(any::<String>(), tag(), 0..5);
    keys.prop_map(|tags| tags.into_iter().collect())
}

fn object_of(tags: &[(String, (TagValue, Value))]) -> Value {
    tags.iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect()
}

proptest! {
    #[test]
    fn every_line_reads_back_as_what_was_recorded(
        ids in (1_u128.., 1_u64.., any::<u64>()),
        texts in (any::<String>(), any::<String>(), any::<String>()),
        tags in tags(),
        fields in tags(),
        duration in 0_u64..1 << 40,
    ) {
        let trace_id = TraceId::from_bits(ids.0).unwrap();
        let span_id = SpanId::from_bits(ids.1).unwrap();
        let mut context = TraceContext::new(trace_id, span_id);
        context.parent_span_id = SpanId::from_bits(ids.2);
        let (name, message, error) = texts;
        let mut span = Span::started_at(name.clone(), context.clone(), UNIX_EPOCH);
        for (key, (value, _)) in &tags {
            span.set_tag(key.clone(), value);
        }
        let pairs = fields.iter().map(|(key, (value, _))| (key.clone(), value));
        span.log_at(UNIX_EPOCH, LogLevel::Error, message.clone(), pairs);
        let link = tags.iter().fold(Link::new(context), |link, (key, (value, _))| {
            link.with_tag(key.clone(), value.clone())
        });
        span.add_link(link);
        span.set_status(Status::error(error.clone()));
        span.finish_at(UNIX_EPOCH + Duration::from_nanos(duration));
        let mut made = Trace::new(trace_id).with_resource(Resource::new(message.clone()));
        made.add_span(span);

        let [line] = lines(&made).try_into().unwrap();
        let epoch = "1970-01-01T00:00:00.000000000Z";
        let expected = json!({
            "trace_id": trace_id.to_hex(),
            "span_id": span_id.to_hex(),
            "parent_span_id": SpanId::from_bits(ids.2).map(SpanId::to_hex),
            "name": name,
            "kind": "internal",
            "start": epoch,
            "duration_ns": duration,
            "status": "error",
            "error": error,
            "tags": object_of(&tags),
            "logs": [{
                "time": epoch, "level": "ERROR", "message": message, "fields": object_of(&fields),
            }],
            "links": [{
                "trace_id": trace_id.to_hex(), "span_id": span_id.to_hex(), "tags": object_of(&tags),
            }],
            "service": if message.trim().is_empty() { "unknown_service" } else { &message },
            "resource": {},
            "kept_by": null,
            "probability": null,
            "late": false,
            "part": false,
            "unfinished": false,
        });
        prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
    }

    #[test]
    fn a_number_reads_back_bit_for_bit(value in any::<f64>()) {
        let mut out = Vec::new();
        number(&mut out, value);
        let text = String::from_utf8(out).unwrap();
        let read: f64 = text.trim_matches('"').parse().unwrap();
        prop_assert!(read == value || (read.is_nan() && value.is_nan()), "{} as {}", value, text);
    }

    #[test]
    fn times_sort_as_their_text(a in any::<u64>(), b in any::<u64>()) {
        let text = |nanos| {
            let mut out = Vec::new();
            time(&mut out, nanos);
            out
        };
        prop_assert_eq!(a.cmp(&b), text(a).cmp(&text(b)));
    }
}
