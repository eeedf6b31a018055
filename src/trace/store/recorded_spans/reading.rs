//! Reading spans in place.

use std::borrow::Cow;

use super::{
    ByteRange, ColumnIndex, ColumnList, DropCounts, LinkRecord, LogRecord, OPEN, RareDetails,
    RecordedSpans, SpanIndex, SpanRecord, StatusCode, TagIndex, Text, Value,
};
use crate::model::{Status, TagRef, TagValue};
use crate::time::Tick;

impl SpanRecord {
    pub(crate) fn end(&self) -> Option<Tick> {
        (self.end != OPEN).then_some(self.end)
    }
}

impl RecordedSpans {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The first start and the last end; `None` while no span has ended.
    pub(in crate::trace::store) fn times(&self) -> Option<(Tick, Tick)> {
        let last_end = self.last_end;
        let has_ended =
            last_end > Tick::default() || self.spans.iter().any(|span| span.end().is_some());
        has_ended.then_some(self.first_start()?).map(|start| (start, last_end))
    }

    /// The first start; `None` where there is no span.
    pub(in crate::trace::store) fn first_start(&self) -> Option<Tick> {
        let earlier = self.details.as_ref().and_then(|details| details.earlier_start);
        self.spans.first().map(|first| earlier.unwrap_or(first.start))
    }

    /// The spans with their indices.
    pub(crate) fn indexed(&self) -> impl Iterator<Item = (SpanIndex, &SpanRecord)> {
        (0..).map(SpanIndex::new).zip(&self.spans)
    }

    pub(crate) fn spans(&self) -> &[SpanRecord] {
        &self.spans
    }

    pub(crate) fn span(&self, index: SpanIndex) -> Option<&SpanRecord> {
        self.spans.get(index.as_usize())
    }

    pub(crate) fn name(&self, record: &SpanRecord) -> &str {
        self.read_text(record.name)
    }

    pub(crate) fn description(&self, span: SpanIndex) -> &str {
        let range = self.rare().and_then(|rare| rare.descriptions.get(&span));
        range.map_or("", |range| self.arena_text(*range))
    }

    pub(crate) fn status(&self, span: SpanIndex) -> Status {
        match self.span(span).map(|record| record.status) {
            Some(StatusCode::Ok) => Status::Ok,
            Some(StatusCode::Error) => Status::error(self.description(span).to_owned()),
            Some(StatusCode::Unset) | None => Status::Unset,
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
        let mut at = record.logs.first;
        std::iter::from_fn(move || {
            let log = logs.get(at.as_usize())?;
            at = log.next;
            Some(log)
        })
    }

    pub(crate) fn message(&self, log: &LogRecord) -> &str {
        self.arena_text(log.message)
    }

    pub(crate) fn links(&self, span: SpanIndex) -> impl Iterator<Item = &LinkRecord> {
        let links = self.rare().and_then(|rare| rare.links.get(&span));
        links.into_iter().flatten()
    }

    pub(crate) fn dropped_of(&self, span: SpanIndex) -> DropCounts {
        self.rare().and_then(|rare| rare.dropped.get(&span)).copied().unwrap_or_default()
    }

    fn rare(&self) -> Option<&RareDetails> {
        self.details.as_deref().and_then(|details| details.rare.as_deref())
    }

    /// How many values were cut to the length limit.
    pub(crate) fn cut_values(&self) -> u32 {
        self.details.as_ref().map_or(0, |details| details.cut_values)
    }

    pub(super) fn tags_of(
        &self,
        list: ColumnList<TagIndex>,
    ) -> impl Iterator<Item = (Text, TagRef<'_>)> {
        let tags = self.details.as_ref().map_or(&[][..], |details| &details.tags);
        let mut at = list.first;
        std::iter::from_fn(move || {
            let tag = tags.get(at.as_usize())?;
            at = tag.next;
            Some((tag.key, self.read_value(tag.value)))
        })
    }

    #[inline]
    pub(super) fn read_text(&self, text: Text) -> &str {
        match text {
            Text::Static(text) => text,
            Text::Arena(range) => self.arena_text(range),
        }
    }

    /// The text to be written into another buffer: static text stays a pointer.
    pub(super) fn owned_text(&self, text: Text) -> Cow<'static, str> {
        match text {
            Text::Static(text) => Cow::Borrowed(text),
            Text::Arena(range) => Cow::Owned(self.arena_text(range).to_owned()),
        }
    }

    pub(super) fn arena_text(&self, range: ByteRange) -> &str {
        self.details
            .as_ref()
            .and_then(|details| details.text.get(range.as_range()))
            .unwrap_or_default()
    }

    fn read_value(&self, value: Value) -> TagRef<'_> {
        match value {
            Value::Bool(value) => TagRef::Bool(value),
            Value::I64(value) => TagRef::I64(value),
            Value::F64(value) => TagRef::F64(value),
            Value::Text(range) => TagRef::Str(self.arena_text(range)),
            Value::Bytes(range) => {
                let bytes = self.rare().and_then(|rare| rare.bytes.get(range.as_range()));
                TagRef::Bytes(bytes.unwrap_or_default())
            }
            Value::Array(index) => {
                let array = self.rare().and_then(|rare| rare.arrays.get(index as usize));
                array.map_or(TagRef::Str(""), TagValue::as_ref)
            }
        }
    }
}
