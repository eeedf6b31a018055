//! Traces made by hand.

use std::time::UNIX_EPOCH;

use super::*;
use crate::model::{LogLevel, SpanKind, Status, TagRef, TraceFlags};
use crate::time::{Clock, ClockCorrection};

const SECOND: Duration = Duration::from_secs(1);

fn id(number: u64) -> SpanId {
    SpanId::from_bits(number).unwrap()
}

/// A span of a second that starts `start` seconds after the epoch.
fn span(number: u64, parent: Option<u64>, start: u64) -> Span {
    let mut context = TraceContext::new(TraceId::new(), id(number));
    context.parent_span_id = parent.map(id);
    let start = UNIX_EPOCH + SECOND * start as u32;
    let mut span = Span::started_at(number.to_string(), context, start);
    span.finish_at(start + SECOND);
    span
}

fn trace(spans: impl IntoIterator<Item = Span>) -> Trace {
    let mut trace = Trace::new(TraceId::new());
    spans.into_iter().for_each(|span| trace.add_span(span));
    trace
}

fn names(trace: &Trace) -> Vec<&str> {
    trace.spans().map(SpanRef::operation_name).collect()
}

fn root(trace: &Trace) -> Option<&str> {
    trace.root().map(SpanRef::operation_name)
}

#[test]
fn a_new_trace_is_empty_and_has_nobodys_name() {
    let id = TraceId::new();
    let empty = Trace::new(id);
    assert_eq!((empty.trace_id(), empty.span_count()), (id, 0));
    assert!(empty.root().is_none() && empty.spans().next().is_none());
    assert_eq!(empty.duration(), Duration::ZERO);
    assert!(!empty.has_errors() && !empty.is_late());
    assert_eq!((empty.kept_by(), empty.threshold()), ("", None));
    assert!(empty.view().root().is_none());
}

#[test]
fn spans_come_in_the_order_they_started_however_they_were_added() {
    let made = trace([span(3, Some(1), 30), span(1, None, 10), span(4, Some(1), 40)]);
    assert_eq!(names(&made), ["1", "3", "4"]);
    let sorted = trace([span(1, None, 10), span(2, Some(1), 10), span(3, Some(1), 11)]);
    assert_eq!(names(&sorted), ["1", "2", "3"]);
}

#[test]
fn spans_that_started_together_keep_the_order_they_were_added_in() {
    let made = trace([span(9, None, 20), span(2, None, 10), span(3, None, 10), span(1, None, 10)]);
    assert_eq!(names(&made), ["2", "3", "1", "9"]);
}

#[test]
fn the_root_is_the_first_span_without_a_parent_among_the_spans() {
    assert_eq!(root(&trace([span(1, None, 1), span(2, Some(1), 2)])), Some("1"));
    assert_eq!(root(&trace([span(2, Some(1), 2), span(1, None, 1)])), Some("1"));
    let foreign_parent = trace([span(1, Some(77), 1), span(2, Some(1), 2)]);
    assert_eq!(root(&foreign_parent), Some("1"));
    let two_orphans = trace([span(1, Some(77), 1), span(2, Some(78), 2)]);
    assert_eq!(root(&two_orphans), Some("1"));
}

#[test]
fn hostile_parents_leave_a_trace_without_a_root_and_everything_else_works() {
    for hostile in [
        trace([span(1, Some(1), 1)]),
        trace([span(1, Some(2), 1), span(2, Some(1), 2)]),
        trace([span(1, Some(2), 1), span(2, Some(3), 2), span(3, Some(1), 3)]),
    ] {
        assert_eq!(root(&hostile), None);
        assert_eq!(names(&hostile).len(), hostile.span_count());
        assert!(format!("{hostile:?}").contains("root: None"));
        assert!(hostile.is_slow(SECOND));
    }
}

#[test]
fn one_id_used_twice_is_two_spans() {
    let made = trace([span(1, None, 1), span(1, None, 5)]);
    assert_eq!((made.span_count(), root(&made)), (2, Some("1")));
    assert!(made.span(id(1)).is_some());
}

