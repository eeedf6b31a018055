//! Tags that are read before the lock of their trace is taken.

mod capped_text;
mod writing;

use std::borrow::Cow;
use std::fmt::{self, Write};

use capped_text::CappedText;

use super::{ByteRange, TagIndex, TagRecord, Text, Value};
use crate::kit::unwind_safe;
use crate::model::{Limits, TagRef, TagValue};

/// Tags, or the fields of a log entry, that were read before a lock is taken, because reading them runs the program's
/// code.
///
/// A span that has none yet takes all of them at once: one copy of the text, one check of the budget.
#[derive(Debug, Default)]
pub(crate) struct PreparedTags {
    /// As they will stand in the column, but that ranges and indices count from the first of these.
    pub(super) tags: Vec<TagRecord>,
    pub(super) text: String,
    keys: KeySummary,
    /// Tags that few spans have: bytes, arrays, keys that are not static. They come last.
    pub(super) rare: Vec<(Cow<'static, str>, TagValue)>,
}

/// What is known of the keys of tags without a look at each.
#[derive(Debug, Default)]
struct KeySummary {
    /// A bit for each key: keys that share no bit differ.
    bits: u64,
    /// Whether two keys share a bit.
    has_shared: bool,
    /// The bytes of the longest.
    longest: usize,
}

impl KeySummary {
    #[inline(always)]
    fn add(&mut self, key: &str) {
        let bit = 1 << fingerprint(key);
        self.has_shared |= self.bits & bit != 0;
        self.bits |= bit;
        self.longest = self.longest.max(key.len());
    }
}

impl PreparedTags {
    /// Removes all tags, and gives the memory back where the text is longer than `most` bytes.
    #[inline]
    pub(crate) fn clear(&mut self, most: usize) {
        if !self.tags.is_empty() {
            self.tags.clear();
            self.keys = KeySummary::default();
        }
        if self.text.len() > most {
            self.text = String::new();
        }
        self.text.clear();
        if !self.rare.is_empty() {
            self.rare.clear();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.rare.is_empty()
    }

    #[inline(always)]
    fn push(&mut self, key: &'static str, value: Value) {
        self.keys.add(key);
        let position = self.tags.len() as u32;
        let next = TagIndex::new(position + 1);
        self.tags.push(TagRecord { key: Text::Static(key), value, next, position });
    }

    #[inline]
    pub(crate) fn push_bool(&mut self, key: &'static str, value: bool) {
        self.push(key, Value::Bool(value));
    }

    #[inline]
    pub(crate) fn push_i64(&mut self, key: &'static str, value: i64) {
        self.push(key, Value::I64(value));
    }

    #[inline]
    pub(crate) fn push_f64(&mut self, key: &'static str, value: f64) {
        self.push(key, Value::F64(value));
    }

    /// Adds a tag with a text that was [added](Self::add_text) before.
    #[inline]
    pub(crate) fn push_added(&mut self, key: &'static str, text: ByteRange) {
        self.push(key, Value::Text(text));
    }

    #[inline]
    pub(crate) fn push_text(&mut self, key: &'static str, text: &str, most: usize) {
        let text = self.add_text(text, most);
        self.push_added(key, text);
    }

    pub(crate) fn push_rare(&mut self, key: impl Into<Cow<'static, str>>, value: TagValue) {
        self.rare.push((key.into(), value));
    }

    /// Adds a text, cut a little beyond `most` bytes, so that the buffer sees, and counts, what it cuts.
    #[inline]
    pub(crate) fn add_text(&mut self, text: &str, most: usize) -> ByteRange {
        let start = self.text.len();
        if text.len() <= most {
            self.text.push_str(text);
        } else {
            let _ = self.capped(most).write_str(text);
        }
        self.added_from(start)
    }

    /// Adds formatted text, cut as [`add_text`](Self::add_text) does. Where the formatting panics, a note stands in the
    /// text's place.
    pub(crate) fn format(&mut self, most: usize, format: fmt::Arguments<'_>) -> ByteRange {
        let start = self.text.len();
        let mut capped = self.capped(most);
        if unwind_safe::call(|| capped.write_fmt(format)).is_none() {
            self.text.truncate(start);
            self.text.push_str("(its formatting panicked)");
        }
        self.added_from(start)
    }

    fn capped(&mut self, most: usize) -> CappedText<'_> {
        CappedText::new(&mut self.text, most)
    }

    /// The text that was added from `start` on. Beyond four gigabytes a range leads nowhere, or to other text.
    #[inline]
    fn added_from(&self, start: usize) -> ByteRange {
        ByteRange { start: start as u32, len: (self.text.len() - start) as u32 }
    }

    /// The text that was added at this range.
    #[inline]
    pub(crate) fn text(&self, range: ByteRange) -> &str {
        self.text.get(range.as_range()).unwrap_or_default()
    }

    /// Removes the tag with this key, because its value turned out to mean more than a tag.
    pub(crate) fn remove(&mut self, key: &str) {
        self.tags.retain(|tag| static_key(tag) != key);
        for (position, tag) in (0..).zip(&mut self.tags) {
            tag.next = TagIndex::new(position + 1);
            tag.position = position;
        }
    }

    pub(super) fn read(&self, value: Value) -> TagRef<'_> {
        match value {
            Value::Bool(value) => TagRef::Bool(value),
            Value::I64(value) => TagRef::I64(value),
            Value::F64(value) => TagRef::F64(value),
            Value::Text(text) => TagRef::Str(self.text(text)),
            // Bytes and arrays are rare tags.
            Value::Bytes(_) | Value::Array(_) => TagRef::Bytes(&[]),
        }
    }

    /// Whether nothing has to be cut and no key replaces another.
    #[inline]
    pub(super) fn is_plain(&self, limits: &Limits) -> bool {
        if self.text.len() > limits.value_bytes as usize {
            return false;
        }
        let most = limits.text_bytes as usize;
        let KeySummary { has_shared, longest, .. } = self.keys;
        !has_shared && longest <= most || self.is_plain_by_comparison(most)
    }

    /// Whether no key is too long or stands twice, found by comparing each with each.
    #[cold]
    fn is_plain_by_comparison(&self, most: usize) -> bool {
        self.tags.iter().enumerate().all(|(at, tag)| {
            let key = static_key(tag);
            let before = self.tags.iter().take(at);
            key.len() <= most && before.map(static_key).all(|before| before != key)
        })
    }
}

#[inline(always)]
pub(super) fn static_key(tag: &TagRecord) -> &'static str {
    match tag.key {
        Text::Static(key) => key,
        // Keys that are not static make rare tags.
        Text::Arena(_) => "",
    }
}

/// A number below 64 that equal keys share.
#[inline(always)]
fn fingerprint(key: &str) -> u32 {
    let last = key.as_bytes().last().copied().unwrap_or_default();
    (u32::from(last) + key.len() as u32 * 11) % 64
}

#[cfg(test)]
mod tests;
