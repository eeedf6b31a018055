//! Where the fields of a span or an event stand between reading and writing them.

use std::cell::RefCell;

use super::error_field::ErrorField;
use super::event_errors::EventErrors;
use crate::model::SpanKind;
use crate::trace::store::{ByteRange, PreparedTags};

/// A buffer that has grown beyond this many bytes gives its memory back.
const MAX_KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    static THREAD_BUFFER: RefCell<FieldBuffer> = RefCell::default();
}

/// What was read from the fields of one span or event.
///
/// Reading fields runs user code (`Debug`, `Display`), so it happens before any lock is taken; what was
/// read waits here, in memory that the thread uses again for its next span or event.
#[derive(Debug, Default)]
pub(in crate::layer) struct FieldBuffer {
    pub(super) tags: PreparedTags,
    /// The message of an event. It stands apart from the tags, because those are copied as a whole.
    pub(super) message: PreparedTags,
    pub(super) special: SpecialFields,
}

/// Fields that mean more than a tag.
#[derive(Debug, Default)]
pub(super) struct SpecialFields {
    /// Whether any field below but `message` was read.
    pub(super) is_any: bool,
    /// `message` of an event.
    pub(super) message: Option<ByteRange>,
    /// `otel.name` of a span.
    pub(super) name: Option<ByteRange>,
    /// `otel.kind` of a span.
    pub(super) kind: Option<SpanKind>,
    /// Whether `otel.status_code` of a span is `ok`; otherwise it is `error`.
    pub(super) is_ok: Option<bool>,
    /// `otel.status_description` of a span, or the field `error` of an event.
    pub(super) description: Option<ByteRange>,
    /// A field with a `dyn Error` as its value.
    pub(super) error: Option<ErrorField>,
    /// What an event says about errors, once all its fields were read.
    pub(super) errors: Option<EventErrors>,
}

impl SpecialFields {
    #[inline(always)]
    pub(super) fn errors(&self) -> Option<&EventErrors> {
        if self.is_any { self.errors.as_ref() } else { None }
    }
}

impl FieldBuffer {
    /// Runs `work` with the thread's buffer.
    ///
    /// It runs with a new buffer where the thread's is in use, because the `Debug` of a field may trace
    /// itself, and where the thread is ending and its buffer is gone.
    #[inline]
    pub(in crate::layer) fn with(mut work: impl FnMut(&mut Self)) {
        let is_done = THREAD_BUFFER.try_with(|buffer| {
            let Ok(mut buffer) = buffer.try_borrow_mut() else { return false };
            debug_assert!(buffer.is_empty(), "a buffer is cleared after each use");
            work(&mut buffer);
            buffer.clear();
            true
        });
        if !is_done.unwrap_or(false) {
            work(&mut Self::default());
        }
    }

    #[inline]
    fn clear(&mut self) {
        self.tags.clear(MAX_KEPT_BYTES);
        if self.special.message.take().is_some() {
            self.message.clear(MAX_KEPT_BYTES);
        }
        if self.special.is_any {
            self.special = SpecialFields::default();
        }
    }

    pub(in crate::layer) fn is_empty(&self) -> bool {
        self.tags.is_empty() && !self.special.is_any
    }

    /// Whether the fields of a span say that it has failed.
    #[inline]
    pub(in crate::layer) fn is_failure(&self) -> bool {
        self.special.description.is_some() || self.special.is_ok == Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_in_use_is_not_given_out_twice() {
        FieldBuffer::with(|outer| {
            outer.tags.push_bool("outer", true);
            FieldBuffer::with(|inner| {
                assert!(inner.is_empty());
                inner.tags.push_bool("inner", true);
            });
            assert!(!outer.is_empty());
        });
        FieldBuffer::with(|next| assert!(next.is_empty()));
    }
}
