//! Stores of either kind.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::parting::LARGEST_COPIED;
use super::*;
use crate::model::{Limits, SpanId, SpanKind, Status, TraceId};
use crate::trace::{Original, Outline, SpanMut};

/// A span of another tracer, which lasted as many seconds as its number.
#[derive(Clone)]
struct Foreign {
    number: u64,
    name: Cow<'static, str>,
    status: Status,
}

impl Original for Foreign {
    fn outline(&self) -> Outline<'_> {
        Outline {
            trace_id: TraceId::from_bits(1).unwrap(),
            span_id: id(self.number),
            parent_span_id: None,
            is_parent_remote: false,
            name: &self.name,
            kind: SpanKind::Client,
            start: seconds(100),
            end: seconds(100 + self.number),
            status: self.status.clone(),
        }
    }

    fn describe(&self, span: &mut SpanMut<'_>) {
        span.set_tag("number", self.number).set_status(self.status.clone());
    }
}

fn id(number: u64) -> SpanId {
    SpanId::from_bits(number).unwrap()
}

fn seconds(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn push_foreign(store: &mut SpanStore, number: u64, is_root: bool, status: Status) -> bool {
    let is_error = status.is_error();
    let original = Foreign { number, name: "foreign".into(), status };
    let slot = store.original_slot(size_of::<Foreign>(), is_error, usize::MAX);
    let OriginalSlot::Free(column, summary) = slot else { return false };
    summary.add(is_root, is_error, None);
    column.push(original);
    true
}

fn push_recorded(store: &mut SpanStore, number: u64) {
    let new = NewSpan {
        id: id(number),
        parent: None,
        start: Tick::from_nanos(number),
        name: "recorded".into(),
        kind: SpanKind::Internal,
    };
    let records = store.recorded_mut();
    let index = records.push_span(new, &Limits::default()).unwrap();
    records.set_status(index, Status::error("broken"), &Limits::default());
    records.finish_at(index, Tick::from_nanos(number + 9));
}

fn ids(store: &SpanStore) -> Vec<SpanId> {
    let records = store.records(ClockCorrection::NONE);
    records.spans().iter().map(|record| record.id).collect()
}

#[test]
fn a_store_that_held_foreign_spans_records_after_it_was_cleared() {
    let mut store = SpanStore::default();
    assert!(push_foreign(&mut store, 1, true, Status::Unset));
    assert!(store.is_foreign());
    store.clear();
    assert!(!store.is_foreign());
    push_recorded(&mut store, 7);
    assert_eq!((store.len(), ids(&store)), (1, vec![id(7)]));
    assert!(store.has_errors());
    let times = (Tick::from_nanos(7), Tick::from_nanos(16));
    assert_eq!(store.times(ClockCorrection::NONE), Some(times));
    assert_eq!(ids(&store.clone().freeze()), [id(7)]);
    assert_eq!(ids(&store.split_ended()), [id(7)]);
}

#[test]
fn a_store_that_recorded_takes_foreign_spans_after_it_was_cleared() {
    let mut store = SpanStore::default();
    push_recorded(&mut store, 7);
    assert!(!push_foreign(&mut store, 1, true, Status::Unset));
    store.clear();
    assert!(push_foreign(&mut store, 1, true, Status::Unset));
    assert_eq!(ids(&store), [id(1)]);
    assert!(!store.has_errors());
}

#[test]
fn an_empty_column_counts_beside_recorded_spans_until_some_of_them_are_taken() {
    let mut store = SpanStore::default();
    assert!(push_foreign(&mut store, 1, true, Status::Unset));
    store.clear();
    let column = store.bytes();
    assert!(column > 0, "it keeps its memory");
    let mut alone = SpanStore::default();
    for store in [&mut store, &mut alone] {
        push_recorded(store, 7);
    }
    assert_eq!(store.bytes(), column + alone.bytes());
    store.remove_all(&[], &mut PartFinder::default());
    assert_eq!(store.bytes(), alone.bytes());
}

#[test]
fn the_root_of_foreign_spans_is_the_first_record() {
    let mut store = SpanStore::default();
    for (number, is_root) in [(1, false), (2, false), (3, true)] {
        push_foreign(&mut store, number, is_root, Status::Unset);
    }
    assert_eq!(ids(&store), [id(3), id(2), id(1)]);
    let records = store.make_recorded(ClockCorrection::NONE);
    assert_eq!(records.spans().iter().map(|record| record.id).next(), Some(id(3)));
    assert!(!store.is_foreign());
    assert_eq!(ids(&store), [id(3), id(2), id(1)]);
}

#[test]
fn an_outline_has_no_details_and_a_record_has() {
    let mut store = SpanStore::default();
    push_foreign(&mut store, 5, true, Status::error("broken"));
    let outlines = store.outlines(ClockCorrection::NONE);
    let outline = outlines.span(SpanIndex::FIRST).unwrap();
    assert!(outline.has_failed() && outlines.tags(outline).next().is_none());
    let records = store.records(ClockCorrection::NONE);
    let record = records.span(SpanIndex::FIRST).unwrap();
    assert_eq!(
        (records.tags(record).count(), records.description(SpanIndex::FIRST)),
        (1, "broken")
    );
    assert_eq!((record.start, record.end()), (outline.start, outline.end()));
}

#[test]
fn foreign_spans_move_into_a_frozen_store_with_their_memory() {
    let mut store = SpanStore::default();
    for _ in 0..4 {
        push_foreign(&mut store, 1, true, Status::Unset);
    }
    let bytes = store.bytes();
    let frozen = store.freeze();
    assert_eq!((frozen.bytes(), frozen.originals::<Foreign>().map(<[_]>::len)), (bytes, Some(4)));
    assert_eq!(store.len(), 0);
    assert!(store.bytes() < bytes);
}

#[test]
fn a_frozen_store_of_foreign_spans_has_little_memory_to_spare() {
    let mut store = SpanStore::default();
    push_foreign(&mut store, 1, true, Status::Unset);
    let four = store.bytes();
    let one = store.freeze().bytes();
    assert!(one < four, "memory for four is reserved for the first");
    push_foreign(&mut store, 1, true, Status::Unset);
    assert_eq!(store.freeze().bytes(), one, "the next trace is expected to be as large");
}

/// A store that has reserved more than is copied.
fn large_store() -> SpanStore {
    let mut store = SpanStore::with_budget(MemoryBudget::new(1 << 30));
    for number in 1.. {
        push_recorded(&mut store, number);
        if store.bytes() > LARGEST_COPIED {
            break;
        }
    }
    store
}

#[test]
fn a_large_buffer_moves_when_it_is_frozen_and_a_small_one_is_copied() {
    let mut large = large_store();
    let spans = large.recorded_mut().spans().as_ptr();
    let len = large.len();
    let frozen = large.freeze();
    assert_eq!(frozen.outlines(ClockCorrection::NONE).spans().as_ptr(), spans);
    assert_eq!((frozen.len(), large.len()), (len, 0));
    assert_eq!((large.bytes(), large.recorded.budget().limit()), (0, 1 << 30));
    let mut small = SpanStore::default();
    push_recorded(&mut small, 1);
    let spans = small.recorded_mut().spans().as_ptr();
    assert_ne!(small.freeze().outlines(ClockCorrection::NONE).spans().as_ptr(), spans);
    assert_eq!(small.len(), 1);
}

#[test]
fn a_large_frozen_buffer_reads_as_before_and_has_no_limit() {
    let mut store = large_store();
    let before = ids(&store);
    let times = store.times(ClockCorrection::NONE);
    let mut frozen = store.freeze();
    assert_eq!((ids(&frozen), frozen.times(ClockCorrection::NONE)), (before, times));
    assert!(frozen.has_errors() && frozen.bytes() > LARGEST_COPIED);
    let records = frozen.recorded_mut();
    let value = "x".repeat(10_000);
    let tag = crate::model::TagRef::Str(&value);
    for number in 0..10 {
        assert!(records.set_tag(SpanIndex::FIRST, number.to_string().into(), tag, &Limits::NONE));
    }
}
