//! The column store against a naive model that has no columns, arenas or chains.

mod against_model;
mod bounds;
mod long_lists;
mod naive;
mod steps;
mod tight;

use super::*;
use crate::model::text::cut;
use crate::model::{Limits, Link, Status, TagRef};
use crate::time::ClockCorrection;

const FIRST: SpanIndex = SpanIndex::FIRST;

/// Limits that random programs reach.
const SMALL: Limits = Limits {
    tags: 3,
    logs: 3,
    links: 2,
    fields_per_log: 2,
    tags_per_link: 1,
    list_bytes: 64,
    value_bytes: 9,
    text_bytes: 9,
};

fn id(number: u64) -> SpanId {
    SpanId::from_bits(number).unwrap()
}

fn at(nanos: u64) -> Tick {
    Tick::from_nanos(nanos)
}

fn new_span(number: u64, name: impl Into<Cow<'static, str>>) -> NewSpan {
    NewSpan {
        id: id(number),
        parent: None,
        start: at(number),
        name: name.into(),
        kind: SpanKind::Internal,
    }
}

/// A store with one span called "span".
fn one_span(room: MemoryBudget, limits: &Limits) -> RecordedSpans {
    let mut store = RecordedSpans::with_budget(room);
    assert_eq!(store.push_span(new_span(1, "span"), limits).ok(), Some(FIRST));
    store
}

fn tags(store: &RecordedSpans, span: SpanIndex) -> Vec<(String, TagValue)> {
    let record = store.span(span).unwrap();
    let tags = store.tags(record);
    tags.map(|(key, value)| (key.to_owned(), value.to_value())).collect()
}

fn messages(store: &RecordedSpans, span: SpanIndex) -> Vec<&str> {
    let record = store.span(span).unwrap();
    store.logs(record).map(|log| store.message(log)).collect()
}

#[test]
fn a_span_that_starts_and_ends_makes_no_details() {
    let mut store = one_span(MemoryBudget::default(), &SMALL);
    store.finish(FIRST, id(1), at(5));
    assert!(store.details.is_none());
    assert!(store.to_exact().details.is_none());
}

#[test]
fn static_names_and_keys_stay_pointers() {
    static KEY: &str = "key";
    let mut store = one_span(MemoryBudget::default(), &SMALL);
    store.set_tag(FIRST, KEY.into(), TagRef::I64(1), &SMALL);
    let record = store.span(FIRST).unwrap();
    let (key, _) = store.tags(record).next().unwrap();
    assert_eq!(key.as_ptr(), KEY.as_ptr());
    let mut copy = RecordedSpans::default();
    copy.copy_span(&store, FIRST, ClockCorrection::NONE);
    let (key, _) = copy.tags(copy.span(FIRST).unwrap()).next().unwrap();
    assert_eq!(key.as_ptr(), KEY.as_ptr());
}

#[test]
fn a_value_is_cut_at_a_character_and_counted_once() {
    let mut store = one_span(MemoryBudget::default(), &SMALL);
    store.set_tag(FIRST, "fits".into(), TagRef::Str("123456789"), &SMALL);
    assert_eq!(store.cut_values(), 0);
    store.set_tag(FIRST, "cut".into(), TagRef::Str("1234567ßß"), &SMALL);
    store.set_tag(FIRST, "raw".into(), TagRef::Bytes(&[7; 10]), &SMALL);
    let expected = [
        ("fits".to_owned(), TagValue::from("123456789")),
        ("cut".to_owned(), TagValue::from("1234567ß")),
        ("raw".to_owned(), TagValue::from(vec![7_u8; 9])),
    ];
    assert_eq!((tags(&store, FIRST), store.cut_values()), (expected.into(), 2));
    assert_eq!(cut("1234ßß", 5), "1234");
    assert_eq!(cut("ß", 0), "");
}

