//! Tags that wait outside of a buffer until its lock is taken.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::writer::Writer;
use super::{Chain, Slice, SpanStore, TagRecord, Text, Value, details_in};
use crate::kit::guarded;
use crate::model::{Limits, TagRef, TagValue};

/// Tags that were read before a lock is taken, because reading them runs user code.
///
/// A span that has none yet takes all of them at once: one copy of the text, one check of the room.
#[derive(Debug, Default)]
pub(crate) struct StagedTags {
    /// As they will stand in the buffer, but for where their text and their neighbours are.
    tags: Vec<TagRecord>,
    text: String,
    /// What few spans have: bytes, arrays, keys that are not static. They come last.
    rare: Vec<(Cow<'static, str>, TagValue)>,
}

/// A place in the text that waits.
pub(crate) type Place = Slice;

impl StagedTags {
    /// Forgets all of it, and gives the memory back where the text is longer than `most`.
    #[inline]
    pub(crate) fn clear(&mut self, most: usize) {
        self.tags.clear();
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
        let next = self.tags.len() as u32 + 1;
        self.tags.push(TagRecord { key: Text::Static(key), value, next });
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

    /// Adds a text that is waiting already.
    #[inline]
    pub(crate) fn push_place(&mut self, key: &'static str, place: Place) {
        self.push(key, Value::Text(place));
    }

    #[inline]
    pub(crate) fn push_text(&mut self, key: &'static str, text: &str, most: usize) {
        let place = self.add_text(text, most);
        self.push_place(key, place);
    }

    pub(crate) fn push_rare(&mut self, key: impl Into<Cow<'static, str>>, value: TagValue) {
        self.rare.push((key.into(), value));
    }

    /// Adds a text, cut a little beyond `most`: the buffer cuts, and counts it.
    #[inline]
    pub(crate) fn add_text(&mut self, text: &str, most: usize) -> Place {
        let at = self.text.len();
        if text.len() <= most {
            self.text.push_str(text);
        } else {
            let _ = self.capped(most).write_str(text);
        }
        self.place(at)
    }

    /// Adds what somebody's formatting says, cut in the same way. A panic of it is told in its place.
    pub(crate) fn format(&mut self, most: usize, format: fmt::Arguments<'_>) -> Place {
        let at = self.text.len();
        let mut capped = self.capped(most);
        if guarded::call(|| capped.write_fmt(format)).is_none() {
            self.text.truncate(at);
            self.text.push_str("(its formatting panicked)");
        }
        self.place(at)
    }

    fn capped(&mut self, most: usize) -> Capped<'_> {
        let most = self.text.len().saturating_add(most);
        Capped { text: &mut self.text, most: Some(most) }
    }

    /// All that was added from `at` on. Beyond four gigabytes a place leads nowhere, or to other text.
    #[inline]
    fn place(&self, at: usize) -> Place {
        Place { at: at as u32, len: (self.text.len() - at) as u32 }
    }

    /// Reads a text.
    #[inline]
    pub(crate) fn text(&self, place: Place) -> &str {
        let at = place.at as usize;
        self.text.get(at..at + place.len as usize).unwrap_or_default()
    }

    /// Takes the tag with this key out again, because its value turned out to mean more.
    pub(crate) fn take(&mut self, key: &str) {
        self.tags.retain(|tag| static_key(tag) != key);
        for (next, tag) in (1..).zip(&mut self.tags) {
            tag.next = next;
        }
    }

    fn read(&self, value: Value) -> TagRef<'_> {
        match value {
            Value::Bool(value) => TagRef::Bool(value),
            Value::I64(value) => TagRef::I64(value),
            Value::F64(value) => TagRef::F64(value),
            Value::Text(place) => TagRef::Str(self.text(place)),
            // None of these is staged.
            Value::Bytes(_) | Value::Array(_) => TagRef::Bytes(&[]),
        }
    }

    /// Whether nothing has to be cut and no key replaces another.
    #[inline]
    fn is_plain(&self, limits: &Limits) -> bool {
        if self.text.len() > limits.value_bytes as usize {
            return false;
        }
        let most = limits.text_bytes as usize;
        // A bit for each key: where no two share one, no two are the same.
        let (mut bits, mut shared) = (0_u64, false);
        for tag in &self.tags {
            let key = static_key(tag);
            let bit = 1 << fingerprint(key);
            shared |= bits & bit != 0 || key.len() > most;
            bits |= bit;
        }
        !shared || self.is_plain_after_all(most)
    }

    #[cold]
    fn is_plain_after_all(&self, most: usize) -> bool {
        self.tags.iter().enumerate().all(|(at, tag)| {
            let (key, before) = (static_key(tag), self.tags.iter().take(at));
            key.len() <= most && before.map(static_key).all(|before| before != key)
        })
    }
}

#[inline(always)]
fn static_key(tag: &TagRecord) -> &'static str {
    match tag.key {
        Text::Static(key) => key,
        // No other key is staged.
        Text::Arena(_) => "",
    }
}

