//! What `tracing` tells the traces and the logs.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Dispatch, Event, Metadata, span};
use tracing_core::span::Current;
use tracing_log::NormalizeEvent;

use super::SubscriberWithLogs;
use super::interest::{CallsiteInterest, LogInterest};
use super::last_answer;
use crate::layer::span_table::is_own;

impl<S: Subscriber> SubscriberWithLogs<S> {
    /// Asks who is interested in a callsite, and remembers it; what the logs said, too.
    #[inline(never)]
    pub(super) fn find_interest(
        &self,
        metadata: &'static Metadata<'static>,
    ) -> (CallsiteInterest, Interest) {
        let logs = self.logs.register_callsite(metadata);
        // Alone, the level of the logs would keep the macro from asking them.
        let is_beyond = |level: LevelFilter| *metadata.level() > level;
        let logs = if self.logs.max_level_hint().is_some_and(is_beyond) {
            Interest::never()
        } else {
            logs
        };
        let is_traced = self.traces.is_traced(metadata);
        let interest = CallsiteInterest { is_traced, logs: LogInterest::of(&logs) };
        self.interests.set(metadata, interest.to_note());
        (interest, logs)
    }

    /// Who is interested in an event. A record of the `log` crate was asked about under the name and the level that it
    /// has there, right before.
    fn interest_in_event(&self, event: &Event<'_>) -> CallsiteInterest {
        let metadata = event.metadata();
        if metadata.target() == "log" && event.is_log() {
            return last_answer::take();
        }
        self.interest_in(metadata)
    }

    #[inline(never)]
    fn new_logged_span(&self, attributes: &span::Attributes<'_>, is_traced: bool) -> span::Id {
        let parent = attributes.parent();
        let id = if parent.is_some_and(|parent| is_own(parent.into_u64())) {
            // The logs do not know the parent. Alone, they would have been told of none.
            let root = span::Attributes::new_root(attributes.metadata(), attributes.values());
            self.logs.new_span(&root)
        } else {
            self.logs.new_span(attributes)
        };
        if is_traced {
            self.traces.state.start_span_as(attributes, id.into_u64());
        }
        id
    }
}

impl<S: Subscriber> Subscriber for SubscriberWithLogs<S> {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.traces.on_register_dispatch(dispatch);
        self.logs.on_register_dispatch(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let (interest, logs) = self.find_interest(metadata);
        match interest {
            // Only what the logs do not want is disabled with its trace.
            CallsiteInterest { is_traced: true, logs: LogInterest::Never } => {
                self.traces.traced_interest()
            }
            CallsiteInterest { is_traced: true, .. } => Interest::always(),
            CallsiteInterest { is_traced: false, .. } => logs,
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_traced = self.traces.enabled(metadata);
        let known = self.interests.get(metadata).map(CallsiteInterest::from_note);
        let is_known_never = known.is_some_and(|known| known.logs == LogInterest::Never);
        let is_logged = !is_known_never && self.logs.enabled(metadata);
        let logs = if is_logged { LogInterest::Always } else { LogInterest::Never };
        last_answer::set(metadata, CallsiteInterest { is_traced, logs });
        is_traced || is_logged
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.traces.max_level_hint()?.max(self.logs.max_level_hint()?))
    }

    #[inline]
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let metadata = attributes.metadata();
        let interest = self.interest_in(metadata);
        if self.logs_want(interest, metadata) {
            return self.new_logged_span(attributes, interest.is_traced);
        }
        self.traces.new_span(attributes)
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        self.traces.record(id, values);
        if !is_own(id.into_u64()) {
            self.logs.record(id, values);
        }
    }

    fn record_follows_from(&self, id: &span::Id, follows: &span::Id) {
        self.traces.record_follows_from(id, follows);
        if !is_own(id.into_u64()) && !is_own(follows.into_u64()) {
            self.logs.record_follows_from(id, follows);
        }
    }

    fn event(&self, event: &Event<'_>) {
        let interest = self.interest_in_event(event);
        if interest.is_traced {
            self.traces.record_event(event, || self.logs.current_span().id().cloned());
        }
        if self.logs_want(interest, event.metadata()) && self.logs.event_enabled(event) {
            self.logs.event(event);
        }
    }

    #[inline]
    fn enter(&self, id: &span::Id) {
        self.traces.enter(id);
        if !is_own(id.into_u64()) {
            self.logs.enter(id);
        }
    }

    #[inline]
    fn exit(&self, id: &span::Id) {
        if !is_own(id.into_u64()) {
            self.logs.exit(id);
        }
        self.traces.exit(id);
    }

    #[inline]
    fn clone_span(&self, id: &span::Id) -> span::Id {
        if is_own(id.into_u64()) { self.traces.clone_span(id) } else { self.logs.clone_span(id) }
    }

    #[inline]
    fn try_close(&self, id: span::Id) -> bool {
        if is_own(id.into_u64()) {
            return self.traces.try_close(id);
        }
        let has_closed = self.logs.try_close(id.clone());
        if has_closed {
            let mut decision = None;
            self.traces.state.close(id.into_u64(), &mut decision);
            // Asks policies, where no lock is held and the registry has forgotten the span.
            drop(decision);
        }
        has_closed
    }

    fn current_span(&self) -> Current {
        match self.traces.state.entered_last() {
            // The traces may not have the innermost span, or the logs may not.
            Some(id) if !is_own(id) => self.logs.current_span(),
            _ => self.traces.current_span(),
        }
    }
}
