//! One form for what both export.

use std::fmt::Write as _;

use opentelemetry::trace::Status as TheirStatus;
use opentelemetry::{Array, KeyValue};
use opentelemetry_sdk::trace::SpanData;
use tailtrace::model::TagRef;
use tailtrace::{SpanRef, Status, Trace};

/// A value, with its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    I64(i64),
    /// As text, so that NaN equals itself.
    F64(String),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Self>),
    /// A number of nanoseconds, never the same twice.
    Nanos,
}

impl Value {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn texts(texts: &[&str]) -> Self {
        Self::Array(texts.iter().copied().map(Self::text).collect())
    }
}

pub type Tags = Vec<(String, Value)>;

/// An event, or log entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    pub name: String,
    pub fields: Tags,
}

/// A span.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub name: String,
    pub kind: String,
    /// Its parent's name; "remote" for the parent of the tests, "unknown" for any other.
    pub parent: Option<String>,
    /// Which spans share its trace, and whether it is the trace of the remote parent.
    pub trace: String,
    /// "unset", "ok", or "error: " and the description.
    pub status: String,
    pub tags: Tags,
    pub logs: Vec<Log>,
    /// Names of the spans, or "remote", or the ids.
    pub links: Vec<(String, Tags)>,
}

fn find<'t>(tags: &'t Tags, key: &str) -> Option<&'t Value> {
    tags.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn keys(tags: &Tags) -> Vec<&str> {
    tags.iter().map(|(key, _)| key.as_str()).collect()
}

impl Seen {
    pub fn tag(&self, key: &str) -> Option<&Value> {
        find(&self.tags, key)
    }

    /// All values of a key, where it stands more than once.
    pub fn all(&self, key: &str) -> Vec<&Value> {
        self.tags.iter().filter(|(name, _)| name == key).map(|(_, value)| value).collect()
    }

    pub fn keys(&self) -> Vec<&str> {
        keys(&self.tags)
    }

    /// The only log entry.
    #[track_caller]
    pub fn log(&self) -> &Log {
        assert_eq!(self.logs.len(), 1, "log entries of {self:#?}");
        &self.logs[0]
    }
}

impl Log {
    pub fn field(&self, key: &str) -> Option<&Value> {
        find(&self.fields, key)
    }

    pub fn keys(&self) -> Vec<&str> {
        keys(&self.fields)
    }
}

/// A span before its ids have become names.
struct Raw {
    trace: String,
    span: String,
    parent: Option<String>,
    links: Vec<(String, Tags)>,
    seen: Seen,
}

/// Replaces ids by names, which are the same on both sides. Sorts by name.
fn named(raws: Vec<Raw>, remote: (&str, &str)) -> Vec<Seen> {
    let name_of = |span: &str| {
        if span == remote.1 {
            return "remote".to_owned();
        }
        let found = raws.iter().find(|raw| raw.span == span);
        found.map_or_else(|| "unknown".to_owned(), |raw| raw.seen.name.clone())
    };
    let mut seen: Vec<Seen> = raws
        .iter()
        .map(|raw| {
            let of_trace = raws.iter().filter(|other| other.trace == raw.trace);
            let mut names: Vec<&str> = of_trace.map(|other| other.seen.name.as_str()).collect();
            names.sort_unstable();
            let mut trace = names.join(" ");
            if raw.trace == remote.0 {
                let _ = write!(trace, " of remote");
            }
            Seen {
                parent: raw.parent.as_deref().map(name_of),
                links: raw.links.iter().map(|(id, tags)| (name_of(id), tags.clone())).collect(),
                trace,
                ..raw.seen.clone()
            }
        })
        .collect();
    seen.sort_by(|a, b| a.name.cmp(&b.name));
    seen
}

/// Values that differ from run to run.
fn masked(key: &str, value: Value) -> Value {
    match value {
        Value::I64(0..) if key == "busy_ns" || key == "idle_ns" => Value::Nanos,
        value => value,
    }
}

