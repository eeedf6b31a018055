//! Random programs that write into a store.

use proptest::prelude::*;
use proptest::sample::Index;

use super::naive::Naive;
use super::*;

/// Few keys, so that values are overwritten; within the length limit.
pub(super) const KEYS: [&str; 5] = ["a", "b", "key", "größe", ""];

#[derive(Clone, Debug)]
pub(super) enum Step {
    Push(String, Option<Index>),
    Tag(Index, String, TagValue),
    /// Many tags, of keys that begin with this number.
    Tags(Index, u8, u8),
    Log(Index, LogLevel, String, Vec<(String, TagValue)>),
    Link(Index, Vec<(String, TagValue)>),
    Status(Index, Status),
    Rename(Index, String),
    Kind(Index),
    Finish(Index),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,12}", "[aßé🦀]{0,8}", Just(String::new()), Just("x".repeat(300)),]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (0..KEYS.len()).prop_map(|key| KEYS[key].to_owned()),
        1 => any::<u8>().prop_map(numbered),
    ]
}

/// One of many keys, so that lists grow too long to be walked.
fn numbered(number: u8) -> String {
    format!("k{}", number % 60)
}

/// The tags of a [`Step::Tags`].
fn many(first: u8, count: u8) -> impl Iterator<Item = (String, i64)> {
    (0..count).map(move |number| (numbered(first.wrapping_add(number)), i64::from(number)))
}

/// Single values, whose memory a cleared store keeps.
pub(super) fn scalar() -> impl Strategy<Value = TagValue> {
    prop_oneof![
        any::<bool>().prop_map(TagValue::from),
        any::<i64>().prop_map(TagValue::from),
        any::<i32>().prop_map(|value| TagValue::F64(value.into())),
        text().prop_map(TagValue::from),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(TagValue::from),
    ]
}

pub(super) fn value() -> impl Strategy<Value = TagValue> {
    prop_oneof![
        4 => scalar(),
        1 => prop::collection::vec(any::<i64>(), 0..12).prop_map(TagValue::I64Array),
        1 => prop::collection::vec(text(), 0..4).prop_map(TagValue::StringArray),
    ]
}

fn level() -> impl Strategy<Value = LogLevel> {
    prop::sample::select(vec![LogLevel::Debug, LogLevel::Warn, LogLevel::Error])
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        1 => Just(Status::Unset),
        1 => Just(Status::Ok),
        4 => text().prop_map(Status::error),
    ]
}

pub(super) fn steps(value: BoxedStrategy<TagValue>) -> impl Strategy<Value = Vec<Step>> {
    let pair = (key(), value.clone()).boxed();
    let pairs = prop_oneof![
        8 => prop::collection::vec(pair.clone(), 0..4),
        1 => prop::collection::vec(pair, 0..60),
    ]
    .boxed();
    let span = any::<Index>;
    let step = prop_oneof![
        3 => (text(), any::<Option<Index>>()).prop_map(|(name, parent)| Step::Push(name, parent)),
        8 => (span(), key(), value).prop_map(|(span, key, value)| Step::Tag(span, key, value)),
        1 => (span(), any::<u8>(), 0..40_u8)
            .prop_map(|(span, first, count)| Step::Tags(span, first, count)),
        6 => (span(), level(), text(), pairs.clone())
            .prop_map(|(span, level, text, fields)| Step::Log(span, level, text, fields)),
        2 => (span(), pairs).prop_map(|(span, tags)| Step::Link(span, tags)),
        2 => (span(), status()).prop_map(|(span, status)| Step::Status(span, status)),
        1 => (span(), text()).prop_map(|(span, name)| Step::Rename(span, name)),
        1 => span().prop_map(Step::Kind),
        2 => span().prop_map(Step::Finish),
    ];
    prop::collection::vec(step, 0..80)
}

fn link(number: usize, tags: &[(String, TagValue)]) -> Link {
    let trace = crate::model::TraceId::from_bits(77).unwrap();
    let link = Link::new(TraceContext::new(trace, id(number as u64 + 1)));
    let tags = tags.iter().cloned();
    tags.fold(link, |link, (key, value)| link.with_tag(key, value))
}

/// A key as programs give them: one of two is static.
fn given(key: &str) -> Cow<'static, str> {
    match KEYS.iter().position(|known| *known == key) {
        Some(place) if place % 2 == 0 => Cow::Borrowed(KEYS[place]),
        _ => Cow::Owned(key.to_owned()),
    }
}

