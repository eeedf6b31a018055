//! What the registry tells the layer.

use tracing::subscriber::{Interest, Subscriber};
use tracing::{Dispatch, Event, Metadata, span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::close_extension;
use super::trace_layer::TraceLayer;
use crate::record::bridge;

impl<S> Layer<S> for TraceLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_layer(&mut self, _: &mut S) {
        self.state.blind_spots.look_below::<S>();
    }

    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.state.set_dispatch(dispatch);
        self.state.blind_spots.look(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.state.blind_spots.note(metadata);
        Interest::always()
    }

    #[inline(always)]
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let state = &*self.state;
        let number = id.into_u64();
        if bridge::is_installed() && state.start_in_foreign_context(attributes, number) {
            return;
        }
        state.start_span(attributes, number, || {
            // Most spans without a parent have no ancestor that a filter hides, which this finds out for less
            // than a look at the span costs.
            if attributes.is_contextual() && ctx.current_span().id().is_none() {
                return None;
            }
            let ancestors = ctx.span(id)?.scope().skip(1);
            ancestors.into_iter().find_map(|ancestor| {
                state.start_child(ancestor.id().into_u64(), number, attributes.metadata())
            })
        });
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        self.state.record_values(id.into_u64(), values);
    }

    fn on_follows_from(&self, id: &span::Id, follows: &span::Id, _: Context<'_, S>) {
        self.state.follow(id, follows);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.state.record_event(event, || ctx.current_span().id().cloned());
    }

    #[inline]
    fn on_enter(&self, id: &span::Id, _: Context<'_, S>) {
        self.state.enter_noted(id.into_u64());
    }

    #[inline]
    fn on_exit(&self, id: &span::Id, _: Context<'_, S>) {
        self.state.exit_noted(id.into_u64());
    }

    #[inline(always)]
    fn on_close(&self, id: span::Id, ctx: Context<'_, S>) {
        let mut decision = None;
        self.state.close(id.into_u64(), &mut decision);
        match decision {
            Some(decision) if decision.is_self_contained() => drop(decision),
            Some(decision) => close_extension::defer(decision, &id, &ctx),
            None => {}
        }
    }
}
