//! Writing into the columns: text, values, lists of tags.

mod arrays;
mod long_lists;
#[cfg(feature = "layer")]
mod tag_lists;

use std::borrow::Cow;

pub(super) use arrays::array_bytes;
use arrays::array_within;

use super::key_index::LONGEST_WALKED;
use super::{
    ByteRange, ColumnIndex, ColumnList, DetailColumns, LogIndex, LogRecord, MemoryBudget, TagIndex,
    TagRecord, Text, Value,
};
use crate::model::text::cut;
use crate::model::{Limits, TagRef};

/// The parts of [`RecordedSpans`](super::RecordedSpans) that are written together, apart from the spans themselves.
pub(super) struct ColumnWriter<'a> {
    pub(super) details: &'a mut DetailColumns,
    pub(super) budget: &'a mut MemoryBudget,
    pub(super) limits: &'a Limits,
}

/// A key that is to be stored.
pub(super) trait Key {
    fn as_str(&self) -> &str;

    /// Stores the key, which is within the length limit; `None` when it does not fit the budget.
    fn store(self, writer: &mut ColumnWriter<'_>) -> Option<Text>;
}

/// A key that may be static, and stays a pointer then.
impl Key for Cow<'static, str> {
    #[inline]
    fn as_str(&self) -> &str {
        self
    }

    #[inline(always)]
    fn store(self, writer: &mut ColumnWriter<'_>) -> Option<Text> {
        match self {
            Cow::Borrowed(text) => Some(Text::Static(text)),
            Cow::Owned(text) => writer.arena(&text, writer.limits.text_bytes).map(Text::Arena),
        }
    }
}

/// A key that is lent, and copied.
pub(super) struct BorrowedKey<'k>(pub(super) &'k str);

impl Key for BorrowedKey<'_> {
    fn as_str(&self) -> &str {
        self.0
    }

    fn store(self, writer: &mut ColumnWriter<'_>) -> Option<Text> {
        writer.arena(self.0, writer.limits.text_bytes).map(Text::Arena)
    }
}

