//! What Zipkin's own types read of what is written.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use zipkin_types::{Kind, Span as Read};

use super::*;
use crate::model::{Link, SpanId, TraceContext, TraceId};
use crate::testing::{self, span, trace};
use crate::trace::{Span, Trace};

fn read(batch: &[Trace]) -> Vec<Read> {
    let mut out = Vec::new();
    write(&mut out, &Batch::from(batch), &mut TraceSizes::default(), usize::MAX);
    serde_json::from_slice(&out).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&out));
    })
}

/// The only span of a trace that consists of it.
fn read_one(made: testing::SpanFactory) -> Read {
    read(&[trace(made)]).remove(0)
}

fn own_tags(span: &Read) -> HashMap<&str, &str> {
    let made_here =
        |name: &str| name.starts_with("otel.scope.") || name.starts_with("otel.library.");
    let tags = span.tags().iter().map(|(name, value)| (&**name, &**value));
    tags.filter(|(name, _)| !made_here(name)).collect()
}

/// A finished span with nothing but an identity, to be filled.
fn bare(trace_id: TraceId) -> Span {
    Span::started_at("op", TraceContext::new(trace_id, SpanId::new()), UNIX_EPOCH)
}

fn read_span(mut span: Span) -> Read {
    span.finish_at(UNIX_EPOCH + Duration::from_secs(1));
    let mut made = Trace::new(span.context().trace_id);
    made.add_span(span);
    read(&[made]).remove(0)
}