pub(crate) fn of_theirs(spans: &[SpanData], remote: (&str, &str)) -> Vec<Seen> {
    let raws = spans.iter().map(|span| {
        let parent = span.parent_span_id.to_string();
        let logs = span.events.iter().map(|event| Log {
            name: event.name.to_string(),
            fields: their_tags(&event.attributes),
        });
        let links = span.links.iter();
        let links = links
            .map(|link| (link.span_context.span_id().to_string(), their_tags(&link.attributes)));
        Raw {
            trace: span.span_context.trace_id().to_string(),
            span: span.span_context.span_id().to_string(),
            parent: (parent.bytes().any(|digit| digit != b'0')).then_some(parent),
            links: links.collect(),
            seen: Seen {
                name: span.name.to_string(),
                kind: format!("{:?}", span.span_kind).to_lowercase(),
                parent: None,
                trace: String::new(),
                status: match &span.status {
                    TheirStatus::Unset => "unset".to_owned(),
                    TheirStatus::Ok => "ok".to_owned(),
                    TheirStatus::Error { description } => format!("error: {description}"),
                },
                tags: their_tags(&span.attributes),
                logs: logs.collect(),
                links: Vec::new(),
            },
        }
    });
    named(raws.collect(), remote)
}

fn their_tags(tags: &[KeyValue]) -> Tags {
    let value = |key: &str, value: &opentelemetry::Value| {
        let value = match value {
            opentelemetry::Value::Bool(value) => Value::Bool(*value),
            opentelemetry::Value::I64(value) => Value::I64(*value),
            opentelemetry::Value::F64(value) => Value::F64(value.to_string()),
            opentelemetry::Value::String(value) => Value::text(value.as_str()),
            opentelemetry::Value::Array(array) => Value::Array(match array {
                Array::Bool(values) => values.iter().copied().map(Value::Bool).collect(),
                Array::I64(values) => values.iter().copied().map(Value::I64).collect(),
                Array::F64(values) => {
                    values.iter().map(|value| Value::F64(value.to_string())).collect()
                }
                Array::String(values) => {
                    values.iter().map(|value| Value::text(value.as_str())).collect()
                }
                other => panic!("an array of a kind that is not known: {other:?}"),
            }),
            other => panic!("a value of a kind that is not known: {other:?}"),
        };
        masked(key, value)
    };
    tags.iter().map(|tag| (tag.key.to_string(), value(tag.key.as_str(), &tag.value))).collect()
}

pub(crate) fn of_ours(traces: &[Trace], remote: (&str, &str)) -> Vec<Seen> {
    let raws = traces.iter().flat_map(Trace::spans).map(|span: SpanRef<'_>| {
        let logs = span
            .logs()
            .map(|log| Log { name: log.message().to_owned(), fields: our_tags(log.fields()) });
        let links =
            span.links().map(|link| (link.context().span_id.to_string(), our_tags(link.tags())));
        Raw {
            trace: span.trace_id().to_string(),
            span: span.span_id().to_string(),
            parent: span.parent_span_id().map(|id| id.to_string()),
            links: links.collect(),
            seen: Seen {
                name: span.operation_name().to_owned(),
                kind: span.kind().as_str().to_owned(),
                parent: None,
                trace: String::new(),
                status: match span.status() {
                    Status::Unset => "unset".to_owned(),
                    Status::Ok => "ok".to_owned(),
                    Status::Error { description } => format!("error: {description}"),
                },
                tags: our_tags(span.tags()),
                logs: logs.collect(),
                links: Vec::new(),
            },
        }
    });
    named(raws.collect(), remote)
}

fn our_tags<'t>(tags: impl Iterator<Item = (&'t str, TagRef<'t>)>) -> Tags {
    let value = |key: &str, value: TagRef<'_>| {
        let value = match value {
            TagRef::Bool(value) => Value::Bool(value),
            TagRef::I64(value) => Value::I64(value),
            TagRef::F64(value) => Value::F64(value.to_string()),
            TagRef::Str(value) => Value::text(value),
            TagRef::Bytes(value) => Value::Bytes(value.to_owned()),
            TagRef::BoolArray(values) => {
                Value::Array(values.iter().copied().map(Value::Bool).collect())
            }
            TagRef::I64Array(values) => {
                Value::Array(values.iter().copied().map(Value::I64).collect())
            }
            TagRef::F64Array(values) => {
                Value::Array(values.iter().map(|value| Value::F64(value.to_string())).collect())
            }
            TagRef::StringArray(values) => Value::Array(values.iter().map(Value::text).collect()),
            other => panic!("a value of a kind that is not known: {other:?}"),
        };
        masked(key, value)
    };
    tags.map(|(key, tag)| (key.to_owned(), value(key, tag))).collect()
}
