//! Spans with more tags, fields and log entries than are walked.

use super::key_index::LONGEST_WALKED;
use super::*;

fn key(number: u32) -> String {
    format!("key {number}")
}

fn set(store: &mut RecordedSpans, number: u32, value: i64, limits: &Limits) -> bool {
    store.set_tag(FIRST, key(number).into(), TagRef::I64(value), limits)
}

fn values(store: &RecordedSpans) -> Vec<TagValue> {
    tags(store, FIRST).into_iter().map(|(_, value)| value).collect()
}

fn reserved_keys(store: &RecordedSpans) -> usize {
    let rare = store.details.as_deref().and_then(|details| details.rare.as_deref());
    rare.map_or(0, |rare| rare.keys.reserved())
}

#[test]
fn each_of_ten_thousand_keys_stands_once_with_its_last_value() {
    let mut store = one_span(MemoryBudget::default(), &Limits::NONE);
    for value in [1, 2] {
        for number in 0..10_000 {
            assert!(set(&mut store, number, value, &Limits::NONE));
        }
    }
    assert_eq!(values(&store), vec![TagValue::from(2); 10_000]);
}

#[test]
fn beyond_the_limit_a_known_key_is_set_and_a_new_one_is_refused() {
    let limits = Limits { tags: 100, ..Limits::default() };
    let mut store = one_span(MemoryBudget::default(), &limits);
    let stored = (0..200).filter(|number| set(&mut store, *number, 1, &limits)).count();
    assert_eq!((stored, store.dropped_of(FIRST).tags), (100, 100));
    assert!(set(&mut store, 99, 2, &limits) && !set(&mut store, 100, 2, &limits));
    assert_eq!(values(&store).last(), Some(&TagValue::from(2)));
}

#[test]
fn short_lists_need_no_index() {
    let mut store = one_span(MemoryBudget::default(), &Limits::NONE);
    for number in 0..=LONGEST_WALKED {
        set(&mut store, number, 1, &Limits::NONE);
    }
    assert_eq!(reserved_keys(&store), 0);
    set(&mut store, LONGEST_WALKED + 1, 1, &Limits::NONE);
    assert!(reserved_keys(&store) > 0);
}

#[test]
fn without_memory_for_an_index_long_lists_are_walked() {
    let mut store = one_span(MemoryBudget::default(), &Limits::NONE);
    for number in 0..=LONGEST_WALKED {
        set(&mut store, number, 1, &Limits::NONE);
    }
    let full = store.budget.used();
    store.budget = store.budget.with_limit(u32::try_from(full).unwrap());
    assert!(set(&mut store, LONGEST_WALKED, 2, &Limits::NONE));
    assert_eq!((store.budget.used(), reserved_keys(&store)), (full, 0));
    assert_eq!(values(&store).last(), Some(&TagValue::from(2)));
}

#[test]
fn a_copy_has_no_index_and_finds_its_keys() {
    let mut store = one_span(MemoryBudget::default(), &Limits::NONE);
    for number in 0..100 {
        set(&mut store, number, 1, &Limits::NONE);
    }
    for mut copy in [store.clone(), store.to_exact()] {
        assert_eq!(reserved_keys(&copy), 0);
        assert!(set(&mut copy, 50, 2, &Limits::NONE));
        assert_eq!(values(&copy).len(), 100);
    }
}

#[test]
fn two_long_lists_do_not_find_the_keys_of_each_other() {
    let mut store = one_span(MemoryBudget::default(), &Limits::NONE);
    let other = store.push_span(new_span(2, "other"), &Limits::NONE).unwrap();
    for number in 0..200 {
        set(&mut store, number, 1, &Limits::NONE);
        store.set_tag(other, key(2 * number).into(), TagRef::I64(2), &Limits::NONE);
    }
    assert_eq!(values(&store), vec![TagValue::from(1); 200]);
    assert_eq!(tags(&store, other).len(), 200);
}

#[test]
fn errors_beyond_the_limit_take_the_places_of_lesser_entries_from_the_first_on() {
    let limits = Limits { logs: 40, ..Limits::default() };
    let mut store = one_span(MemoryBudget::default(), &limits);
    for number in 0..40_u64 {
        let level = if number % 2 == 0 { LogLevel::Error } else { LogLevel::Info };
        store.push_log(FIRST, at(number), level, &number.to_string(), &limits);
    }
    for number in 40..70_u64 {
        store.push_log(FIRST, at(number), LogLevel::Error, &number.to_string(), &limits);
    }
    let expected: Vec<_> =
        (0..40).step_by(2).chain(40..60).map(|number: u64| number.to_string()).collect();
    assert_eq!(
        (messages(&store, FIRST), store.dropped_of(FIRST).logs),
        (expected.iter().map(String::as_str).collect(), 30)
    );
}
