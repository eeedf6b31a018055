//! What is recorded of open spans: fields, events, measurements.

use std::thread;

use tracing::{Event, Level, Metadata, span};

use super::LayerState;
use crate::kit::reentrancy::{self, UserCallScope};
use crate::kit::{unwind_safe, unwinding};
use crate::layer::activity::ActivityTimer;
use crate::layer::current_spans;
use crate::layer::fields::{self, EventRecord, FieldBuffer, ValueLimit};
use crate::layer::open_span::WriteTerms;
use crate::model::Link;
use crate::record::bridge;
use crate::time::Tick;
use crate::trace::SpanMut;

impl LayerState {
    /// Writes into a span, if it is open.
    pub(in crate::layer) fn write(&self, id: u64, write: impl FnOnce(&mut SpanMut<'_>)) {
        self.with_span(id, |span| span.write(write));
    }

    /// Records what a new span says of itself, unless its `limit` says that nothing is kept.
    #[inline(always)]
    pub(super) fn record_attributes(
        &self,
        id: u64,
        limit: Option<ValueLimit>,
        attributes: &span::Attributes<'_>,
    ) {
        if let Some(limit) = limit
            && (!attributes.metadata().fields().is_empty() || !self.options.is_lean)
        {
            self.record_kept_attributes(id, limit, attributes);
        }
    }

    fn record_kept_attributes(
        &self,
        id: u64,
        limit: ValueLimit,
        attributes: &span::Attributes<'_>,
    ) {
        FieldBuffer::with(|buffer| {
            if !self.options.is_lean {
                fields::read_span_metadata(buffer, attributes.metadata(), &self.options);
                self.with_span(id, |span| span.start_measurements(&self.options));
            }
            fields::read_span_fields(buffer, limit, |visitor| attributes.record(visitor));
            self.write_fields(id, buffer);
        });
    }

    /// Records fields of a span that has started.
    pub(in crate::layer) fn record_values(&self, id: u64, values: &span::Record<'_>) {
        let limit = self.with_span(id, |span| span.value_limit()).flatten();
        let Some(limit) = limit else { return };
        FieldBuffer::with(|buffer| {
            fields::read_span_fields(buffer, limit, |visitor| values.record(visitor));
            self.write_fields(id, buffer);
        });
    }

    fn write_fields(&self, id: u64, buffer: &mut FieldBuffer) {
        if buffer.is_empty() {
            return;
        }
        self.with_span(id, |span| {
            if buffer.is_failure() {
                span.record_failed();
            }
            span.write(|span| fields::write_span_fields(buffer, span, &self.options));
        });
    }

    /// Records an event in the span it belongs to: its explicit parent, or the one that the thread is
    /// inside of. Where a filter hides that span from this layer, it is the nearest ancestor; an event
    /// without one belongs to no span. `registry_current` is what the registry takes the thread to be
    /// inside of.
    pub(in crate::layer) fn record_event(
        &self,
        event: &Event<'_>,
        registry_current: impl FnOnce() -> Option<span::Id>,
    ) {
        if reentrancy::is_own_thread() {
            return;
        }
        let Some((id, Some(terms))) = self.span_of(event, registry_current) else { return };
        match self.judge_event(event.metadata()) {
            EventFate::Recorded => {}
            EventFate::CountedAndRecorded => self.count_event(id, false),
            EventFate::OnlyCounted => {
                return self.count_event(id, *event.metadata().level() == Level::ERROR);
            }
        }
        FieldBuffer::with(|buffer| {
            let record = EventRecord::read(event, buffer, terms.limit, &self.options);
            self.write_event(id, record, terms.now, buffer);
        });
    }

    fn write_event(&self, id: u64, record: EventRecord, now: Tick, buffer: &mut FieldBuffer) {
        self.with_span(id, |span| {
            if record.is_failure(buffer) {
                span.record_failed();
            }
            span.write(|span| record.write(span, now, buffer, &self.options));
        });
    }

    /// The span an event belongs to, with what a write needs to know; without that its trace is not
    /// recorded.
    #[inline(always)]
    fn span_of(
        &self,
        event: &Event<'_>,
        registry_current: impl FnOnce() -> Option<span::Id>,
    ) -> Option<(u64, Option<WriteTerms>)> {
        // A look of its own, which is compiled into the caller.
        let find = |id| self.with_span(id, |span| span.write_terms()).map(|terms| (id, terms));
        let found = if event.is_contextual() { self.current.with_innermost(find) } else { None };
        found.or_else(|| self.span_further_out(event, registry_current))
    }

    #[inline(never)]
    fn span_further_out(
        &self,
        event: &Event<'_>,
        registry_current: impl FnOnce() -> Option<span::Id>,
    ) -> Option<(u64, Option<WriteTerms>)> {
        let find = |id| self.with_span(id, |span| span.write_terms()).map(|terms| (id, terms));
        if event.is_contextual() {
            let current = self.current.find_map(find);
            return current.or_else(|| find(self.nearest(&registry_current()?)?));
        }
        find(self.nearest(event.parent()?)?)
    }

    /// What becomes of an event. Asks the user's filter, if there is one.
    #[inline]
    fn judge_event(&self, metadata: &Metadata<'_>) -> EventFate {
        match &self.options.counting_filter {
            None => EventFate::Recorded,
            Some(filter) => self.ask_filter(&**filter, metadata),
        }
    }

    #[cold]
    fn ask_filter(
        &self,
        filter: &dyn Fn(&Metadata<'_>) -> bool,
        metadata: &Metadata<'_>,
    ) -> EventFate {
        let owner = std::ptr::from_ref(self).addr();
        // The filter is not asked about what it traces itself: it would not come to an end.
        if UserCallScope::is_inside(owner) {
            return EventFate::Recorded;
        }
        let _asking = UserCallScope::enter(owner);
        // A filter that panics has said nothing against the event.
        match unwind_safe::call(|| filter(metadata)) {
            Some(false) => EventFate::OnlyCounted,
            Some(true) | None => EventFate::CountedAndRecorded,
        }
    }

    /// Counts an event of a span; `is_failure` says whether it makes the span an error.
    #[cold]
    fn count_event(&self, id: u64, is_failure: bool) {
        self.with_span(id, |span| {
            if let Some(events) = span.measurements().and_then(|all| all.events.as_mut()) {
                *events = events.saturating_add(1);
            }
            if is_failure {
                span.record_failed();
                span.write(|span| {
                    span.fail();
                    span.mark_failed();
                });
            }
        });
    }

    /// Links a span to one that it follows from, if that is open.
    pub(in crate::layer) fn follow(&self, id: &span::Id, follows: &span::Id) {
        if let Some(context) = self.context(follows.into_u64()) {
            self.write(id.into_u64(), |span| {
                span.add_link(Link::new(context));
            });
        }
    }

    /// Notes that the thread entered a span, wherever that is to be known.
    // What is rare is called last, and a panic is noted without what is known here: the rest has no registers to save.
    #[inline]
    pub(in crate::layer) fn enter_noted(&self, id: u64) {
        if bridge::is_entering_noted() || !self.current.push_inline(id) {
            return self.enter_slowly(id);
        }
        if thread::panicking() {
            current_spans::note_unwinding();
        }
    }

    #[cold]
    fn enter_slowly(&self, id: u64) {
        self.current.push(id, |id| self.contains(id));
        unwinding::enter(self.current.key().number(), id);
        if bridge::is_entering_noted() {
            self.note_entered(id);
        }
    }

    /// Notes that the thread exited a span, wherever that is to be known.
    #[inline]
    pub(in crate::layer) fn exit_noted(&self, id: u64) {
        if bridge::is_entering_noted() || !self.current.pop_innermost(id) {
            return self.exit_slowly(id);
        }
        if unwinding::exit(self.current.key().number(), id) {
            self.fail_by_panic(id);
        }
    }

    #[cold]
    fn exit_slowly(&self, id: u64) {
        self.current.pop(id);
        if unwinding::exit(self.current.key().number(), id) {
            self.fail_by_panic(id);
        }
        if bridge::is_entering_noted() {
            self.note_exited(id);
        }
    }

    /// Notes that the thread has entered a span.
    #[cold]
    fn note_entered(&self, id: u64) {
        if self.options.inactivity {
            self.note_activity(id, ActivityTimer::on_enter);
        }
        if bridge::is_installed() {
            self.show_entered(id);
        }
    }

    /// Notes that the thread has exited a span.
    #[cold]
    fn note_exited(&self, id: u64) {
        if bridge::is_installed() {
            self.show_exited(id);
        }
        if self.options.inactivity {
            self.note_activity(id, ActivityTimer::on_exit);
        }
    }

    /// Notes in a span's measurements that a thread entered or exited it.
    fn note_activity(&self, id: u64, note: impl FnOnce(&mut ActivityTimer, Tick)) {
        self.with_span(id, |span| {
            if let Some(WriteTerms { now, .. }) = span.write_terms()
                && let Some(timer) = span.measurements().and_then(|all| all.activity.as_mut())
            {
                note(timer, now);
            }
        });
    }
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EventFate {
    Recorded,
    CountedAndRecorded,
    OnlyCounted,
}
