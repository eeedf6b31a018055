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
    tags: Vec<Staged>,
    text: String,
    /// What few spans have: bytes, arrays, keys that are not static. They come last.
    rare: Vec<(Cow<'static, str>, TagValue)>,
}

#[derive(Clone, Copy, Debug)]
struct Staged {
    key: &'static str,
    value: Scalar,
}

#[derive(Clone, Copy, Debug)]
enum Scalar {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(Place),
}

/// A place in the text that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    at: u32,
    len: u32,
}

impl StagedTags {
    pub(crate) fn clear(&mut self) {
        self.tags.clear();
        self.text.clear();
        if !self.rare.is_empty() {
            self.rare.clear();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.rare.is_empty()
    }

    /// The memory it has reserved.
    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.tags.capacity() * size_of::<Staged>()
    }

    #[inline]
    pub(crate) fn push_bool(&mut self, key: &'static str, value: bool) {
        self.tags.push(Staged { key, value: Scalar::Bool(value) });
    }

    #[inline]
    pub(crate) fn push_i64(&mut self, key: &'static str, value: i64) {
        self.tags.push(Staged { key, value: Scalar::I64(value) });
    }

    #[inline]
    pub(crate) fn push_f64(&mut self, key: &'static str, value: f64) {
        self.tags.push(Staged { key, value: Scalar::F64(value) });
    }

    /// Adds a text that is waiting already.
    #[inline]
    pub(crate) fn push_place(&mut self, key: &'static str, place: Place) {
        self.tags.push(Staged { key, value: Scalar::Text(place) });
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

    /// All that was added from `at` on. Beyond four gigabytes there is nothing.
    #[inline]
    fn place(&self, at: usize) -> Place {
        match (u32::try_from(at), u32::try_from(self.text.len() - at)) {
            (Ok(at), Ok(len)) => Place { at, len },
            _ => Place { at: 0, len: 0 },
        }
    }

    /// Reads a text.
    #[inline]
    pub(crate) fn text(&self, place: Place) -> &str {
        let at = place.at as usize;
        self.text.get(at..at + place.len as usize).unwrap_or_default()
    }

    /// Takes the tag with this key out again, because its value turned out to mean more.
    pub(crate) fn take(&mut self, key: &str) {
        self.tags.retain(|tag| tag.key != key);
    }

    fn read(&self, value: Scalar) -> TagRef<'_> {
        match value {
            Scalar::Bool(value) => TagRef::Bool(value),
            Scalar::I64(value) => TagRef::I64(value),
            Scalar::F64(value) => TagRef::F64(value),
            Scalar::Text(place) => TagRef::Str(self.text(place)),
        }
    }

    /// Whether nothing has to be cut and no key replaces another.
    #[inline]
    fn is_plain(&self, most: usize) -> bool {
        self.text.len() <= most
            && self.tags.iter().enumerate().all(|(at, tag)| {
                tag.key.len() <= most
                    && self.tags.iter().take(at).all(|before| before.key != tag.key)
            })
    }
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
            && staged.is_plain(self.limits.value_bytes as usize);
        let mut dropped = 0;
        if !(fits && self.append(chain, staged)) {
            for tag in &staged.tags {
                dropped +=
                    u32::from(!self.put(chain, tag.key.into(), staged.read(tag.value), limit));
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
        let mut next = first;
        for Staged { key, value } in tags {
            next += 1;
            let value = match *value {
                Scalar::Bool(value) => Value::Bool(value),
                Scalar::I64(value) => Value::I64(value),
                Scalar::F64(value) => Value::F64(value),
                Scalar::Text(Place { at, len }) => Value::Text(Slice { at: base + at, len }),
            };
            column.push(TagRecord { key: Text::Static(key), value, next });
        }
        // The last one leads nowhere.
        if let Some(last) = column.last_mut() {
            last.next = super::NONE;
        }
        *chain = Chain { head: first, tail: next - 1 };
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
