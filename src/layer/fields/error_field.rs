//! A field whose value is an error.

use std::error::Error;

use super::value_limit::ValueLimit;
use crate::kit::error_text;
use crate::layer::options::RecordingOptions;
use crate::model::{TagRef, TagValue};
use crate::trace::SpanMut;
use crate::trace::store::{ByteRange, PreparedTags};

/// A `dyn Error` that was recorded as a field: what the tags `exception.…` say of it.
#[derive(Debug)]
pub(super) struct ErrorField {
    pub(super) message: ByteRange,
    /// The error's type, where it is one of the standard library's.
    kind: Option<&'static str>,
    causes: Vec<String>,
}

impl ErrorField {
    /// Reads the error in the field `name`, and adds what it says as tags of the field's own name.
    pub(super) fn read(
        tags: &mut PreparedTags,
        name: &'static str,
        error: &(dyn Error + 'static),
        limit: ValueLimit,
    ) -> Self {
        let message = tags.format(limit.bytes(), format_args!("{error}"));
        let causes = error_text::causes(error, limit.bytes());
        tags.push_added(name, message);
        if !causes.is_empty() {
            let chain = TagValue::StringArray(causes.clone());
            tags.push_rare(format!("{name}.chain"), chain);
        }
        let kind = error_text::known_type(error);
        Self { message, kind, causes }
    }

    /// Adds the tags `exception.…` to the fields of an event.
    pub(super) fn push(&self, tags: &mut PreparedTags, options: &RecordingOptions) {
        tags.push_added("exception.message", self.message);
        if let Some(kind) = self.kind {
            tags.push_text("exception.type", kind, kind.len());
        }
        if options.stacktrace {
            let causes = TagValue::StringArray(self.causes.clone());
            tags.push_rare("exception.stacktrace", causes);
        }
    }

    /// Sets the tags `exception.…` of a span. `tags` is where the error was read to.
    pub(super) fn write(
        &self,
        span: &mut SpanMut<'_>,
        tags: &PreparedTags,
        options: &RecordingOptions,
    ) {
        span.set_tag("exception.message", TagRef::Str(tags.text(self.message)));
        if let Some(kind) = self.kind {
            span.set_tag("exception.type", TagRef::Str(kind));
        }
        if options.stacktrace {
            span.set_tag("exception.stacktrace", TagRef::StringArray(&self.causes));
        }
    }
}