#[test]
fn it_lasts_from_the_first_start_to_the_last_end() {
    let gap = trace([span(2, Some(1), 20), span(1, None, 10)]);
    assert_eq!(gap.duration(), SECOND * 11);
    assert!(gap.is_slow(SECOND * 11));
    assert!(!gap.is_slow(SECOND * 11 + Duration::from_nanos(1)));
}

#[test]
fn what_has_not_ended_does_not_lengthen_it() {
    let open = Span::started_at("open", TraceContext::new(TraceId::new(), id(9)), UNIX_EPOCH);
    let only_open = trace([open.clone()]);
    assert_eq!(only_open.duration(), Duration::ZERO);
    let mixed = trace([span(1, None, 10), open]);
    assert_eq!(mixed.duration(), SECOND * 11);
    let later = TraceContext::new(TraceId::new(), id(9));
    let started_last = Span::started_at("open", later, UNIX_EPOCH + SECOND * 50);
    assert_eq!(trace([span(1, None, 10), started_last]).duration(), SECOND);
}

#[test]
fn finishing_ends_what_is_open_and_leaves_what_has_ended() {
    let mut made = trace([span(1, None, 10)]);
    made.add_span(Span::new("open", TraceContext::new(TraceId::new(), id(2))));
    let future = Clock::system().wall() + SECOND * 3600;
    let context = TraceContext::new(TraceId::new(), id(3));
    made.add_span(Span::started_at("future", context, future));
    made.finish();
    made.finish();
    assert!(made.spans().all(SpanRef::is_finished));
    assert_eq!(made.span(id(1)).map(SpanRef::duration), Some(SECOND));
    assert_eq!(made.span(id(3)).map(SpanRef::duration), Some(Duration::ZERO));
}

#[test]
fn an_added_span_belongs_here_whichever_trace_it_was_made_with() {
    let mut foreign = span(1, None, 10);
    foreign.set_tag("key", "value");
    foreign.set_kind(SpanKind::Server);
    let made = trace([foreign.clone()]);
    assert_ne!(foreign.context().trace_id, made.trace_id());
    let here = made.span(id(1)).unwrap();
    assert_eq!((here.trace_id(), here.context().trace_id), (made.trace_id(), made.trace_id()));
    assert_eq!((here.tag("key"), here.kind()), (Some(TagRef::Str("value")), SpanKind::Server));
    assert_eq!(here.start_time(), foreign.as_ref().unwrap().start_time());
}

#[test]
fn times_of_day_survive_the_way_from_a_trace_with_another_correction() {
    let mut made = trace([span(1, None, 10)]);
    Arc::make_mut(&mut made.0).header.correction = ClockCorrection::from_nanos(2_000_000_000);
    let moved = made.root().map(SpanRef::to_span).unwrap();
    assert_eq!(moved.as_ref().unwrap().start_time(), UNIX_EPOCH + SECOND * 12);
    let home = trace([moved]);
    assert_eq!(home.root().unwrap().start_time(), UNIX_EPOCH + SECOND * 12);
    assert_eq!(home.root().unwrap().end_time(), Some(UNIX_EPOCH + SECOND * 13));
}

#[test]
fn a_span_is_changed_where_it_stands() {
    let mut made = trace([span(2, Some(1), 20)]);
    let context = TraceContext::new(TraceId::new(), id(1));
    made.add_span(Span::started_at("open", context, UNIX_EPOCH + SECOND * 10));
    assert!(made.span_mut(id(3)).is_none());
    let mut open = made.span_mut(id(1)).unwrap();
    open.set_tag("key", 1);
    open.set_tag("key", 2);
    open.log_at(UNIX_EPOCH, LogLevel::Warn, "said", [("key", 1)]);
    open.set_status(Status::error("failed"));
    open.finish_at(UNIX_EPOCH + SECOND * 15);
    open.finish_at(UNIX_EPOCH + SECOND * 99);
    let read = made.span(id(1)).unwrap();
    assert_eq!(read.tags().collect::<Vec<_>>(), [("key", TagRef::I64(2))]);
    assert_eq!(read.logs().map(|log| log.message()).collect::<Vec<_>>(), ["said"]);
    assert_eq!((read.status_description(), read.duration()), ("failed", SECOND * 5));
    assert!(made.has_errors());
    assert_eq!(names(&made), ["open", "2"]);
}

