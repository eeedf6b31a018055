//! Writing what belongs to a span: text, values and chains of tags.

use std::borrow::Cow;

use super::{Chain, Details, LogRecord, NONE, Room, Slice, TagRecord, Text, Value};
use crate::model::{Limits, TagRef, TagValue};

/// The parts of a buffer that are written together.
pub(super) struct Writer<'a> {
    pub(super) details: &'a mut Details,
    pub(super) room: &'a mut Room,
    pub(super) limits: &'a Limits,
}

/// A key that is to be stored.
pub(super) trait Key {
    fn as_str(&self) -> &str;

    /// It in the buffer, when it is known to be within the limit.
    fn store(self, writer: &mut Writer<'_>) -> Option<Text>;
}

/// One that may be static and stays a pointer then.
impl Key for Cow<'static, str> {
    #[inline]
    fn as_str(&self) -> &str {
        self
    }

    #[inline]
    fn store(self, writer: &mut Writer<'_>) -> Option<Text> {
        match self {
            Cow::Borrowed(text) => Some(Text::Static(text)),
            Cow::Owned(text) => writer.arena(&text, writer.limits.text_bytes).map(Text::Arena),
        }
    }
}

/// One that is lent, and copied.
pub(super) struct Lent<'k>(pub(super) &'k str);

impl Key for Lent<'_> {
    fn as_str(&self) -> &str {
        self.0
    }

    fn store(self, writer: &mut Writer<'_>) -> Option<Text> {
        writer.arena(self.0, writer.limits.text_bytes).map(Text::Arena)
    }
}

