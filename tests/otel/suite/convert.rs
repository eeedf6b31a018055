//! Conversions there and back.

use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry::{KeyValue, Value};
use proptest::prelude::*;
use tailtrace::model::{Baggage, LogEntry, Resource, TagRef};
use tailtrace::{LogLevel, Span, TagValue, TraceContext};

use super::release_line::{self, Scope, SpanData};
use super::{strategies as any, support};
use crate::adapter::convert::*;

fn there_and_back(data: &SpanData) -> SpanData {
    to_span_data(from_span_data(data).unwrap().as_ref().unwrap())
}

fn bare(name: &'static str) -> SpanData {
    support::bare(name, 7, 8)
}

/// Our entry of an event, read where it stands in a span.
fn with_log<R>(entry: LogEntry, read: impl FnOnce(tailtrace::trace::LogRef<'_>) -> R) -> R {
    let context = TraceContext::new(tailtrace::TraceId::new(), tailtrace::SpanId::new());
    let mut span = Span::new("span", context);
    span.log_at(entry.time, entry.level, &entry.message, entry.fields);
    read(span.as_ref().unwrap().logs().next().unwrap())
}

proptest! {
    #[test]
    fn a_span_comes_back_as_it_was(data in any::span_data()) {
        prop_assert_eq!(there_and_back(&data), data);
    }

    #[test]
    fn a_context_comes_back_as_it_was(context in any::span_context()) {
        let original = from_span_context(&context).unwrap();
        prop_assert_eq!(to_span_context(&original), context);
    }

    #[test]
    fn an_event_comes_back_as_it_was(event in any::event()) {
        prop_assert_eq!(with_log(from_event(&event), to_event), event);
    }

    #[test]
    fn the_level_of_a_log_entry_survives_whatever_its_fields_say(
        level in prop_oneof![
            Just(LogLevel::Trace), Just(LogLevel::Debug), Just(LogLevel::Info), Just(LogLevel::Warn),
            Just(LogLevel::Error),
        ],
        event in any::event(),
    ) {
        let mut entry = from_event(&event);
        entry.level = level;
        let has_its_own = entry.fields.iter().any(|(key, _)| key == "level");
        let back = from_event(&with_log(entry.clone(), to_event));
        prop_assert_eq!(back.level, level);
        if !has_its_own {
            prop_assert_eq!(back, entry);
        }
    }

    #[test]
    fn a_value_comes_back_as_it_was(value in any::value()) {
        prop_assert_eq!(to_value(from_value(&value).as_ref()), value);
    }

    #[test]
    fn a_resource_comes_back_as_it_was(attributes in any::attributes(), url in "[a-z:/]{0,3}") {
        let mut original = Resource::new("checkout").with_schema_url(url.clone());
        for attribute in &attributes {
            let (key, value) = from_attribute(attribute);
            original = original.with_tag(key, value);
        }
        let converted = to_resource(&original);
        prop_assert_eq!(converted.len(), original.iter().count());
        let back = from_resource(&converted);
        prop_assert_eq!(to_resource(&back), converted);
        prop_assert_eq!(back.service_name(), original.service_name());
        prop_assert_eq!(back.schema_url(), original.schema_url());
        prop_assert_eq!(back.schema_url().is_none(), url.is_empty());
    }

    #[test]
    fn baggage_comes_back_in_alphabetical_order(
        members in proptest::collection::btree_map("[a-z]{1,3}", (any::<String>(), "[a-z]{0,3}"), 0..5),
    ) {
        let mut original = Baggage::new();
        for (name, (value, metadata)) in members.iter().rev() {
            original = original.with_metadata(name, value, metadata).unwrap();
        }
        let converted = to_baggage(&original);
        prop_assert_eq!(converted.len(), members.len());
        let back = from_baggage(&converted);
        let back: Vec<_> = back.iter().map(|m| (m.name, m.value, m.metadata)).collect();
        let sent: Vec<_> = members.iter().map(|(n, (v, m))| (&**n, &**v, &**m)).collect();
        prop_assert_eq!(back, sent);
    }

    #[test]
    fn whatever_a_context_of_ours_says_that_fits_survives(
        flags in 0..4_u8, is_remote: bool, state in any::trace_state(),
    ) {
        let mut original = TraceContext::new(tailtrace::TraceId::new(), tailtrace::SpanId::new())
            .with_flags(tailtrace::model::TraceFlags::from_bits_truncate(flags));
        original.trace_state = from_trace_state(&state);
        original.is_remote = is_remote;
        prop_assert_eq!(from_span_context(&to_span_context(&original)), Some(original));
    }
}

#[test]
fn an_infinite_number_and_one_that_is_none_come_back() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0] {
        match to_value(from_value(&Value::F64(number)).as_ref()) {
            Value::F64(back) => assert_eq!(back.to_bits(), number.to_bits()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn bytes_become_hexadecimal_text() {
    assert_eq!(to_value(TagRef::Bytes(&[0, 0xff])), Value::from("00ff"));
}

#[test]
fn ids_of_zero_are_none() {
    assert_eq!(from_trace_id(TraceId::INVALID), None);
    assert_eq!(from_span_id(SpanId::INVALID), None);
    assert_eq!(from_span_context(&SpanContext::empty_context()), None);
    let mut data = bare("without ids");
    data.span_context = SpanContext::empty_context();
    assert!(from_span_data(&data).is_none());
}

#[test]
fn flags_without_a_meaning_and_flags_only_we_know_are_left_out() {
    assert_eq!(from_flags(TraceFlags::new(0xff)).bits(), 3);
    assert_eq!(to_flags(tailtrace::model::TraceFlags::DEBUG), TraceFlags::SAMPLED);
    assert_eq!(to_flags(tailtrace::model::TraceFlags::DEFERRED), TraceFlags::NOT_SAMPLED);
}

#[test]
fn a_key_of_level_2_costs_the_trace_state_nothing_else() {
    let original: tailtrace::model::TraceState = "a@b@c=1,x=2,ot=th:8".parse().unwrap();
    assert_eq!(to_trace_state(&original).header(), "x=2,ot=th:8");
}

#[test]
fn a_member_that_the_standard_refuses_costs_the_trace_state_nothing_else() {
    let converted =
        TraceState::from_key_value([("x", "1"), ("empty", ""), ("ot", "th:8")]).unwrap();
    assert_eq!(from_trace_state(&converted).as_str(), "x=1,ot=th:8");
    let converted = TraceState::from_key_value([("x", "é")]).unwrap();
    assert!(from_trace_state(&converted).is_empty());
}

#[test]
fn of_attributes_with_the_same_key_the_last_stays() {
    let mut data = bare("twice");
    data.attributes = vec![KeyValue::new("a", 1), KeyValue::new("b", 2), KeyValue::new("a", 3)];
    assert_eq!(there_and_back(&data).attributes, [KeyValue::new("a", 3), KeyValue::new("b", 2)]);
}

#[test]
fn more_than_the_limits_is_kept_because_the_sdk_has_limited_it() {
    let mut data = bare("many");
    let many = |number| KeyValue::new(format!("key {number}"), "x".repeat(20_000));
    data.attributes = (0..300).map(many).collect();
    data.events.events = vec![Event::new("event", UNIX_EPOCH, Vec::new(), 0); 300];
    data.links.links = vec![Link::new(data.span_context.clone(), Vec::new(), 0); 300];
    assert_eq!(there_and_back(&data), data);
}

#[test]
fn what_events_and_links_dropped_counts_for_the_span() {
    let mut data = bare("lossy");
    data.dropped_attributes_count = 1;
    data.events.events = vec![Event::new("event", UNIX_EPOCH, Vec::new(), 2)];
    data.events.dropped_count = 10;
    data.links.links = vec![
        Link::new(data.span_context.clone(), Vec::new(), 3),
        Link::new(SpanContext::empty_context(), vec![KeyValue::new("a", 1)], 0),
    ];
    data.links.dropped_count = 20;
    let back = there_and_back(&data);
    let counts =
        (back.dropped_attributes_count, back.events.dropped_count, back.links.dropped_count);
    assert_eq!(counts, (6, 10, 21));
}

#[test]
fn the_scope_stands_in_tags() {
    let mut data = bare("scoped");
    release_line::set_scope(&mut data, Scope::builder("sqlx").with_version("0.8").build());
    let span = from_span_data(&data).unwrap();
    assert_eq!(span.tag("otel.scope.name"), Some(TagRef::Str("sqlx")));
    assert_eq!(span.tag("otel.scope.version"), Some(TagRef::Str("0.8")));
    assert_eq!(span.as_ref().unwrap().tags().count(), 2);
}

#[test]
fn a_level_is_read_where_tracing_opentelemetry_writes_it() {
    let attributes = vec![KeyValue::new("level", "WARN"), KeyValue::new("target", "shop")];
    let entry = from_event(&Event::new("slow", UNIX_EPOCH, attributes, 0));
    assert_eq!((entry.level, entry.message.as_ref()), (LogLevel::Warn, "slow"));
    assert_eq!(entry.fields, [("target".into(), TagValue::from("shop"))]);
    let unknown = vec![KeyValue::new("level", "loud")];
    let entry = from_event(&Event::new("slow", UNIX_EPOCH, unknown, 0));
    assert_eq!((entry.level, entry.fields.len()), (LogLevel::Info, 1));
}

#[test]
fn a_resource_without_a_service_is_unknown_and_the_rest_is_in_order() {
    let original = Resource::new("shop").with_tag("b", 1).with_tag("a", vec!["x", "y"]);
    let back = from_resource(&to_resource(&original));
    let keys: Vec<&str> = back.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["service.name", "a", "b"]);
    assert_eq!(
        (back.schema_url(), release_line::attribute_of(&to_resource(&original), "b")),
        (None, Some(1.into()))
    );
    let empty = release_line::resource(Vec::new());
    assert_eq!(from_resource(&empty).service_name(), "unknown_service");
}

#[test]
fn a_span_that_has_not_ended_ends_where_it_started() {
    let context = TraceContext::new(tailtrace::TraceId::new(), tailtrace::SpanId::new());
    let open = Span::started_at("open", context, UNIX_EPOCH + Duration::from_secs(3));
    let data = to_span_data(open.as_ref().unwrap());
    assert_eq!(
        (data.start_time, data.end_time),
        (UNIX_EPOCH + Duration::from_secs(3), data.start_time)
    );
}

#[test]
fn baggage_that_no_header_can_carry_is_left_out() {
    let mut converted = opentelemetry::baggage::Baggage::new();
    converted.insert("good", "1");
    converted.insert_with_metadata("bad", "1", "é=1");
    converted.insert("long", "é".repeat(4000));
    let original = from_baggage(&converted);
    assert_eq!(original.iter().map(|member| member.name).collect::<Vec<_>>(), ["good"]);
}
