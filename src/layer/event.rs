//! Events become log entries of spans.

use tracing::{Event, Level, Metadata, span};
use tracing_log::NormalizeEvent;

use super::details;
use super::scratch::{Exception, Scratch};
use super::shared::Shared;
use super::visit::{Fields, OfEvent, OfLogRecord};
use crate::kit::guarded;
use crate::kit::own_work::{self, Asking};
use crate::model::{LogLevel, Status};
use crate::time::Tick;

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
        if self.counts_only(id, event.metadata()) {
            return;
        }
        Scratch::with(|scratch| {
            // Every callsite that stands for records of the `log` crate has this target.
            let may_be_log = event.metadata().target() == "log";
            let of_log = if may_be_log { event.normalized_metadata() } else { None };
            let metadata = of_log.as_ref().unwrap_or_else(|| event.metadata());
            details::before_event(scratch, metadata, &self.options);
            if of_log.is_some() {
                event.record(&mut Fields::<OfLogRecord>::new(scratch, most));
            } else {
                event.record(&mut Fields::<OfEvent>::new(scratch, most));
            }
            let said = self.read_errors(scratch, *metadata.level() == Level::ERROR);
            if self.options.location {
                details::location(scratch, metadata);
            }
            self.write_event(id, now, metadata, scratch, said);
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

    /// Counts an event, where events are counted, and says whether that is all.
    fn counts_only(&self, id: u64, metadata: &Metadata<'_>) -> bool {
        let Some(filter) = &self.options.counting_filter else { return false };
        let owner = std::ptr::from_ref(self).addr();
        // What a filter says itself is not put to it.
        if Asking::is_under_way(owner) {
            return false;
        }
        let is_hidden = {
            let _asking = Asking::begin(owner);
            guarded::call(|| !filter(metadata)).unwrap_or(false)
        };
        self.count_event(id, is_hidden && *metadata.level() == Level::ERROR);
        is_hidden
    }

    #[cold]
    fn count_event(&self, id: u64, is_error: bool) {
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
        let mut said = Said::default();
        if !special.is_any && !is_error {
            return said;
        }
        let (message, text) = (special.message, special.description);
        let exception = special.exception.take();
        let is_bare = message.is_none() && text.is_some();
        if is_bare && self.options.error_events {
            scratch.tags.take("error");
            if let Some(text) = text {
                scratch.tags.push_place("exception.message", text);
            }
            said.is_exception = true;
        }
        if is_error || (is_bare && self.options.error_status) {
            let exception = exception.as_ref().map(|exception| exception.message);
            let why = text.or(exception).map(|text| scratch.tags.text(text));
            let why = why.or_else(|| message.map(|message| scratch.message.text(message)));
            said.failure = Some(Status::error(why.unwrap_or_default().to_owned()));
            said.is_given = is_bare && self.options.error_status;
        }
        if let Some(exception) = exception {
            if self.options.error_fields {
                said.is_exception |= message.is_none();
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
        scratch: &Scratch,
        said: Said,
    ) {
        self.change(id, |span| {
            if said.failure.is_some() {
                span.rescue();
            }
            span.edit(|edit| {
                let message = scratch.special.message.map(|place| scratch.message.text(place));
                let instead = if said.is_exception { "exception" } else { metadata.name() };
                let log = edit.push_log(now, level_of(metadata), message.unwrap_or(instead));
                if let Some(log) = log
                    && !scratch.tags.is_empty()
                {
                    edit.set_fields(log, &scratch.tags);
                }
                if let Some(exception) = &said.exception {
                    scratch.write_exception(edit, exception, &self.options);
                }
                match said.failure {
                    Some(Status::Error { description }) if !said.is_given => {
                        edit.suggest_error(&description);
                    }
                    Some(status) => {
                        edit.set_status(status);
                    }
                    None => {}
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
    failure: Option<Status>,
    /// Its text is meant as the status. Otherwise what is known already stands.
    is_given: bool,
    /// What to say of the span as well.
    exception: Option<Exception>,
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