/// A number below 64, the same for the same key.
#[inline]
fn fingerprint(key: &str) -> u32 {
    let last = key.as_bytes().last().copied().unwrap_or_default();
    (u32::from(last) + key.len() as u32 * 11) % 64
}

/// Text that stops growing, and stops whoever writes it, a character after it is long enough.
struct Capped<'t> {
    text: &'t mut String,
    /// `None` when it has become long enough.
    most: Option<usize>,
}

impl Write for Capped<'_> {
    #[inline]
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.most.ok_or(fmt::Error)?.saturating_sub(self.text.len());
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        // One character more than fits shows the buffer that something was cut.
        let mut end = room + 1;
        while end < more.len() && !more.is_char_boundary(end) {
            end += 1;
        }
        self.text.push_str(more.get(..end).unwrap_or(more));
        // Whoever writes on all the same must not leave a gap in the middle.
        self.most = None;
        Err(fmt::Error)
    }
}

impl SpanStore {
    /// Sets several tags of a span.
    pub(crate) fn set_tags(&mut self, span: u32, staged: &StagedTags, limits: &Limits) {
        let Self { spans, details, room } = self;
        let Some(record) = spans.get_mut(span as usize) else { return };
        let mut writer = Writer { details: details_in(details, room), room, limits };
        let dropped = writer.put_all(&mut record.tags, staged, limits.tags);
        if dropped > 0 {
            self.dropped(span).tags += dropped;
        }
    }

    /// Sets several fields of a log entry of a span.
    pub(crate) fn set_fields(&mut self, span: u32, log: u32, staged: &StagedTags, limits: &Limits) {
        let mut writer = self.writer(limits);
        let Some(mut fields) = writer.details.logs.get(log as usize).map(|log| log.fields) else {
            return;
        };
        let dropped = writer.put_all(&mut fields, staged, limits.fields_per_log);
        if let Some(log) = writer.details.logs.get_mut(log as usize) {
            log.fields = fields;
        }
        if dropped > 0 {
            self.dropped(span).tags += dropped;
        }
    }
}

impl Writer<'_> {
    /// Puts tags into a chain; how many were dropped.
    #[inline]
    fn put_all(&mut self, chain: &mut Chain, staged: &StagedTags, limit: u16) -> u32 {
        let fits = chain.is_empty()
            && staged.tags.len() <= usize::from(limit)
            && staged.is_plain(self.limits);
        let mut dropped = 0;
        if !(fits && self.append(chain, staged)) {
            for tag in &staged.tags {
                dropped += u32::from(!self.put(
                    chain,
                    Cow::Borrowed(static_key(tag)),
                    staged.read(tag.value),
                    limit,
                ));
            }
        }
        for (key, value) in &staged.rare {
            dropped += u32::from(!self.put(chain, key.clone(), value.as_ref(), limit));
        }
        dropped
    }

    /// Makes plain tags the whole of an empty chain; false, and nothing changes, without the room.
    #[inline]
    fn append(&mut self, chain: &mut Chain, staged: &StagedTags) -> bool {
        let StagedTags { tags, text, .. } = staged;
        let arena = &mut self.details.text;
        let (Ok(base), Ok(first)) =
            (u32::try_from(arena.len()), u32::try_from(self.details.tags.len()))
        else {
            return false;
        };
        if tags.is_empty()
            || !self.room.reserve_text(arena, text.len())
            || !self.room.reserve(&mut self.details.tags, tags.len(), 4)
        {
            return tags.is_empty();
        }
        arena.push_str(text);
        let column = &mut self.details.tags;
        column.extend_from_slice(tags);
        for tag in column.iter_mut().skip(first as usize) {
            tag.next += first;
            if let Value::Text(place) = &mut tag.value {
                place.at += base;
            }
        }
        // The last one leads nowhere.
        if let Some(last) = column.last_mut() {
            last.next = super::NONE;
        }
        *chain = Chain { head: first, tail: first + tags.len() as u32 - 1 };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_one_character_after_the_limit_and_nothing_follows() {
        struct GoesOn;
        impl fmt::Display for GoesOn {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let _ = f.write_str("ééé");
                f.write_str("x")
            }
        }
        let mut staged = StagedTags::default();
        let first = staged.format(2, format_args!("{GoesOn}"));
        let second = staged.add_text("abcdef", 3);
        assert_eq!((staged.text(first), staged.text(second)), ("éé", "abcd"));
    }

    #[test]
    fn a_formatting_that_panics_is_told_and_leaves_the_others() {
        struct Panics;
        impl fmt::Display for Panics {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let _ = f.write_str("half");
                panic!("no words")
            }
        }
        let mut staged = StagedTags::default();
        let (before, bad) =
            (staged.add_text("before", 9), staged.format(9, format_args!("{Panics}")));
        assert_eq!(staged.text(before), "before");
        assert_eq!(staged.text(bad), "(its formatting panicked)");
    }
}
