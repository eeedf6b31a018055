//! Reading the fields of spans and events.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use tracing::field::{Field, Visit};

use super::scratch::{Exception, Scratch, Special};
use crate::kit::error_text;
use crate::model::{SpanKind, TagValue};
use crate::trace::store::Place;

/// Reads fields into a scratch. What is special about them depends on whose they are.
pub(super) struct Fields<'s, O: Owner> {
    scratch: &'s mut Scratch,
    /// How long a value may be.
    most: usize,
    owner: PhantomData<O>,
}

/// Whose fields they are. A type, so that each kind of fields has a reader of its own.
pub(super) trait Owner {
    /// Whether the field `message` is what is said, and no field.
    const SPEAKS: bool;

    /// Whether a field means more than its value.
    fn is_special(name: &str) -> bool;

    /// Takes a text that may mean more; whether it is no field then.
    fn take(special: &mut Special, name: &str, text: &str, place: Place) -> bool;

    /// Whether a number is no field of the owner's own.
    fn is_foreign(_name: &str) -> bool {
        false
    }
}

/// The fields of a span.
pub(super) struct OfSpan;

impl Owner for OfSpan {
    const SPEAKS: bool = false;

    #[inline(always)]
    fn is_special(name: &str) -> bool {
        name.starts_with("otel.")
    }

    fn take(special: &mut Special, name: &str, text: &str, place: Place) -> bool {
        match name {
            "otel.name" => special.name = Some(place),
            "otel.kind" => match kind_of(text) {
                Some(kind) => special.kind = Some(kind),
                None => return false,
            },
            "otel.status_code" if text.eq_ignore_ascii_case("ok") => special.is_ok = Some(true),
            "otel.status_code" if text.eq_ignore_ascii_case("error") => special.is_ok = Some(false),
            "otel.status_code" => return text.eq_ignore_ascii_case("unset"),
            "otel.status_description" => special.description = Some(place),
            _ => return false,
        }
        true
    }
}

/// The fields of an event.
pub(super) struct OfEvent;

impl Owner for OfEvent {
    const SPEAKS: bool = true;

    #[inline(always)]
    fn is_special(name: &str) -> bool {
        name == "error"
    }

    fn take(special: &mut Special, _: &str, _: &str, place: Place) -> bool {
        special.description = Some(place);
        false
    }
}

/// The fields of an event that stands for a record of the `log` crate, which tell where that comes from.
pub(super) struct OfLogRecord;

impl Owner for OfLogRecord {
    const SPEAKS: bool = true;

    fn is_special(name: &str) -> bool {
        Self::is_foreign(name)
    }

    fn take(_: &mut Special, _: &str, _: &str, _: Place) -> bool {
        true
    }

    fn is_foreign(name: &str) -> bool {
        name.starts_with("log.")
    }
}

impl<'s, O: Owner> Fields<'s, O> {
    #[inline]
    pub(super) fn new(scratch: &'s mut Scratch, most: usize) -> Self {
        Self { scratch, most, owner: PhantomData }
    }

    /// Takes a text that may mean more.
    #[cold]
    fn special(&mut self, name: &'static str, text: Place) {
        let Scratch { tags, special, .. } = &mut *self.scratch;
        special.is_any = true;
        if !O::take(special, name, tags.text(text), text) {
            tags.push_place(name, text);
        }
    }

    #[inline(always)]
    fn text(&mut self, name: &'static str, text: Place) {
        if O::is_special(name) {
            self.special(name, text);
        } else {
            self.scratch.tags.push_place(name, text);
        }
    }

    /// Whether it is what an event says.
    #[inline(always)]
    fn is_message(name: &str) -> bool {
        O::SPEAKS && name == "message"
    }

    /// A number that does not fit.
    #[cold]
    fn number(&mut self, field: &Field, number: impl fmt::Display) {
        let text = self.scratch.tags.format(self.most, format_args!("{number}"));
        self.scratch.tags.push_place(field.name(), text);
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

impl<O: Owner> Visit for Fields<'_, O> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        let name = field.name();
        if Self::is_message(name) {
            self.scratch.special.message = Some(self.scratch.message.add_text(value, self.most));
        } else {
            let text = self.scratch.tags.add_text(value, self.most);
            self.text(name, text);
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = field.name();
        if Self::is_message(name) {
            let message = self.scratch.message.format(self.most, format_args!("{value:?}"));
            self.scratch.special.message = Some(message);
        } else {
            let text = self.scratch.tags.format(self.most, format_args!("{value:?}"));
            self.text(name, text);
        }
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.scratch.tags.push_i64(field.name(), value);
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(_) if O::is_foreign(field.name()) => {}
            Ok(value) => self.scratch.tags.push_i64(field.name(), value),
            Err(_) => self.number(field, value),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.number(field, value),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.number(field, value),
        }
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
        let Scratch { tags, special, .. } = &mut *self.scratch;
        let message = tags.format(self.most, format_args!("{error}"));
        let causes = error_text::causes(error, self.most);
        tags.push_place(field.name(), message);
        if !causes.is_empty() {
            let chain = TagValue::StringArray(causes.clone());
            tags.push_rare(format!("{}.chain", field.name()), chain);
        }
        let kind = error_text::known_type(error);
        special.is_any = true;
        special.exception = Some(Exception { message, kind, causes });
    }
}