#[test]
fn an_error_at_the_limit_takes_the_place_of_the_first_lesser_entry() {
    let mut store = one_span(MemoryBudget::default(), &SMALL);
    let said = [
        (LogLevel::Error, "error 1"),
        (LogLevel::Info, "info"),
        (LogLevel::Warn, "warn"),
        (LogLevel::Warn, "no room"),
        (LogLevel::Error, "error 2"),
        (LogLevel::Error, "error 3"),
        (LogLevel::Error, "error 4"),
    ];
    for (nanos, (level, message)) in (0..).zip(said) {
        store.push_log(FIRST, at(nanos), level, message, &SMALL);
    }
    // In the order they were added, although an error stands where a lesser entry stood.
    assert_eq!(messages(&store, FIRST), ["error 1", "error 2", "error 3"]);
    assert_eq!(store.dropped_of(FIRST).logs, 4);
}

#[test]
fn the_fields_of_a_replaced_entry_go_with_it() {
    let limits = Limits { logs: 1, ..SMALL };
    let mut store = one_span(MemoryBudget::default(), &limits);
    let log = store.push_log(FIRST, at(1), LogLevel::Info, "info", &limits);
    store.set_field(FIRST, log.unwrap(), "field".into(), TagRef::I64(1), &limits);
    store.push_log(FIRST, at(2), LogLevel::Error, "error", &limits);
    let record = store.span(FIRST).unwrap();
    let log = store.logs(record).next().unwrap();
    assert_eq!((store.message(log), store.fields(log).count()), ("error", 0));
}

#[test]
fn a_limit_of_zero_stores_nothing_and_counts_everything() {
    let none = Limits { tags: 0, logs: 0, links: 0, ..SMALL };
    let mut store = one_span(MemoryBudget::default(), &none);
    assert!(!store.set_tag(FIRST, "key".into(), TagRef::Bool(true), &none));
    assert_eq!(store.push_log(FIRST, at(1), LogLevel::Error, "log", &none), None);
    let context = TraceContext::new(crate::model::TraceId::new(), id(9));
    assert!(!store.push_link(FIRST, Link::new(context), &none));
    assert_eq!(store.dropped_of(FIRST), DropCounts { tags: 1, logs: 1, links: 1 });
}

#[test]
fn statuses_follow_their_order() {
    let error = Status::error;
    for (said, expected) in [
        (vec![Status::Unset], Status::Unset),
        (vec![error("a"), Status::Unset], error("a")),
        (vec![error("a"), error("b")], error("b")),
        (vec![error("a"), error("")], error("")),
        (vec![error("a"), Status::Ok], Status::Ok),
        (vec![Status::Ok, error("a"), Status::Unset], Status::Ok),
    ] {
        let mut store = one_span(MemoryBudget::default(), &SMALL);
        for status in said.clone() {
            store.set_status(FIRST, status, &SMALL);
        }
        assert_eq!(store.status(FIRST), expected, "{said:?}");
    }
}

#[test]
fn a_suggested_error_leaves_what_is_known() {
    let suggested = |known: &[Status], text: &str| {
        let mut store = one_span(MemoryBudget::default(), &SMALL);
        for status in known {
            store.set_status(FIRST, status.clone(), &SMALL);
        }
        store.suggest_error(FIRST, text, &SMALL);
        store.status(FIRST)
    };
    assert_eq!(suggested(&[], "why"), Status::error("why"));
    assert_eq!(suggested(&[], ""), Status::error(""));
    assert_eq!(suggested(&[Status::Ok], "why"), Status::Ok);
    assert_eq!(suggested(&[Status::error("")], "why"), Status::error("why"));
    assert_eq!(suggested(&[Status::error("known")], "why"), Status::error("known"));
    assert_eq!(suggested(&[Status::error("known"), Status::Ok], "why"), Status::Ok);
}

#[test]
fn a_span_ends_once_and_never_before_its_start() {
    let mut store = RecordedSpans::default();
    store.push_span(new_span(7, "span"), &SMALL).unwrap();
    assert_eq!(store.finish(FIRST, id(7), at(3)), Some(FIRST));
    assert_eq!(store.finish(FIRST, id(7), at(30)), None);
    store.finish_at(FIRST, at(30));
    assert_eq!(store.span(FIRST).unwrap().end(), Some(at(7)));
}

