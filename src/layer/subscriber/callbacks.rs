//! What `tracing` tells the subscriber.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Dispatch, Event, Metadata, span};
use tracing_core::span::Current;

use super::TraceSubscriber;

impl Subscriber for TraceSubscriber {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.state.set_dispatch(dispatch);
        self.state.blind_spots.look(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.is_traced(metadata) { self.traced_interest() } else { Interest::never() }
    }

    #[inline]
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.is_enabled_now(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.filter.max_level()
    }

    #[inline]
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        if let Some(disabling) = &self.disabling {
            disabling.note_parent(attributes.metadata(), attributes.is_contextual());
        }
        span::Id::from_non_zero_u64(self.state.start_own_span(attributes))
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        self.state.record_values(id.into_u64(), values);
    }

    fn record_follows_from(&self, id: &span::Id, follows: &span::Id) {
        self.state.follow(id, follows);
    }

    fn event(&self, event: &Event<'_>) {
        self.record_event(event, || None);
    }

    #[inline]
    fn enter(&self, id: &span::Id) {
        self.state.enter_noted(id.into_u64());
    }

    #[inline]
    fn exit(&self, id: &span::Id) {
        self.state.exit_noted(id.into_u64());
    }

    #[inline]
    fn clone_span(&self, id: &span::Id) -> span::Id {
        self.state.add_handle(id.into_u64());
        id.clone()
    }

    #[inline]
    fn try_close(&self, id: span::Id) -> bool {
        // Where it goes, no lock is held and the span is gone: it asks policies then.
        let mut decision = None;
        self.state.remove_handle(id.into_u64(), &mut decision)
    }

    fn current_span(&self) -> Current {
        self.state.innermost_span().unwrap_or_else(Current::none)
    }
}