impl ColumnWriter<'_> {
    /// Sets the tag `key` of a list; false when it was dropped.
    #[inline]
    pub(super) fn set_tag<K: Key>(
        &mut self,
        list: &mut ColumnList<TagIndex>,
        key: K,
        value: TagRef<'_>,
        limit: u16,
    ) -> bool {
        if key.as_str().len() > self.limits.text_bytes as usize {
            return self.set_cut_tag(list, key.as_str(), value, limit);
        }
        // The length stands with the last tag, so that the walk need not count.
        let last = self.details.tags.get(list.last.as_usize());
        let count = last.map_or(0, |last| last.position + 1);
        if count > LONGEST_WALKED {
            return self.set_tag_of_long(list, key, value, limit);
        }
        if let Some(at) = self.walk_to(list.first, key.as_str()) {
            return self.replace(at, value);
        }
        count < u32::from(limit) && self.push_tag(list, key, value, count)
    }

    /// Adds a tag to a list, which has `count` of them.
    #[inline(always)]
    fn push_tag<K: Key>(
        &mut self,
        list: &mut ColumnList<TagIndex>,
        key: K,
        value: TagRef<'_>,
        count: u32,
    ) -> bool {
        let value = self.value(value);
        let key = key.store(self);
        let (Some(value), Some(key)) = (value, key) else { return false };
        let tags = &mut self.details.tags;
        let Some(index) = TagIndex::after(tags.len()) else { return false };
        if !self.budget.reserve(tags, 1, 4) {
            return false;
        }
        match tags.get_mut(list.last.as_usize()) {
            Some(last) => last.next = index,
            None => list.first = index,
        }
        list.last = index;
        tags.push(TagRecord { key, value, next: TagIndex::NONE, position: count });
        true
    }

    /// Where a key stands in the list that begins at `at`.
    #[inline(always)]
    fn walk_to(&self, mut at: TagIndex, key: &str) -> Option<TagIndex> {
        while let Some(tag) = self.details.tags.get(at.as_usize()) {
            if tag.key.is(key, &self.details.text) {
                return Some(at);
            }
            at = tag.next;
        }
        None
    }

    /// Sets a tag by as much of its key as the limit allows, so that a key that is too long is found again.
    #[cold]
    fn set_cut_tag(
        &mut self,
        list: &mut ColumnList<TagIndex>,
        key: &str,
        value: TagRef<'_>,
        limit: u16,
    ) -> bool {
        let kept = self.within_limit(key, self.limits.text_bytes);
        self.set_tag(list, BorrowedKey(kept), value, limit)
    }

    // Out of line: most tags are set once.
    #[inline(never)]
    fn replace(&mut self, at: TagIndex, value: TagRef<'_>) -> bool {
        if let (Some(range), TagRef::Str(text)) = (self.text_of(at), value)
            && let Some(range) = self.overwrite(range, text, self.limits.value_bytes)
        {
            return self.set_value(at, Value::Text(range));
        }
        self.value(value).is_some_and(|value| self.set_value(at, value))
    }

    fn set_value(&mut self, at: TagIndex, value: Value) -> bool {
        self.details.tags.get_mut(at.as_usize()).is_some_and(|tag| {
            tag.value = value;
            true
        })
    }

    fn text_of(&self, at: TagIndex) -> Option<ByteRange> {
        match self.details.tags.get(at.as_usize())?.value {
            Value::Text(range) => Some(range),
            _ => None,
        }
    }

    /// Puts a text in the place of one that is as long or longer, so that a tag that is set again and
    /// again does not fill the arena.
    pub(super) fn overwrite(&mut self, old: ByteRange, text: &str, most: u32) -> Option<ByteRange> {
        let kept = cut(text, most as usize);
        let new = ByteRange { start: old.start, len: u32::try_from(kept.len()).ok()? };
        let bytes = new.as_range();
        let arena = &mut self.details.text;
        if new.len > old.len
            || !arena.is_char_boundary(bytes.start)
            || !arena.is_char_boundary(bytes.end)
        {
            return None;
        }
        arena.replace_range(bytes, kept);
        self.details.cut_values += u32::from(kept.len() < text.len());
        Some(new)
    }

    /// Puts a log entry into `slot`, or at the end.
    pub(super) fn place_log(&mut self, slot: Option<LogIndex>, log: LogRecord) -> Option<LogIndex> {
        let logs = &mut self.details.logs;
        if let Some(slot) = slot {
            *logs.get_mut(slot.as_usize())? = log;
            return Some(slot);
        }
        let index = LogIndex::after(logs.len())?;
        if !self.budget.reserve(logs, 1, 4) {
            return None;
        }
        logs.push(log);
        Some(index)
    }

    #[inline(always)]
    fn value(&mut self, value: TagRef<'_>) -> Option<Value> {
        match value {
            TagRef::Bool(value) => Some(Value::Bool(value)),
            TagRef::I64(value) => Some(Value::I64(value)),
            TagRef::F64(value) => Some(Value::F64(value)),
            TagRef::Str(value) => self.write_text(value, self.limits.value_bytes).map(Value::Text),
            TagRef::Bytes(value) => self.raw(value).map(Value::Bytes),
            _ => self.array(value).map(Value::Array),
        }
    }

    #[inline]
    pub(super) fn text(&mut self, text: Cow<'static, str>) -> Option<Text> {
        let most = self.limits.text_bytes;
        match text {
            Cow::Borrowed(text) => Some(Text::Static(self.within_limit(text, most))),
            Cow::Owned(text) => self.arena(&text, most).map(Text::Arena),
        }
    }

    #[inline(never)]
    pub(super) fn arena(&mut self, text: &str, most: u32) -> Option<ByteRange> {
        self.write_text(text, most)
    }

    /// Writes text like [`arena`](Self::arena), for values of tags and messages of logs, which are worth a copy of
    /// the code.
    #[inline(always)]
    pub(super) fn write_text(&mut self, text: &str, most: u32) -> Option<ByteRange> {
        let text = self.within_limit(text, most);
        let arena = &mut self.details.text;
        if !self.budget.reserve_text(arena, text.len()) {
            return None;
        }
        let start = u32::try_from(arena.len()).ok()?;
        let len = u32::try_from(text.len()).ok()?;
        arena.push_str(text);
        Some(ByteRange { start, len })
    }

    /// The text within the length limit; a cut is counted.
    #[inline]
    pub(super) fn within_limit<'t>(&mut self, text: &'t str, most: u32) -> &'t str {
        let most = most as usize;
        if text.len() <= most {
            return text;
        }
        self.details.cut_values += 1;
        cut(text, most)
    }

    fn raw(&mut self, bytes: &[u8]) -> Option<ByteRange> {
        let most = self.limits.value_bytes as usize;
        let kept = bytes.get(..most).unwrap_or(bytes);
        self.details.cut_values += u32::from(kept.len() < bytes.len());
        let raw = &mut self.details.rare.get_or_insert_default().bytes;
        let start = u32::try_from(raw.len()).ok()?;
        let len = u32::try_from(kept.len()).ok()?;
        if !self.budget.reserve(raw, kept.len(), 0) {
            return None;
        }
        raw.extend_from_slice(kept);
        Some(ByteRange { start, len })
    }

    fn array(&mut self, value: TagRef<'_>) -> Option<u32> {
        let (value, was_cut) = array_within(self.limits, value)?;
        self.details.cut_values += u32::from(was_cut);
        let bytes = array_bytes(&value);
        let rare = self.details.rare.get_or_insert_default();
        let index = u32::try_from(rare.arrays.len()).ok()?;
        if !self.budget.reserve(&mut rare.arrays, 1, 1) || !self.budget.claim(bytes) {
            return None;
        }
        rare.arrays.push(value);
        rare.value_bytes += bytes;
        Some(index)
    }
}
