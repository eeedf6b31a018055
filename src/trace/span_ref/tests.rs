//! Spans read where they stand.

use std::time::UNIX_EPOCH;

use super::*;
use crate::model::{Link, LogLevel, TagValue, TraceFlags};
use crate::testing::{span, trace};
use crate::trace::Trace;

fn read(span: SpanRef<'_>) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        span.context(),
        (span.operation_name(), span.kind(), span.status()),
        (span.start_time(), span.end_time(), span.duration()),
        span.tags().collect::<Vec<_>>(),
        span.logs().map(LogRef::to_entry).collect::<Vec<_>>(),
        span.links().map(|link| link.context().clone()).collect::<Vec<_>>(),
    )
}

#[test]
fn a_copy_says_the_same_and_stands_on_its_own() {
    let mut made = Trace::new(TraceId::new());
    let mut context = TraceContext::new(made.trace_id(), SpanId::new());
    context.parent_span_id = Some(SpanId::new());
    let mut one = Span::started_at("one", context.clone(), UNIX_EPOCH + Duration::from_secs(9));
    one.set_kind(SpanKind::Producer);
    one.set_tag("ids", vec![1_i64, 2]);
    one.set_tag("raw", vec![1_u8, 2]);
    one.log_at(UNIX_EPOCH, LogLevel::Warn, "early", [("why", "clock")]);
    one.add_link(Link::new(context));
    one.set_status(Status::error("broken"));
    one.finish();
    made.add_span(one);
    let copy = made.root().map(SpanRef::to_span).unwrap();
    assert_eq!(read(copy.as_ref().unwrap()), read(made.root().unwrap()));
    drop(made);
    assert_eq!(copy.tag("ids").map(TagRef::to_value), Some(TagValue::from(vec![1_i64, 2])));
}

#[test]
fn a_copy_carries_the_flags_and_the_state_of_its_trace() {
    let made = trace(span("root"));
    let copy = made.root().map(SpanRef::to_span).unwrap();
    assert_eq!(copy.context(), &made.root().unwrap().context());
    assert_eq!(copy.context().flags, TraceFlags::default());
}

#[test]
fn an_open_span_has_no_end_and_no_duration() {
    let id = TraceId::new();
    let mut made = Trace::new(id);
    made.add_span(Span::new("open", TraceContext::new(id, SpanId::new())));
    let open = made.root().unwrap();
    assert!(!open.is_finished() && !open.is_slow(Duration::ZERO));
    assert_eq!((open.end_time(), open.duration()), (None, Duration::ZERO));
}

#[test]
fn what_did_not_fit_the_limits_is_told() {
    let id = TraceId::new();
    let mut full = Span::new("full", TraceContext::new(id, SpanId::new()));
    for number in 0..130_u32 {
        full.set_tag(number.to_string(), number);
        full.log(LogLevel::Info, "said");
        full.add_link(TraceContext::new(id, SpanId::new()));
    }
    let read = full.as_ref().unwrap();
    let kept = (read.tags().count(), read.logs().count(), read.links().count());
    assert_eq!(kept, (128, 128, 128));
    let dropped = (read.dropped_tags(), read.dropped_logs(), read.dropped_links());
    assert_eq!(dropped, (2, 2, 2));
    let copy = read.to_span();
    assert_eq!(copy.as_ref().unwrap().dropped_tags(), 2);
}
