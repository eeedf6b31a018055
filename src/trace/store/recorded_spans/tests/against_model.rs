//! Random programs, read back.

use proptest::prelude::*;

use super::naive::{read, summary};
use super::steps::{Step, run, run_naive, scalar, steps, value};
use super::*;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() }
}

/// Links lie in lists of their own, which a cleared store gives back.
fn without_links(steps: Vec<Step>) -> Vec<Step> {
    steps.into_iter().filter(|step| !matches!(step, Step::Link(..))).collect()
}

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        2 => Just(SMALL),
        1 => Just(Limits { value_bytes: 64, text_bytes: 64, ..SMALL }),
        1 => Just(Limits { value_bytes: 4, text_bytes: 64, ..SMALL }),
        1 => Just(Limits { value_bytes: 64, ..SMALL }),
        1 => Just(Limits { tags: 1, logs: 1, links: 1, value_bytes: 9, ..SMALL }),
        1 => Just(Limits::default()),
        1 => Just(Limits { tags: 20, fields_per_log: 30, tags_per_link: 18, ..Limits::default() }),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_was_written_is_what_is_read(steps in steps(value().boxed()), limits in limits()) {
        let mut store = RecordedSpans::default();
        run(&mut store, &steps, &limits, |_| {});
        let naive = run_naive(&steps, &limits);
        prop_assert_eq!(read(&store), naive.spans);
        prop_assert_eq!(store.cut_values(), naive.cut_values);
    }

    #[test]
    fn what_is_known_of_all_spans_is_what_a_look_at_each_finds(
        steps in steps(value().boxed()),
        limits in limits(),
    ) {
        let mut store = RecordedSpans::default();
        run(&mut store, &steps, &limits, |store| {
            assert_eq!((store.times(), store.has_errors()), summary(&read(store)));
        });
        let exact = store.to_exact();
        prop_assert_eq!((exact.times(), exact.has_errors()), summary(&read(&exact)));
        let mut columns = PackedColumns::default();
        let packed = columns.append(&mut store.clone());
        let unpacked = columns.read(packed);
        prop_assert_eq!(read(&unpacked), read(&store));
        prop_assert_eq!((unpacked.times(), unpacked.has_errors()), summary(&read(&store)));
        let ended = store.split_ended();
        for part in [&ended, &store] {
            prop_assert_eq!((part.times(), part.has_errors()), summary(&read(part)));
        }
        store.clear();
        prop_assert_eq!((store.times(), store.has_errors()), (None, false));
    }

    #[test]
    fn an_exact_copy_reads_the_same_and_spares_no_memory(
        steps in steps(value().boxed()),
        limits in limits(),
    ) {
        let mut store = RecordedSpans::default();
        run(&mut store, &steps, &limits, |_| {});
        let exact = store.to_exact();
        prop_assert_eq!(read(&exact), read(&store));
        prop_assert_eq!(exact.cut_values(), store.cut_values());
        prop_assert_eq!(exact.spans.capacity(), exact.spans.len());
        if let Some(details) = exact.details.as_deref() {
            prop_assert_eq!(details.tags.capacity(), details.tags.len());
            prop_assert_eq!(details.logs.capacity(), details.logs.len());
            prop_assert_eq!(details.text.capacity(), details.text.len());
        }
    }

    #[test]
    fn a_copied_span_reads_the_same(steps in steps(value().boxed()), limits in limits()) {
        let mut store = RecordedSpans::default();
        run(&mut store, &steps, &limits, |_| {});
        let mut copy = RecordedSpans::default();
        for (span, _) in store.indexed() {
            prop_assert_eq!(copy.copy_span(&store, span, ClockCorrection::NONE), Some(span));
        }
        prop_assert_eq!(read(&copy), read(&store));
    }

    #[test]
    fn splitting_parts_the_ended_from_the_open_in_their_order(
        steps in steps(value().boxed()),
        limits in limits(),
    ) {
        let mut store = RecordedSpans::default();
        run(&mut store, &steps, &limits, |_| {});
        let (expected_ended, expected_open): (Vec<_>, Vec<_>) =
            read(&store).into_iter().partition(|span| span.end.is_some());
        let ended = store.split_ended();
        prop_assert_eq!(read(&ended), expected_ended);
        prop_assert_eq!(read(&store), expected_open);
    }

    #[test]
    fn a_cleared_store_remembers_nothing(
        before in steps(value().boxed()),
        after in steps(value().boxed()),
        limits in limits(),
    ) {
        let mut store = RecordedSpans::default();
        run(&mut store, &before, &limits, |_| {});
        store.clear();
        prop_assert_eq!((store.len(), store.cut_values()), (0, 0));
        run(&mut store, &after, &limits, |_| {});
        let naive = run_naive(&after, &limits);
        prop_assert_eq!(read(&store), naive.spans);
        prop_assert_eq!(store.cut_values(), naive.cut_values);
    }

    #[test]
    fn the_same_program_in_a_cleared_store_takes_no_more_memory(
        steps in steps(scalar().boxed()).prop_map(without_links),
        limits in limits(),
    ) {
        let mut store = RecordedSpans::default();
        run(&mut store, &steps, &limits, |_| {});
        let bytes = store.budget.used();
        store.clear();
        prop_assert_eq!(store.budget.used(), bytes);
        run(&mut store, &steps, &limits, |_| {});
        prop_assert_eq!(store.budget.used(), bytes);
    }
}