#[test]
fn a_span_is_found_where_it_was_added_or_before() {
    let mut store = RecordedSpans::default();
    for number in 1..=3 {
        store.push_span(new_span(number, "span"), &SMALL).unwrap();
    }
    store.finish(SpanIndex::new(1), id(2), at(9));
    for guess in [SpanIndex::new(2), SpanIndex::new(3), SpanIndex::LAST] {
        assert_eq!(store.find(guess, id(3)), Some(SpanIndex::new(2)));
        assert_eq!(store.find_open(guess, id(3)), Some(SpanIndex::new(2)));
        assert_eq!(store.find(guess, id(2)), Some(SpanIndex::new(1)));
        assert_eq!(store.find_open(guess, id(2)), None);
        assert_eq!(store.find(guess, id(4)), None);
    }
}

#[test]
fn what_is_written_to_a_span_that_is_not_there_changes_nothing() {
    let mut store = RecordedSpans::default();
    let nowhere = SpanIndex::new(3);
    assert!(!store.set_tag(nowhere, "key".into(), TagRef::I64(1), &SMALL));
    assert_eq!(store.push_log(nowhere, at(1), LogLevel::Info, "log", &SMALL), None);
    assert!(!store.set_field(nowhere, LogIndex::new(3), "key".into(), TagRef::I64(1), &SMALL));
    store.set_status(nowhere, Status::Ok, &SMALL);
    store.set_name(nowhere, "name".into(), &SMALL);
    store.set_kind(nowhere, SpanKind::Server);
    store.finish_at(nowhere, at(1));
    assert_eq!(store.copy_span(&RecordedSpans::default(), FIRST, ClockCorrection::NONE), None);
    assert_eq!((store.len(), store.status(nowhere)), (0, Status::Unset));
}

#[test]
fn times_are_shifted_in_both_directions_and_never_below_zero() {
    let mut store = one_span(MemoryBudget::default(), &SMALL);
    store.push_log(FIRST, at(50), LogLevel::Info, "log", &SMALL);
    store.finish(FIRST, id(1), at(100));
    for (shift, start, said, end) in [(10, 11, 60, 110), (-40, 0, 10, 60), (i64::MIN, 0, 0, 0)] {
        let mut copy = RecordedSpans::default();
        copy.copy_span(&store, FIRST, ClockCorrection::from_nanos(shift));
        let record = copy.span(FIRST).unwrap();
        let log = copy.logs(record).next().unwrap();
        assert_eq!((record.start, log.time, record.end()), (at(start), at(said), Some(at(end))));
    }
}

#[test]
fn a_length_limit_cuts_each_text_of_a_list_and_nothing_else() {
    let limits = Limits { value_bytes: 4, list_bytes: 4096, ..SMALL };
    let mut store = RecordedSpans::default();
    assert!(store.push_span(new_span(1, "op"), &limits).is_ok());
    let texts: Vec<String> = (0..40).map(|number| format!("{number}-long")).collect();
    store.set_tag(FIRST, "texts".into(), TagRef::StringArray(&texts), &limits);
    store.set_tag(FIRST, "ids".into(), TagRef::I64Array(&[7; 50]), &limits);
    let cut: Vec<String> = texts.iter().map(|text| text[..4].to_owned()).collect();
    let expected = [
        ("texts".to_owned(), TagValue::StringArray(cut)),
        ("ids".to_owned(), TagValue::I64Array(vec![7; 50])),
    ];
    assert_eq!((tags(&store, FIRST), store.cut_values()), (expected.to_vec(), 1));
}

#[test]
fn names_keys_and_what_is_said_have_a_limit_of_their_own() {
    let limits = Limits { value_bytes: 4, text_bytes: 9, ..SMALL };
    let mut store = RecordedSpans::default();
    assert!(store.push_span(new_span(1, "123456789"), &limits).is_ok());
    store.set_tag(FIRST, "123456789".into(), TagRef::Str("12345"), &limits);
    store.push_log(FIRST, at(1), LogLevel::Info, "123456789", &limits);
    store.set_status(FIRST, Status::error("123456789"), &limits);
    let record = store.span(FIRST).unwrap();
    assert_eq!(store.name(record), "123456789");
    assert_eq!(tags(&store, FIRST), [("123456789".to_owned(), TagValue::from("1234"))]);
    assert_eq!(messages(&store, FIRST), ["123456789"]);
    assert_eq!((store.description(FIRST), store.cut_values()), ("123456789", 1));
}
