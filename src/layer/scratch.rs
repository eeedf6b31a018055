//! Where the fields of a span or an event stand between reading and writing them.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write};

use super::builder::Options;
use crate::kit::guarded;
use crate::model::{SpanKind, Status, TagRef};
use crate::record::Edit;

/// A scratch that has grown beyond this is not kept for the next span.
const LARGEST_KEPT: usize = 64 * 1024;

thread_local! {
    static KEPT: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// What was read from the fields of one span or event.
///
/// Reading fields runs user code, so it happens before any lock is taken; what was read waits here, in
/// memory that the thread uses again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    items: Vec<Item>,
    text: String,
    bytes: Vec<u8>,
    pub(super) special: Special,
}

/// Fields with a meaning of their own.
#[derive(Debug, Default)]
pub(super) struct Special {
    /// `otel.name` of a span, `message` of an event.
    pub(super) name: Option<Place>,
    /// `otel.kind`.
    pub(super) kind: Option<SpanKind>,
    /// `otel.status_code`: whether it is `ok`.
    pub(super) is_ok: Option<bool>,
    /// `otel.status_description` of a span, what went wrong of an event.
    pub(super) description: Option<Place>,
    /// An error recorded as such: what its exception tags say.
    pub(super) exception: Option<Exception>,
}

impl Special {
    #[inline]
    fn is_none(&self) -> bool {
        let Self { name, kind, is_ok, description, exception } = self;
        name.is_none()
            && kind.is_none()
            && is_ok.is_none()
            && description.is_none()
            && exception.is_none()
    }

    /// Whether a span that says so has failed.
    #[inline]
    pub(super) fn is_failure(&self) -> bool {
        self.description.is_some() || self.is_ok == Some(false)
    }
}

/// An error recorded as such.
#[derive(Debug)]
pub(super) struct Exception {
    pub(super) message: Place,
    pub(super) kind: Option<&'static str>,
    pub(super) causes: Vec<String>,
}

/// A place in the text of a scratch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    at: usize,
    end: usize,
}

#[derive(Debug)]
struct Item {
    key: Cow<'static, str>,
    value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(Place),
    Bytes(Place),
    Texts(Vec<String>),
}

impl Scratch {
    /// Works with the thread's scratch, or with a new one where that is in use: what reads a field's
    /// value may trace itself.
    pub(super) fn with<R>(work: impl FnOnce(&mut Self) -> R) -> R {
        let mut scratch = KEPT.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let result = work(&mut scratch);
        scratch.clear();
        if scratch.text.capacity() + scratch.bytes.capacity() <= LARGEST_KEPT {
            // A thread that is ending has nowhere to keep it.
            let _ = KEPT.try_with(|kept| kept.set(Some(scratch)));
        }
        result
    }

    fn clear(&mut self) {
        self.items.clear();
        self.text.clear();
        self.bytes.clear();
        self.special = Special::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.special.is_none()
    }

    #[inline]
    pub(super) fn push(&mut self, key: impl Into<Cow<'static, str>>, value: Value) {
        self.items.push(Item { key: key.into(), value });
    }

    /// Adds a text that is at hand, cut a little beyond `most`: the recorder cuts, and counts it.
    #[inline]
    pub(super) fn add_text(&mut self, text: &str, most: usize) -> Place {
        let at = self.text.len();
        if text.len() <= most {
            self.text.push_str(text);
        } else {
            let _ = Capped { text: &mut self.text, most: Some(at.saturating_add(most)) }
                .write_str(text);
        }
        Place { at, end: self.text.len() }
    }

    /// Adds what somebody's formatting says. A panic of it is told in its place.
    pub(super) fn format(&mut self, most: usize, format: fmt::Arguments<'_>) -> Place {
        let at = self.text.len();
        let mut capped = Capped { text: &mut self.text, most: Some(at.saturating_add(most)) };
        if guarded::call(|| capped.write_fmt(format)).is_none() {
            self.text.truncate(at);
            self.text.push_str("(its formatting panicked)");
        }
        Place { at, end: self.text.len() }
    }

    pub(super) fn add_bytes(&mut self, bytes: &[u8], most: usize) -> Place {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(bytes.get(..most.saturating_add(1)).unwrap_or(bytes));
        Place { at, end: self.bytes.len() }
    }

