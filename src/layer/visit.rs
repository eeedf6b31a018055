//! Reading the fields of spans and events.

use std::error::Error;
use std::fmt;

use tracing::field::{Field, Visit};

use super::scratch::{Exception, Place, Scratch, Value};
use crate::kit::error_text;
use crate::model::SpanKind;

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
            Of::Event => name == "message" || name == "error",
            Of::LogRecord => name == "message" || name.starts_with("log."),
        }
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
            (Of::Span, "otel.kind") => match kind_of(scratch.text(text)) {
                Some(kind) => {
                    scratch.special.kind = Some(kind);
                    true
                }
                None => false,
            },
            (Of::Span, "otel.status_code") => {
                let code = scratch.text(text);
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
            (Of::Event | Of::LogRecord, "message") => {
                scratch.special.name = Some(text);
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
            scratch.push(field.name(), Value::Text(text));
        }
    }

    #[inline]
    fn text(&mut self, field: &Field, text: Place) {
        if self.is_special(field.name()) {
            self.special(field, text);
        } else {
            self.scratch.push(field.name(), Value::Text(text));
        }
    }

    /// A number that may not fit.
    fn number(&mut self, field: &Field, fitting: Option<i64>, number: impl fmt::Display) {
        match fitting {
            Some(number) => self.scratch.push(field.name(), Value::I64(number)),
            None => {
                let text = self.scratch.format(self.most, format_args!("{number}"));
                self.scratch.push(field.name(), Value::Text(text));
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
        let text = self.scratch.add_text(value, self.most);
        self.text(field, text);
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = self.scratch.format(self.most, format_args!("{value:?}"));
        self.text(field, text);
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.scratch.push(field.name(), Value::I64(value));
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
        self.scratch.push(field.name(), Value::F64(value));
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.scratch.push(field.name(), Value::Bool(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let bytes = self.scratch.add_bytes(value, self.most);
        self.scratch.push(field.name(), Value::Bytes(bytes));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let message = self.scratch.format(self.most, format_args!("{error}"));
        let causes = error_text::causes(error, self.most);
        self.scratch.push(field.name(), Value::Text(message));
        if !causes.is_empty() {
            self.scratch.push(format!("{}.chain", field.name()), Value::Texts(causes.clone()));
        }
        let kind = error_text::known_type(error);
        self.scratch.special.exception = Some(Exception { message, kind, causes });
    }
}