impl Writer<'_> {
    /// Sets `key` in a chain of tags; false when it was dropped.
    #[inline]
    pub(super) fn put<K: Key>(
        &mut self,
        chain: &mut Chain,
        key: K,
        value: TagRef<'_>,
        limit: u16,
    ) -> bool {
        if key.as_str().len() > self.limits.text_bytes as usize {
            return self.put_cut(chain, key.as_str(), value, limit);
        }
        let mut count = 0;
        let mut at = chain.head;
        while let Some(tag) = self.details.tags.get(at as usize) {
            if self.details.reads(tag.key, key.as_str()) {
                return self.replace(at, value);
            }
            (at, count) = (tag.next, count + 1);
        }
        if count >= limit {
            return false;
        }
        let (Some(value), Some(key)) = (self.value(value), key.store(self)) else { return false };
        let tags = &mut self.details.tags;
        let Ok(index) = u32::try_from(tags.len()) else { return false };
        if !self.room.reserve(tags, 1, 4) {
            return false;
        }
        match tags.get_mut(chain.tail as usize) {
            Some(last) => last.next = index,
            None => chain.head = index,
        }
        chain.tail = index;
        tags.push(TagRecord { key, value, next: NONE });
        true
    }

    /// The same with as much of the key as the limit allows, so that one that is too long is found again.
    #[cold]
    fn put_cut(&mut self, chain: &mut Chain, key: &str, value: TagRef<'_>, limit: u16) -> bool {
        let kept = self.within_limit(key, self.limits.text_bytes);
        self.put(chain, Lent(kept), value, limit)
    }

    // Out of line: most tags are set once.
    #[inline(never)]
    fn replace(&mut self, at: u32, value: TagRef<'_>) -> bool {
        if let (Some(slice), TagRef::Str(text)) = (self.text_of(at), value)
            && let Some(slice) = self.overwrite(slice, text, self.limits.value_bytes)
        {
            return self.set_value(at, Value::Text(slice));
        }
        self.value(value).is_some_and(|value| self.set_value(at, value))
    }

    fn set_value(&mut self, at: u32, value: Value) -> bool {
        self.details.tags.get_mut(at as usize).is_some_and(|tag| {
            tag.value = value;
            true
        })
    }

    fn text_of(&self, at: u32) -> Option<Slice> {
        match self.details.tags.get(at as usize)?.value {
            Value::Text(slice) => Some(slice),
            _ => None,
        }
    }

    /// Puts a text in the place of one that is as long or longer, so that a tag that is set again and
    /// again does not fill the arena.
    pub(super) fn overwrite(&mut self, old: Slice, text: &str, most: u32) -> Option<Slice> {
        let kept = cut(text, most as usize);
        let new = Slice { at: old.at, len: u32::try_from(kept.len()).ok()? };
        let (start, end) = (new.range().start, new.range().end);
        let arena = &mut self.details.text;
        if new.len > old.len || !arena.is_char_boundary(start) || !arena.is_char_boundary(end) {
            return None;
        }
        arena.replace_range(start..end, kept);
        self.details.cut_values += u32::from(kept.len() < text.len());
        Some(new)
    }

    /// Puts a log entry into `slot`, or at the end.
    pub(super) fn place_log(&mut self, slot: Option<u32>, log: LogRecord) -> Option<u32> {
        let logs = &mut self.details.logs;
        if let Some(slot) = slot {
            *logs.get_mut(slot as usize)? = log;
            return Some(slot);
        }
        let index = u32::try_from(logs.len()).ok()?;
        if !self.room.reserve(logs, 1, 4) {
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
            TagRef::Str(value) => self.arena(value, self.limits.value_bytes).map(Value::Text),
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

    #[inline]
    pub(super) fn arena(&mut self, text: &str, most: u32) -> Option<Slice> {
        let text = self.within_limit(text, most);
        let arena = &mut self.details.text;
        if !self.room.reserve_text(arena, text.len()) {
            return None;
        }
        let (at, len) = (u32::try_from(arena.len()).ok()?, u32::try_from(text.len()).ok()?);
        arena.push_str(text);
        Some(Slice { at, len })
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

    fn raw(&mut self, bytes: &[u8]) -> Option<Slice> {
        let most = self.limits.value_bytes as usize;
        let kept = bytes.get(..most).unwrap_or(bytes);
        self.details.cut_values += u32::from(kept.len() < bytes.len());
        let raw = &mut self.details.rare.get_or_insert_default().bytes;
        let (at, len) = (u32::try_from(raw.len()).ok()?, u32::try_from(kept.len()).ok()?);
        if !self.room.reserve(raw, kept.len(), 0) {
            return None;
        }
        raw.extend_from_slice(kept);
        Some(Slice { at, len })
    }

    fn array(&mut self, value: TagRef<'_>) -> Option<u32> {
        let (value, was_cut) = array_within(self.limits.value_bytes as usize, value)?;
        self.details.cut_values += u32::from(was_cut);
        let arrays = &mut self.details.rare.get_or_insert_default().arrays;
        let index = u32::try_from(arrays.len()).ok()?;
        if !self.room.reserve(arrays, 1, 1) || !self.room.take(array_bytes(&value)) {
            return None;
        }
        arrays.push(value);
        Some(index)
    }
}

/// The text up to `most` bytes, cut at a character.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// An array within `most` bytes, and whether something was cut; `None` for a scalar.
fn array_within(most: usize, value: TagRef<'_>) -> Option<(TagValue, bool)> {
    match value {
        TagRef::BoolArray(values) => Some(scalars_within(most, values, TagValue::BoolArray)),
        TagRef::I64Array(values) => Some(scalars_within(most, values, TagValue::I64Array)),
        TagRef::F64Array(values) => Some(scalars_within(most, values, TagValue::F64Array)),
        TagRef::StringArray(values) => Some(texts_within(most, values)),
        _ => None,
    }
}

fn scalars_within<T: Copy>(
    most: usize,
    values: &[T],
    make: fn(Vec<T>) -> TagValue,
) -> (TagValue, bool) {
    let kept: Vec<T> = values.iter().copied().take(most / size_of::<T>()).collect();
    let was_cut = kept.len() < values.len();
    (make(kept), was_cut)
}

fn texts_within(most: usize, values: &[String]) -> (TagValue, bool) {
    let mut left = most;
    let mut kept = Vec::new();
    for text in values {
        let Some(rest) = left.checked_sub(size_of::<String>()) else {
            break;
        };
        let text = cut(text, rest);
        left = rest - text.len();
        kept.push(text.to_owned());
    }
    let was_cut = kept != values;
    (TagValue::StringArray(kept), was_cut)
}

/// The memory an array's content takes.
pub(super) fn array_bytes(value: &TagValue) -> usize {
    match value {
        TagValue::BoolArray(values) => values.len(),
        TagValue::I64Array(values) => size_of_val(values.as_slice()),
        TagValue::F64Array(values) => size_of_val(values.as_slice()),
        TagValue::StringArray(values) => {
            values.iter().map(|text| size_of::<String>() + text.len()).sum()
        }
        _ => 0,
    }
}
