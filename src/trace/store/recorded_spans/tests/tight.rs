//! Buffers that are reused, split and filled to the brim.

use proptest::prelude::*;

use super::bounds::reserved;
use super::naive::read;
use super::steps::{run, steps, value};
use super::*;

#[test]
fn a_cleared_store_has_room_for_the_same_arrays_again() {
    let limits = Limits::default();
    let mut store = RecordedSpans::with_budget(MemoryBudget::new(4_000));
    for round in 0..100 {
        let span = store.push_span(new_span(1, "span"), &limits).ok();
        let fits = store.set_tag(FIRST, "ids".into(), TagRef::I64Array(&[7; 50]), &limits);
        assert_eq!((span, fits), (Some(FIRST), true), "in round {round}");
        store.clear();
        assert_eq!(store.budget.used(), reserved(&store), "after round {round}");
    }
}

#[test]
fn a_cleared_store_has_room_for_the_same_links_again() {
    let limits = Limits::default();
    let mut store = RecordedSpans::with_budget(MemoryBudget::new(4_000));
    let trace = crate::model::TraceId::new();
    for round in 0..100 {
        let span = store.push_span(new_span(1, "span"), &limits).ok();
        let fits = store.push_link(FIRST, Link::new(TraceContext::new(trace, id(2))), &limits);
        assert_eq!((span, fits), (Some(FIRST), true), "in round {round}");
        store.clear();
    }
}

#[test]
fn a_key_beyond_the_length_limit_is_still_one_key() {
    let mut store = one_span(MemoryBudget::default(), &SMALL);
    store.set_tag(FIRST, "a key too long".into(), TagRef::I64(1), &SMALL);
    store.set_tag(FIRST, "a key too long".into(), TagRef::I64(2), &SMALL);
    assert_eq!(tags(&store, FIRST), [("a key too".to_owned(), TagValue::from(2))]);
}

#[test]
fn an_error_without_room_does_not_cost_the_entry_it_would_replace() {
    let limits = Limits { logs: 1, ..Limits::default() };
    let room = size_of::<SpanRecord>() + 4 * size_of::<LogRecord>() + 64;
    let mut store = one_span(MemoryBudget::new(room as u32), &limits);
    store.push_log(FIRST, at(1), LogLevel::Info, "info", &limits);
    let long = "x".repeat(1_000);
    assert_eq!(store.push_log(FIRST, at(2), LogLevel::Error, &long, &limits), None);
    let said = messages(&store, FIRST).len() as u32;
    assert_eq!(said + store.dropped_of(FIRST).logs, 2, "two entries were said");
}

#[test]
fn splitting_remembers_how_many_values_were_cut() {
    let mut store = one_span(MemoryBudget::default(), &SMALL);
    store.set_tag(FIRST, "key".into(), TagRef::Str("longer than nine"), &SMALL);
    store.finish(FIRST, id(1), at(5));
    let ended = store.split_ended();
    assert_eq!(ended.cut_values() + store.cut_values(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn splitting_loses_nothing_for_want_of_room(
        steps in steps(value().boxed()),
        room in 300..6_000_u32,
    ) {
        let limits = Limits { value_bytes: 100, ..Limits::default() };
        let mut store = RecordedSpans::with_budget(MemoryBudget::new(room));
        run(&mut store, &steps, &limits, |_| {});
        let (expected_ended, expected_open): (Vec<_>, Vec<_>) =
            read(&store).into_iter().partition(|span| span.end.is_some());
        let ended = store.split_ended();
        prop_assert_eq!(read(&ended), expected_ended);
        prop_assert_eq!(read(&store), expected_open);
    }

    #[test]
    fn splitting_keeps_every_span(steps in steps(value().boxed()), room in 300..6_000_u32) {
        let limits = Limits { value_bytes: 100, ..Limits::default() };
        let mut store = RecordedSpans::with_budget(MemoryBudget::new(room));
        run(&mut store, &steps, &limits, |_| {});
        let before = store.len();
        let ended = store.split_ended();
        prop_assert_eq!(ended.len() + store.len(), before);
    }
}