#[test]
fn identity_name_and_times_in_microseconds_are_told() {
    let made = trace(
        span("GET /cart").kind(SpanKind::Server).lasting(Duration::from_nanos(7_654_321)).child(
            span("load").starting_after(Duration::from_nanos(1_999)).lasting(Duration::ZERO),
        ),
    );
    let spans = read(&[made.with_resource(Resource::new("shop"))]);
    let root = &spans[0];
    let child = &spans[1];
    assert_eq!(root.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!((root.id().to_string(), root.parent_id()), ("0000000000000001".to_owned(), None));
    assert_eq!(child.parent_id().map(|id| id.to_string()), Some("0000000000000001".to_owned()));
    assert_eq!((root.name(), child.name()), (Some("GET /cart"), Some("load")));
    assert_eq!(root.duration(), Some(Duration::from_micros(7_654)));
    let start = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    assert_eq!(root.timestamp(), Some(start));
    assert_eq!(child.timestamp(), Some(start + Duration::from_micros(1)));
    assert_eq!(root.local_endpoint().unwrap().service_name(), Some("shop"));
    // Zero would say that the port is not known.
    assert_eq!(child.duration(), Some(Duration::from_micros(1)));
}

#[test]
fn every_kind_has_its_word_and_internal_has_none() {
    let kind = |kind| read_one(span("op").kind(kind)).kind();
    assert!(matches!(kind(SpanKind::Server), Some(Kind::Server)));
    assert!(matches!(kind(SpanKind::Client), Some(Kind::Client)));
    assert!(matches!(kind(SpanKind::Producer), Some(Kind::Producer)));
    assert!(matches!(kind(SpanKind::Consumer), Some(Kind::Consumer)));
    assert!(kind(SpanKind::Internal).is_none());
}

#[test]
fn the_status_becomes_two_tags() {
    let none = read_one(span("op"));
    assert_eq!(own_tags(&none), HashMap::new());
    let failed = read_one(span("op").error("card declined").tag("error", true));
    let expected = [("otel.status_code", "ERROR"), ("error", "card declined")];
    assert_eq!(own_tags(&failed), HashMap::from(expected));
    let silent = read_one(span("op").error(""));
    assert_eq!(own_tags(&silent).get("error"), Some(&""));
    let mut fine = bare(TraceId::new());
    fine.set_status(Status::Ok);
    assert_eq!(own_tags(&read_span(fine)), HashMap::from([("otel.status_code", "OK")]));
}

#[test]
fn an_error_that_is_false_would_mark_the_span_and_is_left_out() {
    for value in [TagRef::Bool(false), TagRef::Str("false")] {
        let read = read_one(span("op").tag("error", value.to_value()));
        assert_eq!(own_tags(&read), HashMap::new());
    }
    let read = read_one(span("op").tag("error", true));
    assert_eq!(own_tags(&read), HashMap::from([("error", "true")]));
}

#[test]
fn tags_of_every_type_become_text() {
    let read = read_one(
        span("op")
            .tag("bool", true)
            .tag("whole", -7)
            .tag("number", 1.5)
            .tag("infinite", f64::NEG_INFINITY)
            .tag("text", "a \"b\"\n")
            .tag("bytes", vec![0xff_u8, 0, 1])
            .tag("flags", vec![true, false])
            .tag("wholes", vec![1_i64, 2])
            .tag("numbers", vec![0.5, f64::NAN])
            .tag("texts", vec!["a".to_owned(), "\"".to_owned()]),
    );
    let expected = HashMap::from([
        ("bool", "true"),
        ("whole", "-7"),
        ("number", "1.5"),
        ("infinite", "-Infinity"),
        ("text", "a \"b\"\n"),
        ("bytes", "/wAB"),
        ("flags", "[true,false]"),
        ("wholes", "[1,2]"),
        ("numbers", "[0.5,\"NaN\"]"),
        ("texts", "[\"a\",\"\\\"\"]"),
    ]);
    assert_eq!(own_tags(&read), expected);
}

#[test]
fn the_resource_is_told_where_the_span_does_not_say_otherwise() {
    let resource = Resource::new("shop").with_tag("zone", "a").with_tag("both", "resource");
    let made = trace(span("op").tag("both", "span")).with_resource(resource);
    let span = read(&[made]).remove(0);
    assert_eq!(own_tags(&span), HashMap::from([("zone", "a"), ("both", "span")]));
}

#[test]
fn the_scope_is_that_of_the_library_that_made_the_span_under_its_old_names_too() {
    let foreign = read_one(span("op").tag("otel.scope.name", "sqlx").tag("otel.library.name", "x"));
    assert_eq!(foreign.tags()["otel.scope.name"], "sqlx");
    assert_eq!(foreign.tags()["otel.library.name"], "sqlx");
    assert_eq!(foreign.tags().get("otel.scope.version"), None);
    let span = read_one(span("op"));
    let tag = |name: &str| span.tags().get(name).map(String::as_str);
    assert_eq!(tag("otel.scope.name"), Some("tailtrace"));
    assert_eq!(tag("otel.library.name"), Some("tailtrace"));
    assert_eq!(tag("otel.scope.version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(tag("otel.library.version"), tag("otel.scope.version"));
}

#[test]
fn log_entries_become_annotations_with_level_and_fields_behind_the_message() {
    let mut made = bare(TraceId::new());
    let at = UNIX_EPOCH + Duration::from_nanos(1_500_999);
    let none: [(&str, i64); 0] = [];
    made.log_at(at, LogLevel::Info, "plain", none);
    made.log_at(at, LogLevel::Warn, "loud", none);
    made.log_at(at, LogLevel::Info, "my \"event\"", [("key1", "value1"), ("key2", "2")]);
    made.log_at(at, LogLevel::Error, "exception", [("exception.message", "no")]);
    made.log_at(at, LogLevel::Error, "said", [("level", "fatal")]);
    let read = read_span(made);
    let values: Vec<&str> = read.annotations().iter().map(|said| said.value()).collect();
    let expected = [
        "plain",
        "\"loud\": {\"level\":\"WARN\"}",
        "\"my \\\"event\\\"\": {\"key1\":\"value1\",\"key2\":\"2\"}",
        "\"exception\": {\"level\":\"ERROR\",\"exception.message\":\"no\"}",
        "\"said\": {\"level\":\"fatal\"}",
    ];
    assert_eq!(values, expected);
    assert_eq!(read.annotations()[0].timestamp(), UNIX_EPOCH + Duration::from_micros(1_500));
}

#[test]
fn what_was_dropped_is_told_where_there_is_something() {
    let id = TraceId::new();
    let mut full = bare(id);
    for number in 0..130_u32 {
        full.set_tag(number.to_string(), number);
        full.log(LogLevel::Info, "said");
        full.add_link(Link::new(TraceContext::new(id, SpanId::new())));
    }
    let read = read_span(full);
    for name in ["attributes", "events", "links"] {
        let count = read.tags().get(&format!("otel.dropped_{name}_count"));
        assert_eq!(count.map(String::as_str), Some("2"), "{name}");
    }
}

#[test]
fn a_caller_that_names_its_peer_has_a_remote_endpoint_by_rank() {
    let called = |tags: &[(&'static str, &'static str)]| {
        let client = span("op").kind(SpanKind::Client);
        let client = tags.iter().fold(client, |client, (name, value)| client.tag(*name, *value));
        read_one(client).remote_endpoint().cloned()
    };
    let name = |tags: &[(&'static str, &'static str)]| {
        called(tags).and_then(|peer| peer.service_name().map(str::to_owned))
    };
    assert!(called(&[]).is_none());
    assert_eq!(name(&[("db.name", "d"), ("peer.service", "p")]).as_deref(), Some("p"));
    assert_eq!(name(&[("peer.hostname", "h"), ("server.address", "s")]).as_deref(), Some("s"));
    assert_eq!(name(&[("peer.service", ""), ("db.name", "d")]).as_deref(), Some("d"));
    assert_eq!(name(&[("server.address", "10.0.0.1")]).as_deref(), Some("10.0.0.1"));
    let peer =
        called(&[("network.peer.address", "10.0.0.1"), ("network.peer.port", "80")]).unwrap();
    assert_eq!((peer.ipv4(), peer.port()), (Some([10, 0, 0, 1].into()), Some(80)));
    let peer = called(&[("net.sock.peer.addr", "::1"), ("net.sock.peer.port", "none")]).unwrap();
    assert_eq!((peer.ipv6().map(|ip| ip.to_string()), peer.port()), (Some("::1".into()), None));
    assert_eq!(name(&[("network.peer.address", "/run/x.sock")]).as_deref(), Some("/run/x.sock"));
}

#[test]
fn a_span_that_calls_nobody_has_no_remote_endpoint() {
    for kind in [SpanKind::Internal, SpanKind::Server, SpanKind::Consumer] {
        let read = read_one(span("op").kind(kind).tag("peer.service", "p"));
        assert!(read.remote_endpoint().is_none());
    }
    let read = read_one(span("op").kind(SpanKind::Producer).tag("peer.service", "p"));
    assert!(read.remote_endpoint().is_some());
}

#[test]
fn a_port_that_is_a_number_is_told_unless_it_is_none() {
    let port = |port: i64| {
        let client = span("op").kind(SpanKind::Client).tag("network.peer.address", "10.0.0.1");
        read_one(client.tag("network.peer.port", port)).remote_endpoint().unwrap().port()
    };
    assert_eq!((port(80), port(0), port(65_536), port(-1)), (Some(80), None, None, None));
}

#[test]
fn a_span_that_has_not_ended_has_no_duration_and_absent_fields_are_left_out() {
    let id = TraceId::new();
    let mut made = Trace::new(id);
    made.add_span(bare(id));
    let mut out = Vec::new();
    write(&mut out, &Batch::from([made]), &mut TraceSizes::default(), usize::MAX);
    let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let mut names: Vec<&str> = read[0].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["id", "localEndpoint", "name", "tags", "timestamp", "traceId"]);
}

#[test]
fn a_batch_is_one_list_of_all_spans() {
    let batch = [trace(span("a").child(span("b"))), trace(span("c"))];
    let names: Vec<_> = read(&batch).iter().map(|span| span.name().map(str::to_owned)).collect();
    assert_eq!(names, ["a", "b", "c"].map(|name| Some(name.to_owned())));
    let mut out = Vec::new();
    write(&mut out, &Batch::default(), &mut TraceSizes::default(), usize::MAX);
    assert_eq!(out, b"[]");
}

proptest! {
    #[test]
    fn any_text_anywhere_is_read_back_and_no_name_stands_twice(
        name in any::<String>(),
        tags in prop::collection::vec(("(error|otel\\.status_code|otel\\.scope\\.name|.{0,8})", any::<String>()), 0..6),
        message in any::<String>(),
        fields in prop::collection::vec((any::<String>(), any::<f64>()), 0..3),
        zone in any::<String>(),
        is_error in any::<bool>(),
    ) {
        let context = TraceContext::new(TraceId::new(), SpanId::new());
        let mut made = Span::started_at(name.clone(), context, UNIX_EPOCH);
        for (key, value) in &tags {
            made.set_tag(key.clone(), value.as_str());
        }
        made.log_at(UNIX_EPOCH, LogLevel::Info, &message, fields.clone());
        if is_error {
            made.set_status(Status::error("no"));
        }
        let mut batch = Trace::new(made.context().trace_id);
        made.finish_at(UNIX_EPOCH + Duration::from_secs(1));
        batch.add_span(made);
        let batch = [batch.with_resource(Resource::new("shop").with_tag("zone", zone))];
        let mut out = Vec::new();
        write(&mut out, &Batch::from(&batch[..]), &mut TraceSizes::default(), usize::MAX);
        // A value keeps one of several with the same name, and would be shorter.
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(value.to_string().len(), out.len(), "{}", String::from_utf8_lossy(&out));
        let span = read(&batch).remove(0);
        prop_assert_eq!(span.name(), Some(&*name));
        prop_assert_eq!(span.tags().get("error").map(String::as_str) == Some("no"), is_error
            || tags.iter().rfind(|(key, _)| key == "error").is_some_and(|(_, value)| value == "no"));
        if fields.is_empty() {
            prop_assert_eq!(span.annotations()[0].value(), &*message);
        }
    }
}
