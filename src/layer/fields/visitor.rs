//! Reading the fields of spans and events.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use tracing::field::{Field, Visit};

use super::buffer::{FieldBuffer, SpecialFields};
use super::error_field::ErrorField;
use super::value_limit::ValueLimit;
use crate::model::{SpanKind, TagValue};
use crate::trace::store::ByteRange;

/// Reads fields into a buffer. `R` says which of them mean more than a tag.
pub(super) struct FieldVisitor<'b, R: FieldRules> {
    buffer: &'b mut FieldBuffer,
    limit: ValueLimit,
    rules: PhantomData<R>,
}

/// Which fields mean more than a tag. A type, so that spans, events and log records each have a visitor
/// of their own, with no comparison that only another one needs.
pub(super) trait FieldRules {
    /// Whether the field `message` is the text of a log entry, and no tag.
    const HAS_MESSAGE: bool;

    /// Whether a text in this field may mean more than a tag.
    fn is_special(name: &str) -> bool;

    /// Reads a text that may mean more, and says whether it is a tag all the same.
    fn read_special(
        special: &mut SpecialFields,
        name: &str,
        text: &str,
        place: ByteRange,
    ) -> SpecialText;

    /// Whether a number in this field is left out.
    fn is_left_out(_name: &str) -> bool {
        false
    }
}

/// What becomes of a text in a special field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpecialText {
    /// The rules took it: it is no tag.
    Taken,
    /// It is a tag.
    Tag,
}

/// The rules for the fields of a span.
pub(super) struct SpanRules;

impl FieldRules for SpanRules {
    const HAS_MESSAGE: bool = false;

    #[inline(always)]
    fn is_special(name: &str) -> bool {
        name.starts_with("otel.")
    }

    fn read_special(
        special: &mut SpecialFields,
        name: &str,
        text: &str,
        place: ByteRange,
    ) -> SpecialText {
        match name {
            "otel.name" => special.name = Some(place),
            "otel.kind" => match span_kind(text) {
                Some(kind) => special.kind = Some(kind),
                None => return SpecialText::Tag,
            },
            "otel.status_code" if text.eq_ignore_ascii_case("ok") => special.is_ok = Some(true),
            "otel.status_code" if text.eq_ignore_ascii_case("error") => special.is_ok = Some(false),
            "otel.status_code" if text.eq_ignore_ascii_case("unset") => {}
            "otel.status_description" => special.description = Some(place),
            // A misspelt value stays visible as a tag.
            _ => return SpecialText::Tag,
        }
        SpecialText::Taken
    }
}

/// The rules for the fields of an event.
pub(super) struct EventRules;

impl FieldRules for EventRules {
    const HAS_MESSAGE: bool = true;

    #[inline(always)]
    fn is_special(name: &str) -> bool {
        name == "error"
    }

    fn read_special(
        special: &mut SpecialFields,
        _: &str,
        _: &str,
        place: ByteRange,
    ) -> SpecialText {
        special.description = Some(place);
        SpecialText::Tag
    }
}

/// The rules for the fields of an event that stands for a record of the `log` crate. Those called
/// `log.…` tell where the record comes from, which its metadata say too.
pub(super) struct LogRecordRules;

impl FieldRules for LogRecordRules {
    const HAS_MESSAGE: bool = true;

    fn is_special(name: &str) -> bool {
        Self::is_left_out(name)
    }

    fn read_special(_: &mut SpecialFields, _: &str, _: &str, _: ByteRange) -> SpecialText {
        SpecialText::Taken
    }

    fn is_left_out(name: &str) -> bool {
        name.starts_with("log.")
    }
}

impl<'b, R: FieldRules> FieldVisitor<'b, R> {
    #[inline]
    pub(super) fn new(buffer: &'b mut FieldBuffer, limit: ValueLimit) -> Self {
        Self { buffer, limit, rules: PhantomData }
    }

    #[cold]
    fn push_special(&mut self, name: &'static str, text: ByteRange) {
        let FieldBuffer { tags, special, .. } = &mut *self.buffer;
        special.is_any = true;
        if R::read_special(special, name, tags.text(text), text) == SpecialText::Tag {
            tags.push_added(name, text);
        }
    }

    #[inline(always)]
    fn push_text(&mut self, name: &'static str, text: ByteRange) {
        if R::is_special(name) {
            self.push_special(name, text);
        } else {
            self.buffer.tags.push_added(name, text);
        }
    }

    #[inline(always)]
    fn is_message(name: &str) -> bool {
        R::HAS_MESSAGE && name == "message"
    }

    /// Adds a number beyond `i64` as a text.
    #[cold]
    fn push_large_number(&mut self, field: &Field, number: impl fmt::Display) {
        let text = self.buffer.tags.format(self.limit.bytes(), format_args!("{number}"));
        self.buffer.tags.push_added(field.name(), text);
    }
}

fn span_kind(text: &str) -> Option<SpanKind> {
    let kinds = [
        ("server", SpanKind::Server),
        ("client", SpanKind::Client),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
        ("internal", SpanKind::Internal),
    ];
    kinds.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, kind)| kind)
}

impl<R: FieldRules> Visit for FieldVisitor<'_, R> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        let name = field.name();
        if Self::is_message(name) {
            self.buffer.special.message =
                Some(self.buffer.message.add_text(value, self.limit.bytes()));
        } else {
            let text = self.buffer.tags.add_text(value, self.limit.bytes());
            self.push_text(name, text);
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = field.name();
        if Self::is_message(name) {
            let message = self.buffer.message.format(self.limit.bytes(), format_args!("{value:?}"));
            self.buffer.special.message = Some(message);
        } else {
            let text = self.buffer.tags.format(self.limit.bytes(), format_args!("{value:?}"));
            self.push_text(name, text);
        }
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.buffer.tags.push_i64(field.name(), value);
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(_) if R::is_left_out(field.name()) => {}
            Ok(value) => self.buffer.tags.push_i64(field.name(), value),
            Err(_) => self.push_large_number(field, value),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.push_large_number(field, value),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.push_large_number(field, value),
        }
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.buffer.tags.push_f64(field.name(), value);
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.buffer.tags.push_bool(field.name(), value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        // A byte more than fits shows the recorder that something was cut.
        let bytes = value.get(..self.limit.bytes().saturating_add(1)).unwrap_or(value);
        self.buffer.tags.push_rare(field.name(), TagValue::Bytes(bytes.to_owned()));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let FieldBuffer { tags, special, .. } = &mut *self.buffer;
        let error = ErrorField::read(tags, field.name(), error, self.limit);
        special.is_any = true;
        special.error = Some(error);
    }
}
