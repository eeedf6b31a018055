//! Spans written through their one writer.

use std::time::UNIX_EPOCH;

use crate::model::{Limits, LogLevel, SpanId, TagKey, TagRef, TraceContext, TraceId};
use crate::trace::Span;

fn span() -> Span {
    Span::new("span", TraceContext::new(TraceId::new(), SpanId::new()))
}

#[test]
fn what_was_dropped_before_adds_to_what_the_limits_drop() {
    let mut span = span();
    let limits = Limits { tags: 1, ..Limits::default() };
    let mut change = span.as_mut().with_limits(&limits);
    change.count_dropped(0, 0, 0);
    change.count_dropped(1, 2, u32::MAX);
    change.count_dropped(1, 2, 3);
    change.set_tag("kept", 1);
    change.set_tag("dropped", 2);
    let read = span.as_ref().unwrap();
    let dropped = (read.dropped_tags(), read.dropped_logs(), read.dropped_links());
    assert_eq!(dropped, (3, 4, u32::MAX));
}

#[test]
fn without_limits_nothing_is_cut_or_dropped() {
    let mut span = span();
    let long = "x".repeat(100_000);
    let mut change = span.as_mut().with_limits(&Limits::NONE);
    for number in 0..200 {
        change.set_tag(number.to_string(), number);
    }
    change.set_tag("long", &long);
    let read = span.as_ref().unwrap();
    assert_eq!((read.tags().count(), read.dropped_tags()), (201, 0));
    assert_eq!(read.tag("long"), Some(TagRef::Str(&long)));
}

#[test]
fn a_key_that_is_lent_is_the_same_as_one_that_is_static() {
    let mut span = span();
    let limits = Limits { text_bytes: 4, ..Limits::default() };
    let mut change = span.as_mut().with_limits(&limits);
    for (key, value) in [("a", 1), ("longer than four", 2)] {
        change.set_tag(TagKey::lent(key), value);
        change.set_tag(key, value * 10);
        change.set_tag(key.to_owned(), value * 100);
    }
    change.set_tag("long", 3);
    change.set_tag(TagKey::lent("long and lent"), 300);
    let fields = [(TagKey::lent("b"), 1), ("b".into(), 2)];
    change.log_at(UNIX_EPOCH, LogLevel::Info, "said", fields);
    let read = span.as_ref().unwrap();
    let tags: Vec<_> = read.tags().collect();
    assert_eq!(tags, [("a", TagRef::I64(100)), ("long", TagRef::I64(300))]);
    let fields: Vec<_> = read.logs().flat_map(|log| log.fields()).collect();
    assert_eq!(fields, [("b", TagRef::I64(2))]);
}

#[test]
fn a_new_name_and_where_the_parent_is_stay_with_a_copy() {
    let mut span = span();
    span.as_mut().set_name("renamed");
    span.as_mut().set_parent_remote(true);
    let copy = span.as_ref().unwrap().to_span();
    assert_eq!(copy.operation_name(), "renamed");
    assert!(copy.as_ref().unwrap().is_parent_remote());
}
