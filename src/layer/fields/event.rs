//! Events become log entries of spans.

use tracing::{Event, Level};
use tracing_log::NormalizeEvent;

use super::buffer::FieldBuffer;
use super::event_errors::EventErrors;
use super::metadata;
use super::value_limit::ValueLimit;
use super::visitor::{EventRules, FieldVisitor, LogRecordRules};
use crate::layer::options::RecordingOptions;
use crate::model::{LogLevel, Status};
use crate::time::Tick;
use crate::trace::SpanMut;

/// An event whose fields have been read into a buffer: what remains to be said of it and of its span, but for what
/// it says about errors, which stands in the buffer too.
#[derive(Clone, Copy, Debug)]
pub(in crate::layer) struct EventRecord {
    name: &'static str,
    level: LogLevel,
}

impl EventRecord {
    /// Reads an event into an empty buffer. Runs user code.
    pub(in crate::layer) fn read(
        event: &Event<'_>,
        buffer: &mut FieldBuffer,
        limit: ValueLimit,
        options: &RecordingOptions,
    ) -> Self {
        // Every callsite that stands for records of the `log` crate has this target. Asking for the
        // normalized metadata of any other event would cost a walk over its fields.
        let may_be_log_record = event.metadata().target() == "log";
        let of_log_record = if may_be_log_record { event.normalized_metadata() } else { None };
        let metadata = of_log_record.as_ref().unwrap_or_else(|| event.metadata());
        metadata::push_of_event(&mut buffer.tags, metadata, options);
        if of_log_record.is_some() {
            event.record(&mut FieldVisitor::<LogRecordRules>::new(buffer, limit));
        } else {
            event.record(&mut FieldVisitor::<EventRules>::new(buffer, limit));
        }
        let is_error = *metadata.level() == Level::ERROR;
        if buffer.special.is_any || is_error {
            EventErrors::read(buffer, is_error, options);
        }
        if options.location {
            metadata::push_location(&mut buffer.tags, metadata);
        }
        Self { name: metadata.name(), level: log_level(metadata.level()) }
    }

    /// Whether the event says that its span has failed.
    #[inline]
    pub(in crate::layer) fn is_failure(self, buffer: &FieldBuffer) -> bool {
        let has_status = |errors: &EventErrors| errors.status.is_some();
        self.level >= LogLevel::Error || buffer.special.errors().is_some_and(has_status)
    }

    /// Writes the event, whose fields stand in `buffer`, into its span. Runs no user code.
    #[inline]
    pub(in crate::layer) fn write(
        self,
        span: &mut SpanMut<'_>,
        time: Tick,
        buffer: &mut FieldBuffer,
        options: &RecordingOptions,
    ) {
        let message = buffer.special.message.map(|place| buffer.message.text(place));
        let is_exception = buffer.special.errors().is_some_and(|errors| errors.is_exception);
        let instead = if is_exception { "exception" } else { self.name };
        let log = span.push_log(time, self.level, message.unwrap_or(instead));
        if let Some(log) = log
            && !buffer.tags.is_empty()
        {
            span.set_fields(log, &buffer.tags);
        }
        if buffer.special.is_any
            && let Some(errors) = buffer.special.errors.take()
        {
            errors.write(span, buffer, options);
        }
    }
}

impl EventErrors {
    /// Writes what they say of the span.
    #[inline(never)]
    fn write(self, span: &mut SpanMut<'_>, buffer: &FieldBuffer, options: &RecordingOptions) {
        if let Some(error) = self.of_span {
            error.write(span, &buffer.tags, options);
        }
        match self.status {
            Some(Status::Error { description }) if !self.is_status_explicit => {
                span.suggest_error(&description);
            }
            Some(status) => {
                span.set_status(status);
            }
            None => {}
        }
    }

    /// Finds out what the fields in `buffer` say about errors, puts it there, and adds the tags `exception.…`.
    #[inline(never)]
    fn read(buffer: &mut FieldBuffer, is_error: bool, options: &RecordingOptions) {
        let FieldBuffer { tags, message: message_text, special } = buffer;
        let mut errors = Self::default();
        let message = special.message;
        let description = special.description;
        let error = special.error.take();
        // `#[instrument(err)]` makes such events: a field `error`, and no message.
        let is_bare = message.is_none() && description.is_some();
        if is_bare && options.error_events {
            tags.remove("error");
            if let Some(description) = description {
                tags.push_added("exception.message", description);
            }
            errors.is_exception = true;
        }
        if is_error || (is_bare && options.error_status) {
            let of_error = error.as_ref().map(|error| error.message);
            let why = description.or(of_error).map(|text| tags.text(text));
            let why = why.or_else(|| message.map(|message| message_text.text(message)));
            errors.status = Some(Status::error(why.unwrap_or_default().to_owned()));
            errors.is_status_explicit = is_bare && options.error_status;
        }
        if let Some(error) = error {
            if options.error_fields {
                errors.is_exception |= message.is_none();
                error.push(tags, options);
            }
            errors.of_span = options.error_records.then_some(error);
        }
        special.is_any = true;
        special.errors = Some(errors);
    }
}

fn log_level(level: &Level) -> LogLevel {
    match *level {
        Level::TRACE => LogLevel::Trace,
        Level::DEBUG => LogLevel::Debug,
        Level::INFO => LogLevel::Info,
        Level::WARN => LogLevel::Warn,
        Level::ERROR => LogLevel::Error,
    }
}
