//! Events become log entries of spans.

use tracing::{Event, Level, Metadata, span};
use tracing_log::NormalizeEvent;

use super::details;
use super::scratch::{Place, Scratch, Value};
use super::shared::Shared;
use super::visit::{Fields, Of};
use crate::kit::own_work::{self, Asking};
use crate::kit::{Tick, guarded};
use crate::model::{LogLevel, Status};

impl Shared {
    /// Records an event in the span it belongs to: its explicit parent, or the one the thread is inside
    /// of; where a filter hides that from this layer, its nearest ancestor. Without one it is no span's.
    /// `entered` says what the registry takes the thread to be inside of.
    pub(super) fn record_event(
        &self,
        event: &Event<'_>,
        entered: impl FnOnce() -> Option<span::Id>,
    ) {
        if own_work::is_own_thread() {
            return;
        }
        let Some((id, Some((now, most)))) = self.span_of(event, entered) else { return };
        if self.counts_only(event.metadata()) {
            return self.count_event(id, event.metadata());
        }
        Scratch::with(|scratch| {
            let of_log = event.normalized_metadata();
            let metadata = of_log.as_ref().unwrap_or_else(|| event.metadata());
            details::before_event(scratch, metadata, &self.options);
            let of = if of_log.is_some() { Of::LogRecord } else { Of::Event };
            event.record(&mut Fields::new(scratch, most, of));
            let said = self.read_errors(scratch, *metadata.level() == Level::ERROR);
            if self.options.location {
                details::location(scratch, metadata);
            }
            self.write_event(id, now, metadata, scratch, &said);
        });
    }

    /// The span an event belongs to, with the moment and the length a value may have; without them its
    /// trace is not recorded.
    #[inline]
    fn span_of(
        &self,
        event: &Event<'_>,
        entered: impl FnOnce() -> Option<span::Id>,
    ) -> Option<(u64, Option<(Tick, usize)>)> {
        let find = |id| self.table.with(id, |span| span.moment()).map(|moment| (id, moment));
        if event.is_contextual() {
            return self.with_current(find).or_else(|| find(self.nearest(&entered()?)?));
        }
        find(self.nearest(event.parent()?)?)
    }

    fn counts_only(&self, metadata: &Metadata<'_>) -> bool {
        let Some(filter) = &self.options.counting_filter else { return false };
        let owner = std::ptr::from_ref(self).addr();
        // What a filter says itself is not put to it.
        if Asking::is_under_way(owner) {
            return false;
        }
        let _asking = Asking::begin(owner);
        guarded::call(|| !filter(metadata)).unwrap_or(false)
    }

    #[cold]
    fn count_event(&self, id: u64, metadata: &Metadata<'_>) {
        let is_error = *metadata.level() == Level::ERROR;
        self.table.with(id, |span| {
            if let Some(events) = span.extras().and_then(|extras| extras.events.as_mut()) {
                *events = events.saturating_add(1);
            }
            if is_error {
                span.rescue();
                span.edit(|edit| edit.fail());
            }
        });
    }

    /// Finds out what an event says about errors.
    #[inline]
    fn read_errors(&self, scratch: &mut Scratch, is_error: bool) -> Said {
        let special = &mut scratch.special;
        let (message, text) = (special.name, special.description);
        let exception = special.exception.take();
        let mut said = Said { failure: None, ..Said::default() };
        if text.is_none() && exception.is_none() && !is_error {
            return said;
        }
        let is_bare = message.is_none() && text.is_some();
        if is_bare && self.options.error_events {
            scratch.take("error");
            if let Some(text) = text {
                scratch.push("exception.message", Value::Text(text));
            }
            said.is_exception = true;
        }
        if is_error || (is_bare && self.options.error_status) {
            let exception = exception.as_ref().map(|exception| exception.message);
            said.failure = Some(text.or(exception).or(message));
        }
        if let Some(exception) = exception {
            said.is_exception |= message.is_none();
            if self.options.error_fields {
                scratch.push_exception(&exception, &self.options);
            }
            said.exception = self.options.error_records.then_some(exception);
        }
        said
    }

    fn write_event(
        &self,
        id: u64,
        now: Tick,
        metadata: &Metadata<'_>,
        scratch: &mut Scratch,
        said: &Said,
    ) {
        let status = said.failure.map(|text| {
            Status::error(text.map_or_else(String::new, |text| scratch.text(text).to_owned()))
        });
        self.table.with(id, |span| {
            if status.is_some() {
                span.rescue();
            }
            span.edit(|edit| {
                let message = scratch.special.name.map(|place| scratch.text(place));
                let instead = if said.is_exception { "exception" } else { metadata.name() };
                let log = edit.log(now, level_of(metadata), message.unwrap_or(instead));
                if let Some(log) = log {
                    scratch.write_fields(edit, log);
                }
                if let Some(exception) = &said.exception {
                    scratch.write_exception(edit, exception, &self.options);
                }
                if let Some(status) = status {
                    edit.set_status(status);
                }
            })
        });
    }
}

/// What an event says about errors.
#[derive(Debug, Default)]
struct Said {
    /// It has no words of its own but an error.
    is_exception: bool,
    /// The span failed, and why.
    failure: Option<Option<Place>>,
    /// What to say of the span as well.
    exception: Option<super::scratch::Exception>,
}

fn level_of(metadata: &Metadata<'_>) -> LogLevel {
    match *metadata.level() {
        Level::TRACE => LogLevel::Trace,
        Level::DEBUG => LogLevel::Debug,
        Level::INFO => LogLevel::Info,
        Level::WARN => LogLevel::Warn,
        Level::ERROR => LogLevel::Error,
    }
}
