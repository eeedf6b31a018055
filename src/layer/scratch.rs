//! Where the fields of a span or an event stand between reading and writing them.

use std::cell::RefCell;

use super::builder::Options;
use crate::model::{SpanKind, Status, TagRef, TagValue};
use crate::trace::SpanMut;
use crate::trace::store::{Place, StagedTags};

/// Text that has grown beyond this gives its memory back.
const LARGEST_KEPT: usize = 64 * 1024;

thread_local! {
    static KEPT: RefCell<Scratch> = RefCell::default();
}

/// What was read from the fields of one span or event.
///
/// Reading fields runs user code, so it happens before any lock is taken; what was read waits here, in
/// memory that the thread uses again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) tags: StagedTags,
    /// What an event says; apart from the tags, which are copied as a whole.
    pub(super) message: StagedTags,
    pub(super) special: Special,
}

/// Fields with a meaning of their own.
#[derive(Debug, Default)]
pub(super) struct Special {
    /// Whether there is anything below but a message.
    pub(super) is_any: bool,
    /// `message` of an event.
    pub(super) message: Option<Place>,
    /// `otel.name` of a span.
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

impl Scratch {
    /// Works with the thread's scratch, or with a new one where that is in use, because what reads a
    /// field's value may trace itself, and where the thread is ending.
    #[inline]
    pub(super) fn with(mut work: impl FnMut(&mut Self)) {
        let done = KEPT.try_with(|kept| {
            let Ok(mut scratch) = kept.try_borrow_mut() else { return false };
            work(&mut scratch);
            scratch.clear();
            true
        });
        if !done.unwrap_or(false) {
            work(&mut Self::default());
        }
    }

    #[inline]
    fn clear(&mut self) {
        self.tags.clear(LARGEST_KEPT);
        if self.special.message.take().is_some() {
            self.message.clear(LARGEST_KEPT);
        }
        if self.special.is_any {
            self.special = Special::default();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty() && !self.special.is_any
    }

    /// All that was read of a span.
    pub(super) fn write_span(&mut self, edit: &mut SpanMut<'_>, options: &Options) {
        if !self.tags.is_empty() {
            edit.set_tags(&self.tags);
        }
        if self.special.is_any {
            self.write_special(edit, options);
        }
    }

    /// What the special fields of a span say.
    pub(super) fn write_special(&mut self, edit: &mut SpanMut<'_>, options: &Options) {
        if let Some(exception) = self.special.exception.take().filter(|_| options.error_fields) {
            self.write_exception(edit, &exception, options);
        }
        if let Some(name) = self.special.name {
            edit.set_name(self.tags.text(name).to_owned());
        }
        if let Some(kind) = self.special.kind {
            edit.set_kind(kind);
        }
        match (self.special.description, self.special.is_ok) {
            (Some(text), _) => {
                edit.set_status(Status::error(self.tags.text(text).to_owned()));
            }
            (None, Some(true)) => {
                edit.set_status(Status::Ok);
            }
            (None, Some(false)) => edit.fail(),
            (None, None) => {}
        }
    }

    /// What an error says of a span.
    pub(super) fn write_exception(
        &self,
        edit: &mut SpanMut<'_>,
        exception: &Exception,
        options: &Options,
    ) {
        edit.set_tag("exception.message", TagRef::Str(self.tags.text(exception.message)));
        if let Some(kind) = exception.kind {
            edit.set_tag("exception.type", TagRef::Str(kind));
        }
        if options.stacktrace {
            edit.set_tag("exception.stacktrace", TagRef::StringArray(&exception.causes));
        }
    }

    /// What an error says of an event.
    pub(super) fn push_exception(&mut self, exception: &Exception, options: &Options) {
        self.tags.push_place("exception.message", exception.message);
        if let Some(kind) = exception.kind {
            self.tags.push_text("exception.type", kind, kind.len());
        }
        if options.stacktrace {
            let causes = TagValue::StringArray(exception.causes.clone());
            self.tags.push_rare("exception.stacktrace", causes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_in_use_is_not_given_out_twice() {
        Scratch::with(|outer| {
            outer.tags.push_bool("outer", true);
            Scratch::with(|inner| {
                assert!(inner.is_empty());
                inner.tags.push_bool("inner", true);
            });
            assert!(!outer.is_empty());
        });
        Scratch::with(|next| assert!(next.is_empty()));
    }
}
