//! Reading the fields of spans and events.

use std::error::Error;
use std::fmt;

use tracing::field::{Field, Visit};

use super::scratch::{Exception, Scratch};
use crate::kit::error_text;
use crate::model::store::Place;
use crate::model::{SpanKind, TagValue};

/// Reads fields into a scratch.
pub(super) struct Fields<'s> {
    scratch: &'s mut Scratch,
    /// How long a value may be.
    most: usize,
    of: Of,
}

/// Whose fields they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Span,
    Event,
    /// An event that stands for a record of the `log` crate, whose place is told by fields.
    LogRecord,
}

impl<'s> Fields<'s> {
    pub(super) fn new(scratch: &'s mut Scratch, most: usize, of: Of) -> Self {
        Self { scratch, most, of }
    }

    /// Whether a field means more than its value. Its value is text.
    #[inline]
    fn is_special(&self, name: &str) -> bool {
        match self.of {
            Of::Span => name.starts_with("otel."),
            Of::Event => name == "error",
            Of::LogRecord => name.starts_with("log."),
        }
    }

    /// Whether it is what an event says.
    #[inline]
    fn is_message(&self, field: &Field) -> bool {
        self.of != Of::Span && field.name() == "message"
    }

    /// Takes a text that may mean more.
    #[cold]
    fn special(&mut self, field: &Field, text: Place) {
        let Self { scratch, .. } = self;
        let found = match (self.of, field.name()) {
            (Of::Span, "otel.name") => {
                scratch.special.name = Some(text);
                true
            }
            (Of::Span, "otel.kind") => match kind_of(scratch.tags.text(text)) {
                Some(kind) => {
                    scratch.special.kind = Some(kind);
                    true
                }
                None => false,
            },
            (Of::Span, "otel.status_code") => {
                let code = scratch.tags.text(text);
                if code.eq_ignore_ascii_case("ok") {
                    scratch.special.is_ok = Some(true);
                    true
                } else if code.eq_ignore_ascii_case("error") {
                    scratch.special.is_ok = Some(false);
                    true
                } else {
                    code.eq_ignore_ascii_case("unset")
                }
            }
            (Of::Span, "otel.status_description") => {
                scratch.special.description = Some(text);
                true
            }
            (Of::Event, "error") => {
                scratch.special.description = Some(text);
                false
            }
            // Where a record of the `log` crate comes from is told by its own metadata.
            (Of::LogRecord, name) => name.starts_with("log."),
            _ => false,
        };
        if !found {
            scratch.tags.push_place(field.name(), text);
        }
    }

    #[inline]
    fn text(&mut self, field: &Field, text: Place) {
        if self.is_special(field.name()) {
            self.special(field, text);
        } else {
            self.scratch.tags.push_place(field.name(), text);
        }
    }

    /// A number that may not fit.
    fn number(&mut self, field: &Field, fitting: Option<i64>, number: impl fmt::Display) {
        match fitting {
            Some(number) => self.scratch.tags.push_i64(field.name(), number),
            None => {
                let text = self.scratch.tags.format(self.most, format_args!("{number}"));
                self.scratch.tags.push_place(field.name(), text);
            }
        }
    }
}

fn kind_of(text: &str) -> Option<SpanKind> {
    let kinds = [
        ("server", SpanKind::Server),
        ("client", SpanKind::Client),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
        ("internal", SpanKind::Internal),
    ];
    kinds.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, kind)| kind)
}

impl Visit for Fields<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.is_message(field) {
            self.scratch.special.name = Some(self.scratch.message.add_text(value, self.most));
        } else {
            let text = self.scratch.tags.add_text(value, self.most);
            self.text(field, text);
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.is_message(field) {
            let message = self.scratch.message.format(self.most, format_args!("{value:?}"));
            self.scratch.special.name = Some(message);
        } else {
            let text = self.scratch.tags.format(self.most, format_args!("{value:?}"));
            self.text(field, text);
        }
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.scratch.tags.push_i64(field.name(), value);
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        // The `log` crate's line number is no field of the event's own.
        if self.of == Of::LogRecord && field.name().starts_with("log.") {
            return;
        }
        self.number(field, i64::try_from(value).ok(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.number(field, i64::try_from(value).ok(), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.number(field, i64::try_from(value).ok(), value);
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.scratch.tags.push_f64(field.name(), value);
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.scratch.tags.push_bool(field.name(), value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        // A byte more than fits shows the recorder that something was cut.
        let bytes = value.get(..self.most.saturating_add(1)).unwrap_or(value);
        self.scratch.tags.push_rare(field.name(), TagValue::Bytes(bytes.to_owned()));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let message = self.scratch.tags.format(self.most, format_args!("{error}"));
        let causes = error_text::causes(error, self.most);
        self.scratch.tags.push_place(field.name(), message);
        if !causes.is_empty() {
            let chain = TagValue::StringArray(causes.clone());
            self.scratch.tags.push_rare(format!("{}.chain", field.name()), chain);
        }
        let kind = error_text::known_type(error);
        self.scratch.special.exception = Some(Exception { message, kind, causes });
    }
}
