//! Spans made by hand.

use std::time::UNIX_EPOCH;

use super::*;
use crate::model::{TagValue, TraceId};
use crate::time::Clock;

fn seconds(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn span() -> Span {
    Span::started_at("span", TraceContext::new(TraceId::new(), SpanId::new()), seconds(100))
}

#[test]
fn a_new_span_has_begun_and_not_ended() {
    let before = Clock::system().wall();
    let span = Span::new("span", TraceContext::new(TraceId::new(), SpanId::new()));
    let read = span.as_ref().unwrap();
    assert!(read.start_time() >= before && read.start_time() <= Clock::system().wall());
    assert!(!read.is_finished() && read.end_time().is_none());
    assert_eq!(span.duration(), Duration::ZERO);
    assert_eq!((read.kind(), read.status()), (SpanKind::Internal, Status::Unset));
}

#[test]
fn a_span_ends_once() {
    let mut span = span();
    span.finish_at(seconds(103));
    span.finish_at(seconds(200));
    span.finish();
    assert_eq!(span.duration(), Duration::from_secs(3));
    assert_eq!(span.as_ref().unwrap().end_time(), Some(seconds(103)));
}

#[test]
fn an_end_before_the_start_makes_no_negative_duration() {
    let mut span = span();
    span.finish_at(seconds(1));
    assert_eq!(span.duration(), Duration::ZERO);
    assert_eq!(span.as_ref().unwrap().end_time(), Some(seconds(100)));
}

#[test]
fn the_threshold_itself_is_slow_and_an_open_span_is_not() {
    let mut span = span();
    assert!(!span.is_slow(Duration::ZERO));
    span.finish_at(seconds(103));
    assert!(span.is_slow(Duration::from_secs(3)));
    assert!(!span.is_slow(Duration::from_nanos(3_000_000_001)));
}

#[test]
fn ok_is_final_and_the_last_error_stands() {
    let mut span = span();
    span.set_status(Status::error("first"));
    span.set_status(Status::error("second"));
    span.set_status(Status::Unset);
    assert_eq!(span.as_ref().unwrap().status(), Status::error("second"));
    assert!(span.is_error());
    span.set_status(Status::Ok);
    span.set_status(Status::error("third"));
    assert!(!span.is_error());
}

#[test]
fn a_span_says_what_it_was_told() {
    let mut span = span();
    span.set_kind(SpanKind::Client);
    span.set_tag("rows", 3);
    span.set_tag("rows", "many");
    span.log_at(seconds(101), LogLevel::Warn, "slow", [("ms", 250)]);
    let other = TraceContext::new(TraceId::new(), SpanId::new());
    span.add_link(Link::new(other.clone()).with_tag("why", "batch"));
    let read = span.as_ref().unwrap();
    assert_eq!(span.tag("rows"), Some(TagRef::Str("many")));
    assert_eq!((read.tags().count(), span.tag("none")), (1, None));
    let log = read.logs().next().unwrap().to_entry();
    assert_eq!((log.time, log.level), (seconds(101), LogLevel::Warn));
    assert_eq!(log.fields, [("ms".into(), TagValue::I64(250))]);
    let link = read.links().next().unwrap();
    assert_eq!((link.context(), link.tags().count()), (&other, 1));
}

#[test]
fn the_context_is_the_one_it_was_made_with() {
    let mut context = TraceContext::new(TraceId::new(), SpanId::new());
    context.parent_span_id = Some(SpanId::new());
    context.baggage = context.baggage.with("tenant", "acme").unwrap();
    context.trace_state = context.trace_state.insert("vendor", "1").unwrap();
    context.flags = crate::model::TraceFlags::SAMPLED;
    let span = Span::new("span", context.clone());
    assert_eq!(span.context(), &context);
    let mut without_baggage = context;
    without_baggage.baggage = crate::model::Baggage::new();
    assert_eq!(span.as_ref().unwrap().context(), without_baggage);
}

#[test]
fn an_error_becomes_the_status_and_a_log_entry() {
    let error = std::io::Error::other("disk gone");
    let mut span = span();
    span.set_error_at(seconds(101), &error).set_tag("after", true);
    let read = span.as_ref().unwrap();
    assert_eq!(read.status(), Status::error("disk gone"));
    let log = read.logs().next().unwrap().to_entry();
    assert_eq!((log.time, log.level, &*log.message), (seconds(101), LogLevel::Error, "exception"));
    let fields = [
        ("exception.type".into(), "std::io::error::Error".into()),
        ("exception.message".into(), "disk gone".into()),
    ];
    assert_eq!(log.fields, fields);
}