    /// Reads a text.
    pub(super) fn text(&self, place: Place) -> &str {
        self.text.get(place.at..place.end).unwrap_or_default()
    }

    /// Takes an item out again, whose value turned out to mean more.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        let at = self.items.iter().rposition(|item| item.key == key)?;
        Some(self.items.remove(at).value)
    }

    /// The items as tags.
    fn write_tags(&mut self, edit: &mut Edit<'_>) {
        self.write(|key, value| edit.set_tag(key, value));
    }

    /// The items as fields of a log entry.
    pub(super) fn write_fields(&mut self, edit: &mut Edit<'_>, log: u32) {
        self.write(|key, value| edit.set_field(log, key, value));
    }

    /// All that was read of a span.
    pub(super) fn write_span(&mut self, edit: &mut Edit<'_>, options: &Options) {
        self.write_tags(edit);
        if self.special.is_none() {
            return;
        }
        if let Some(exception) = self.special.exception.take().filter(|_| options.error_fields) {
            self.write_exception(edit, &exception, options);
        }
        if let Some(name) = self.special.name {
            edit.rename(self.text(name).to_owned().into());
        }
        if let Some(kind) = self.special.kind {
            edit.set_kind(kind);
        }
        match (self.special.description, self.special.is_ok) {
            (Some(text), _) => edit.set_status(Status::error(self.text(text).to_owned())),
            (None, Some(true)) => edit.set_status(Status::Ok),
            (None, Some(false)) => edit.fail(),
            (None, None) => {}
        }
    }

    /// What an error says of a span.
    pub(super) fn write_exception(
        &self,
        edit: &mut Edit<'_>,
        exception: &Exception,
        options: &Options,
    ) {
        edit.set_tag("exception.message".into(), TagRef::Str(self.text(exception.message)));
        if let Some(kind) = exception.kind {
            edit.set_tag("exception.type".into(), TagRef::Str(kind));
        }
        if options.stacktrace {
            edit.set_tag("exception.stacktrace".into(), TagRef::StringArray(&exception.causes));
        }
    }

    /// What an error says of an event.
    pub(super) fn push_exception(&mut self, exception: &Exception, options: &Options) {
        self.push("exception.message", Value::Text(exception.message));
        if let Some(kind) = exception.kind {
            let kind = self.add_text(kind, kind.len());
            self.push("exception.type", Value::Text(kind));
        }
        if options.stacktrace {
            self.push("exception.stacktrace", Value::Texts(exception.causes.clone()));
        }
    }

    #[inline]
    fn write(&mut self, mut write: impl FnMut(Cow<'static, str>, TagRef<'_>)) {
        let (text, bytes) = (&self.text, &self.bytes);
        for Item { key, value } in &mut self.items {
            let key = std::mem::take(key);
            write(
                key,
                match value {
                    Value::Bool(value) => TagRef::Bool(*value),
                    Value::I64(value) => TagRef::I64(*value),
                    Value::F64(value) => TagRef::F64(*value),
                    Value::Text(place) => TagRef::Str(text.get(place.at..place.end).unwrap_or("")),
                    Value::Bytes(place) => {
                        TagRef::Bytes(bytes.get(place.at..place.end).unwrap_or(&[]))
                    }
                    Value::Texts(texts) => TagRef::StringArray(texts),
                },
            );
        }
    }
}

/// Text that stops growing, and stops whoever writes it, a character after it is long enough.
struct Capped<'t> {
    text: &'t mut String,
    /// `None` when it has become long enough.
    most: Option<usize>,
}

impl Write for Capped<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.most.ok_or(fmt::Error)?.saturating_sub(self.text.len());
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        // One character more than fits shows the recorder that something was cut.
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
        Scratch::with(|scratch| {
            let first = scratch.format(2, format_args!("{GoesOn}"));
            let second = scratch.add_text("abcdef", 3);
            assert_eq!((scratch.text(first), scratch.text(second)), ("éé", "abcd"));
        });
    }

    #[test]
    fn a_scratch_in_use_is_not_given_out_twice() {
        Scratch::with(|outer| {
            outer.add_text("outer", 10);
            Scratch::with(|inner| {
                assert_eq!(inner.text, "");
                inner.add_text("inner", 10);
            });
            assert_eq!(outer.text, "outer");
        });
        Scratch::with(|next| assert!(next.is_empty() && next.text.is_empty()));
    }
}
