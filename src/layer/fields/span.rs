//! The fields of a span.

use tracing::Metadata;
use tracing::field::Visit;

use super::buffer::FieldBuffer;
use super::metadata;
use super::value_limit::ValueLimit;
use super::visitor::{FieldVisitor, SpanRules};
use crate::layer::options::RecordingOptions;
use crate::model::Status;
use crate::trace::SpanMut;

/// Reads what a span's callsite and thread say of it. They come before its fields, so that a field of
/// the same name wins.
pub(in crate::layer) fn read_span_metadata(
    buffer: &mut FieldBuffer,
    metadata: &Metadata<'_>,
    options: &RecordingOptions,
) {
    metadata::push_of_span(&mut buffer.tags, metadata, options);
}

/// Reads fields of a span. `record` is what hands them over: the attributes that it was created with, or
/// the values that were recorded later.
#[inline(always)]
pub(in crate::layer) fn read_span_fields(
    buffer: &mut FieldBuffer,
    limit: ValueLimit,
    record: impl FnOnce(&mut dyn Visit),
) {
    record(&mut FieldVisitor::<SpanRules>::new(buffer, limit));
}

/// Writes everything that was read of a span.
#[inline]
pub(in crate::layer) fn write_span_fields(
    buffer: &mut FieldBuffer,
    span: &mut SpanMut<'_>,
    options: &RecordingOptions,
) {
    if !buffer.tags.is_empty() {
        span.set_tags(&buffer.tags);
    }
    if buffer.special.is_any {
        write_special_fields(buffer, span, options);
    }
}

fn write_special_fields(
    buffer: &mut FieldBuffer,
    span: &mut SpanMut<'_>,
    options: &RecordingOptions,
) {
    let FieldBuffer { tags, special, .. } = buffer;
    if let Some(error) = special.error.take().filter(|_| options.error_fields) {
        error.write(span, tags, options);
    }
    if let Some(name) = special.name {
        span.set_name(tags.text(name).to_owned());
    }
    if let Some(kind) = special.kind {
        span.set_kind(kind);
    }
    if let Some(text) = special.description {
        span.set_status(Status::error(tags.text(text).to_owned()));
        return;
    }
    match special.is_ok {
        Some(true) => {
            span.set_status(Status::Ok);
        }
        Some(false) => span.fail(),
        None => {}
    }
}
