//! What holds when a buffer must not grow any more.

use proptest::prelude::*;

use super::column_writer::array_bytes;
use super::naive::read;
use super::steps::{Step, run, steps, value};
use super::*;

/// The memory of the columns, the arena, the links and the arrays.
pub(super) fn reserved(store: &RecordedSpans) -> usize {
    fn column<T>(items: &Vec<T>) -> usize {
        items.capacity() * size_of::<T>()
    }
    let spans = column(&store.spans);
    let Some(details) = store.details.as_deref() else {
        return spans;
    };
    let columns = column(&details.tags) + column(&details.logs) + details.text.capacity();
    let rare = details.rare.as_deref().map_or(0, |rare| {
        let arrays: usize = rare.arrays.iter().map(array_bytes).sum();
        let links: usize = rare.links.values().map(|links| size_of_val(links.as_slice())).sum();
        links + column(&rare.bytes) + column(&rare.arrays) + arrays + rare.keys.reserved()
    });
    spans + size_of::<DetailColumns>() + columns + rare
}

/// The steps without errors, which take the place of lesser entries, and without tags of links, for which the store
/// gives no answer.
fn that_answer(steps: Vec<Step>) -> Vec<Step> {
    let is_error = |step: &Step| matches!(step, Step::Log(_, LogLevel::Error, ..));
    let bare = |step| match step {
        Step::Link(span, _) => Step::Link(span, Vec::new()),
        other => other,
    };
    steps.into_iter().filter(|step| !is_error(step)).map(bare).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_room_is_never_exceeded_and_what_does_not_fit_is_counted(
        steps in steps(value().boxed()).prop_map(that_answer),
        room in 0..6_000_u32,
    ) {
        let limits = Limits { value_bytes: 100, ..Limits::default() };
        let mut store = RecordedSpans::with_budget(MemoryBudget::new(room));
        let answers = run(&mut store, &steps, &limits, |store| {
            // The details themselves are small and come whether or not they fit.
            assert!(store.budget.used() <= room as usize + size_of::<DetailColumns>());
            assert!(reserved(store) <= store.budget.used(), "{} > {}", reserved(store), store.budget.used());
        });
        let pushed = steps.iter().filter(|step| matches!(step, Step::Push(..))).count();
        prop_assert_eq!(store.len() + answers.spans_refused, pushed);
        let dropped = read(&store).into_iter().map(|span| span.dropped);
        let dropped = dropped.fold(DropCounts::default(), |sum, span| DropCounts {
            tags: sum.tags + span.tags,
            logs: sum.logs + span.logs,
            links: sum.links + span.links,
        });
        prop_assert_eq!(dropped.tags as usize, answers.tags_refused);
        prop_assert_eq!(dropped.logs as usize, answers.logs_refused);
        prop_assert_eq!(dropped.links as usize, answers.links_refused);
    }

    #[test]
    fn the_account_of_a_store_without_a_limit_is_its_memory(steps in steps(value().boxed())) {
        let mut store = RecordedSpans::default();
        run(&mut store, &steps, &Limits::default(), |_| {});
        prop_assert_eq!(store.budget.used(), reserved(&store));
    }
}

#[test]
fn a_span_without_room_comes_back_whole() {
    let mut store = RecordedSpans::with_budget(MemoryBudget::new(10));
    let refused = store.push_span(new_span(1, "name".to_owned()), &SMALL);
    let span = refused.unwrap_err();
    assert_eq!((span.id, span.name.as_ref(), span.start), (id(1), "name", at(1)));
    assert_eq!((store.len(), store.budget.used()), (0, 0));
}

#[test]
fn a_tag_that_cannot_be_replaced_keeps_its_value_and_is_counted() {
    let limits = Limits::default();
    let span = size_of::<SpanRecord>() + 4 * size_of::<TagRecord>() + 64;
    let mut store = one_span(MemoryBudget::new(span as u32), &limits);
    assert!(store.set_tag(FIRST, "key".into(), TagRef::Str("old"), &limits));
    let long = "x".repeat(1_000);
    assert!(!store.set_tag(FIRST, "key".into(), TagRef::Str(&long), &limits));
    assert_eq!(tags(&store, FIRST), [("key".to_owned(), TagValue::from("old"))]);
    assert_eq!(store.dropped_of(FIRST).tags, 1);
}

#[test]
fn memory_that_only_just_suffices_is_used_to_the_end() {
    let most = 5 * size_of::<SpanRecord>();
    let mut store = RecordedSpans::with_budget(MemoryBudget::new(most as u32));
    let fitting = (1..=9)
        .take_while(|number| store.push_span(new_span(*number, "span"), &SMALL).is_ok())
        .count();
    assert_eq!((fitting, store.budget.used()), (5, most));
}