#[test]
fn changing_a_clone_leaves_the_original_alone() {
    let original = trace([span(1, None, 10)]);
    let mut clone = original.clone();
    clone.span_mut(id(1)).unwrap().set_status(Status::error("failed"));
    clone.add_span(span(2, Some(1), 11));
    assert!(clone.has_errors() && !original.has_errors());
    assert_eq!((clone.span_count(), original.span_count()), (2, 1));
}

#[test]
fn the_service_can_be_named_afterwards() {
    let made = trace([span(1, None, 1)]).with_resource(Resource::new("checkout"));
    assert_eq!(made.resource().service_name(), "checkout");
}

#[test]
fn a_frozen_trace_is_sampled_and_carries_its_threshold() {
    let threshold = Threshold::from_probability(0.25).ok();
    let header = TraceHeader::new(
        TraceId::new(),
        TraceFlags::RANDOM,
        TraceState::default().insert("vendor", "1").unwrap(),
        ClockCorrection::NONE,
    );
    let store = trace([span(2, Some(1), 20), span(1, None, 10)]).0.store.clone();
    let kept =
        KeepReason { policy: "Fraction".into(), threshold, is_late: true, ..KeepReason::default() };
    let frozen = Trace::frozen(header, store, Arc::new(Resource::new("checkout")), kept);
    assert_eq!(names(&frozen), ["1", "2"]);
    assert_eq!((frozen.kept_by(), frozen.threshold()), ("Fraction", threshold));
    assert!(frozen.is_late());
    let context = frozen.root().unwrap().context();
    assert_eq!((context.flags.bits(), context.trace_state.threshold()), (3, threshold));
    assert_eq!(context.trace_state.get("vendor"), Some("1"));
}

#[test]
fn its_size_grows_with_what_it_holds() {
    let empty = Trace::new(TraceId::new()).bytes();
    let mut large = span(1, None, 1);
    large.set_tag("body", "x".repeat(10_000));
    assert!(trace([large]).bytes() > empty + 10_000);
}

#[test]
fn spans_added_in_any_order_are_read_in_the_order_they_started() {
    // Every order of five spans of which two start together.
    let starts = [1, 2, 2, 3, 4];
    let mut orders = vec![vec![]];
    for _ in 0..starts.len() {
        let grown = orders.iter().flat_map(|order: &Vec<usize>| {
            let rest = (0..starts.len()).filter(|next| !order.contains(next));
            rest.map(|next| [order.clone(), vec![next]].concat()).collect::<Vec<_>>()
        });
        orders = grown.collect();
    }
    assert_eq!(orders.len(), 120);
    for order in orders {
        let made = trace(order.iter().map(|at| span(*at as u64 + 1, None, starts[*at])));
        let mut expected = order.clone();
        expected.sort_by_key(|at| starts[*at]);
        let expected: Vec<_> = expected.iter().map(|at| (at + 1).to_string()).collect();
        assert_eq!(names(&made), expected, "{order:?}");
    }
}

#[test]
fn a_trace_takes_flags_and_state_from_a_context() {
    let mut context = TraceContext::new(TraceId::new(), id(1)).with_flags(TraceFlags::SAMPLED);
    context.trace_state = "ot=th:8,vendor=1".parse().unwrap();
    let made = trace([span(1, None, 1)]).with_context(&context);
    let read = made.root().unwrap().context();
    assert_eq!((read.flags, &read.trace_state), (context.flags, &context.trace_state));
    assert_eq!(made.threshold().map(|threshold| threshold.probability()), Some(0.5));
}
