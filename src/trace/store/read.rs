//! Reading the buffer in place.

use std::borrow::Cow;

use super::{
    Chain, Details, Dropped, LinkRecord, LogRecord, OPEN, Outcome, Rare, Slice, SpanRecord,
    SpanStore, Text, Value,
};
use crate::model::{Status, TagRef, TagValue};
use crate::time::Tick;

impl SpanRecord {
    pub(crate) fn end(&self) -> Option<Tick> {
        (self.end != OPEN).then_some(self.end)
    }

    pub(crate) fn is_error(&self) -> bool {
        self.outcome == Outcome::Error
    }
}

impl SpanStore {
    /// How many spans there are, whether or not they have records.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        if self.spans.is_empty() { self.originals_len() } else { self.spans.len() }
    }

    pub(crate) fn spans(&self) -> &[SpanRecord] {
        &self.spans
    }

    pub(crate) fn span(&self, index: u32) -> Option<&SpanRecord> {
        self.spans.get(index as usize)
    }

    pub(crate) fn name(&self, record: &SpanRecord) -> &str {
        self.read_text(record.name)
    }

    pub(crate) fn description(&self, span: u32) -> &str {
        let slice = self.rare().and_then(|rare| rare.descriptions.get(&span));
        slice.map_or("", |slice| self.arena_text(*slice))
    }

    pub(crate) fn status(&self, span: u32) -> Status {
        match self.span(span).map(|record| record.outcome) {
            Some(Outcome::Ok) => Status::Ok,
            Some(Outcome::Error) => Status::error(self.description(span).to_owned()),
            Some(Outcome::Unset) | None => Status::Unset,
        }
    }

    pub(crate) fn tags(&self, record: &SpanRecord) -> impl Iterator<Item = (&str, TagRef<'_>)> {
        self.tags_of(record.tags).map(|(key, value)| (self.read_text(key), value))
    }

    pub(crate) fn fields(&self, log: &LogRecord) -> impl Iterator<Item = (&str, TagRef<'_>)> {
        self.tags_of(log.fields).map(|(key, value)| (self.read_text(key), value))
    }

    pub(crate) fn link_tags(&self, link: &LinkRecord) -> impl Iterator<Item = (&str, TagRef<'_>)> {
        self.tags_of(link.tags).map(|(key, value)| (self.read_text(key), value))
    }

    pub(crate) fn logs(&self, record: &SpanRecord) -> impl Iterator<Item = &LogRecord> {
        let logs = self.details.as_ref().map_or(&[][..], |details| &details.logs);
        let mut at = record.logs.head;
        std::iter::from_fn(move || {
            let log = logs.get(at as usize)?;
            at = log.next;
            Some(log)
        })
    }

    pub(crate) fn message(&self, log: &LogRecord) -> &str {
        self.arena_text(log.message)
    }

    pub(crate) fn links(&self, span: u32) -> impl Iterator<Item = &LinkRecord> {
        let links = self.rare().and_then(|rare| rare.links.get(&span));
        links.into_iter().flatten()
    }

    pub(crate) fn dropped_of(&self, span: u32) -> Dropped {
        self.rare().and_then(|rare| rare.dropped.get(&span)).copied().unwrap_or_default()
    }

    fn rare(&self) -> Option<&Rare> {
        self.details.as_deref().and_then(|details| details.rare.as_deref())
    }

    /// How many values were cut to the length limit.
    pub(crate) fn cut_values(&self) -> u32 {
        self.details.as_ref().map_or(0, |details| details.cut_values)
    }

    pub(super) fn tags_of(&self, chain: Chain) -> impl Iterator<Item = (Text, TagRef<'_>)> {
        let tags = self.details.as_ref().map_or(&[][..], |details| &details.tags);
        let mut at = chain.head;
        std::iter::from_fn(move || {
            let tag = tags.get(at as usize)?;
            at = tag.next;
            Some((tag.key, self.read_value(tag.value)))
        })
    }

    #[inline]
    pub(super) fn read_text(&self, text: Text) -> &str {
        match text {
            Text::Static(text) => text,
            Text::Arena(slice) => self.arena_text(slice),
        }
    }

    /// The text to be written into another buffer: static text stays a pointer.
    pub(super) fn owned_text(&self, text: Text) -> Cow<'static, str> {
        match text {
            Text::Static(text) => Cow::Borrowed(text),
            Text::Arena(slice) => Cow::Owned(self.arena_text(slice).to_owned()),
        }
    }

    pub(super) fn arena_text(&self, slice: Slice) -> &str {
        self.details
            .as_ref()
            .and_then(|details| details.text.get(slice.range()))
            .unwrap_or_default()
    }

    fn read_value(&self, value: Value) -> TagRef<'_> {
        match value {
            Value::Bool(value) => TagRef::Bool(value),
            Value::I64(value) => TagRef::I64(value),
            Value::F64(value) => TagRef::F64(value),
            Value::Text(slice) => TagRef::Str(self.arena_text(slice)),
            Value::Bytes(slice) => {
                let bytes = self.rare().and_then(|rare| rare.bytes.get(slice.range()));
                TagRef::Bytes(bytes.unwrap_or_default())
            }
            Value::Array(index) => {
                let array = self.rare().and_then(|rare| rare.arrays.get(index as usize));
                array.map_or(TagRef::Str(""), TagValue::as_ref)
            }
        }
    }
}

impl Details {
    /// Whether a stored key is this one. Static keys usually are the same pointer.
    #[inline]
    pub(super) fn reads(&self, stored: Text, key: &str) -> bool {
        match stored {
            Text::Static(text) => text == key,
            Text::Arena(slice) => self.text.get(slice.range()) == Some(key),
        }
    }
}
