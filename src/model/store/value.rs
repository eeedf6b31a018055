//! Text and values on their way into the buffer, cut to length.

use std::borrow::Cow;

use super::{Slice, SpanStore, Text, Value};
use crate::model::{Limits, TagRef, TagValue};

impl SpanStore {
    #[inline]
    pub(super) fn value(&mut self, value: TagRef<'_>, limits: &Limits) -> Option<Value> {
        match value {
            TagRef::Bool(value) => Some(Value::Bool(value)),
            TagRef::I64(value) => Some(Value::I64(value)),
            TagRef::F64(value) => Some(Value::F64(value)),
            TagRef::Str(value) => self.arena(value, limits).map(Value::Text),
            TagRef::Bytes(value) => self.raw(value, limits).map(Value::Bytes),
            _ => self.array(value, limits).map(Value::Array),
        }
    }

    #[inline]
    pub(super) fn text(&mut self, text: Cow<'static, str>, limits: &Limits) -> Option<Text> {
        match text {
            Cow::Borrowed(text) => Some(Text::Static(self.shortened(text, limits))),
            Cow::Owned(text) => self.arena(&text, limits).map(Text::Arena),
        }
    }

    pub(super) fn arena(&mut self, text: &str, limits: &Limits) -> Option<Slice> {
        let text = self.shortened(text, limits);
        let details = self.details.get_or_insert_default();
        if !self.room.reserve_text(&mut details.text, text.len()) {
            return None;
        }
        let at = u32::try_from(details.text.len()).ok()?;
        details.text.push_str(text);
        Some(Slice {
            at,
            len: u32::try_from(text.len()).ok()?,
        })
    }

    /// The text within the length limit; a cut is counted.
    #[inline]
    pub(super) fn shortened<'t>(&mut self, text: &'t str, limits: &Limits) -> &'t str {
        if text.len() <= limits.value_bytes as usize {
            return text;
        }
        self.details.get_or_insert_default().cut_values += 1;
        cut(text, limits.value_bytes as usize)
    }

    fn raw(&mut self, bytes: &[u8], limits: &Limits) -> Option<Slice> {
        let bytes = match bytes.get(..limits.value_bytes as usize) {
            Some(cut) if cut.len() < bytes.len() => {
                self.details.get_or_insert_default().cut_values += 1;
                cut
            }
            _ => bytes,
        };
        let rare = self.rare.get_or_insert_default();
        let at = u32::try_from(rare.bytes.len()).ok()?;
        if !self.room.reserve(&mut rare.bytes, bytes.len(), 0) {
            return None;
        }
        rare.bytes.extend_from_slice(bytes);
        Some(Slice {
            at,
            len: u32::try_from(bytes.len()).ok()?,
        })
    }

    fn array(&mut self, value: TagRef<'_>, limits: &Limits) -> Option<u32> {
        let (value, bytes, was_cut) = array_within(limits.value_bytes as usize, value)?;
        if was_cut {
            self.details.get_or_insert_default().cut_values += 1;
        }
        let rare = self.rare.get_or_insert_default();
        let index = u32::try_from(rare.arrays.len()).ok()?;
        if !self.room.reserve(&mut rare.arrays, 1, 1) || !self.room.take(bytes) {
            return None;
        }
        rare.arrays.push(value);
        Some(index)
    }
}

/// The text up to `most` bytes, cut at a character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// An array within `most` bytes, what it takes, and whether something was cut; `None` for a scalar.
fn array_within(most: usize, value: TagRef<'_>) -> Option<(TagValue, usize, bool)> {
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
) -> (TagValue, usize, bool) {
    let kept: Vec<T> = values.iter().copied().take(most / size_of::<T>()).collect();
    let (bytes, was_cut) = (size_of_val(kept.as_slice()), kept.len() < values.len());
    (make(kept), bytes, was_cut)
}

fn texts_within(most: usize, values: &[String]) -> (TagValue, usize, bool) {
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
    (TagValue::StringArray(kept), most - left, was_cut)
}

/// The memory an array takes.
pub(super) fn array_bytes(value: &TagValue) -> usize {
    let content = match value {
        TagValue::BoolArray(values) => values.len(),
        TagValue::I64Array(values) => size_of_val(values.as_slice()),
        TagValue::F64Array(values) => size_of_val(values.as_slice()),
        TagValue::StringArray(values) => values
            .iter()
            .map(|text| size_of::<String>() + text.len())
            .sum(),
        _ => 0,
    };
    size_of::<TagValue>() + content
}