/// What a store said while a program ran.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) spans_refused: usize,
    pub(super) tags_refused: usize,
    pub(super) logs_refused: usize,
    pub(super) links_refused: usize,
}

/// Runs a program on a store; `check` sees the store after every step.
pub(super) fn run(
    store: &mut RecordedSpans,
    steps: &[Step],
    limits: &Limits,
    mut check: impl FnMut(&RecordedSpans),
) -> Answers {
    let mut answers = Answers::default();
    for (number, step) in steps.iter().enumerate() {
        let now = at(number as u64 + 1);
        let pick = |span: &Index| {
            (!store.is_empty()).then(|| SpanIndex::new(span.index(store.len()) as u32))
        };
        match step {
            Step::Push(name, parent) => {
                let parent = parent.as_ref().and_then(pick);
                let span = NewSpan {
                    parent: parent.map(|parent| store.spans[parent.as_usize()].id),
                    ..new_span(number as u64 + 1, name.clone())
                };
                answers.spans_refused += usize::from(store.push_span(span, limits).is_err());
            }
            Step::Tag(span, key, value) => {
                let Some(span) = pick(span) else { continue };
                let stored = store.set_tag(span, given(key), value.as_ref(), limits);
                answers.tags_refused += usize::from(!stored);
            }
            Step::Tags(span, first, count) => {
                let Some(span) = pick(span) else { continue };
                for (key, value) in many(*first, *count) {
                    let stored = store.set_tag(span, key.into(), TagRef::I64(value), limits);
                    answers.tags_refused += usize::from(!stored);
                }
            }
            Step::Log(span, level, message, fields) => {
                let Some(span) = pick(span) else { continue };
                match store.push_log(span, now, *level, message, limits) {
                    None => answers.logs_refused += 1,
                    Some(log) => {
                        for (key, value) in fields {
                            let stored =
                                store.set_field(span, log, given(key), value.as_ref(), limits);
                            answers.tags_refused += usize::from(!stored);
                        }
                    }
                }
            }
            Step::Link(span, tags) => {
                let Some(span) = pick(span) else { continue };
                let stored = store.push_link(span, link(number, tags), limits);
                answers.links_refused += usize::from(!stored);
            }
            Step::Status(span, status) => {
                let Some(span) = pick(span) else { continue };
                store.set_status(span, status.clone(), limits);
            }
            Step::Rename(span, name) => {
                let Some(span) = pick(span) else { continue };
                store.set_name(span, name.clone().into(), limits);
            }
            Step::Kind(span) => {
                let Some(span) = pick(span) else { continue };
                store.set_kind(span, SpanKind::Server);
            }
            Step::Finish(span) => {
                let Some(span) = pick(span) else { continue };
                store.finish(SpanIndex::LAST, store.spans[span.as_usize()].id, now);
            }
        }
        check(store);
    }
    answers
}

/// Runs a program on the naive model.
pub(super) fn run_naive(steps: &[Step], limits: &Limits) -> Naive {
    let mut naive = Naive::new(*limits);
    for (number, step) in steps.iter().enumerate() {
        let now = at(number as u64 + 1);
        let count = naive.spans.len();
        let pick = |span: &Index| (count > 0).then(|| span.index(count));
        match step {
            Step::Push(name, parent) => {
                let parent = parent.as_ref().and_then(pick);
                let parent = parent.map(|parent| naive.spans[parent].id);
                naive.push(number as u64 + 1, parent, name);
            }
            Step::Tag(span, key, value) => {
                let Some(span) = pick(span) else { continue };
                naive.tag(span, key, value);
            }
            Step::Tags(span, first, count) => {
                let Some(span) = pick(span) else { continue };
                for (key, value) in many(*first, *count) {
                    naive.tag(span, &key, &value.into());
                }
            }
            Step::Log(span, level, message, fields) => {
                let Some(span) = pick(span) else { continue };
                naive.log(span, now, *level, message, fields);
            }
            Step::Link(span, tags) => {
                let Some(span) = pick(span) else { continue };
                naive.link(span, &link(number, tags));
            }
            Step::Status(span, status) => {
                let Some(span) = pick(span) else { continue };
                naive.status(span, status.clone());
            }
            Step::Rename(span, name) => {
                let Some(span) = pick(span) else { continue };
                naive.set_name(span, name);
            }
            Step::Kind(span) => {
                let Some(span) = pick(span) else { continue };
                naive.spans[span].kind = SpanKind::Server;
            }
            Step::Finish(span) => {
                let Some(span) = pick(span) else { continue };
                naive.finish(span, now);
            }
        }
    }
    naive
}
