//! What the subscriber tells the layer.

use tracing::subscriber::Subscriber;
use tracing::{Dispatch, Event, span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::after_close::{self, Ending};
use super::open::{Extras, Held, OpenSpan};
use super::timing::Timing;
use super::{TraceLayer, stack};
use crate::model::Link;

impl<S> Layer<S> for TraceLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.shared.set_dispatch(dispatch);
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let shared = &*self.shared;
        let metadata = attributes.metadata();
        let name = metadata.name();
        let known = if attributes.is_contextual() {
            shared.with_current(|parent| shared.child(parent, name))
        } else {
            attributes.parent().and_then(|parent| shared.child(parent.into_u64(), name))
        };
        let child = known.or_else(|| {
            if attributes.is_root() {
                return None;
            }
            // Its parent is not for this layer: the nearest of its ancestors that is.
            let ancestors = ctx.span(id)?.scope().skip(1);
            ancestors.into_iter().find_map(|span| shared.child(span.id().into_u64(), name))
        });
        let mut held = child.unwrap_or_else(|| shared.root(name));
        shared.describe(&mut held, metadata, attributes);
        let extras = if shared.options.needs_extras() { self.extras(&held) } else { None };
        let is_draft = matches!(held, Held::Draft(_));
        let forgotten = shared.table.insert(id.into_u64(), OpenSpan::new(held, metadata, extras));
        if let Some(span) = forgotten {
            // Its closing was never told, as it happens when a layer is exchanged.
            drop(Ending::of(span.into_held()));
        }
        if is_draft && shared.recorder().is_crowded() {
            shared.settle(id.into_u64(), None);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        self.shared.describe_more(id.into_u64(), values);
    }

    fn on_follows_from(&self, id: &span::Id, follows: &span::Id, _: Context<'_, S>) {
        if let Some(context) = self.shared.context(follows.into_u64()) {
            self.shared.edit(id.into_u64(), |edit| edit.add_link(Link::new(context)));
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.shared.record_event(event, || ctx.current_span().id().cloned());
    }

    #[inline]
    fn on_enter(&self, id: &span::Id, _: Context<'_, S>) {
        let shared = &*self.shared;
        stack::push(shared.key, id.into_u64(), |id| shared.table.has(id));
        if shared.options.inactivity {
            self.time(id, Timing::enter);
        }
    }

    #[inline]
    fn on_exit(&self, id: &span::Id, _: Context<'_, S>) {
        stack::pop(self.shared.key, id.into_u64());
        if self.shared.options.inactivity {
            self.time(id, Timing::exit);
        }
    }

    fn on_close(&self, id: span::Id, ctx: Context<'_, S>) {
        let Some(mut span) = self.shared.table.remove(id.into_u64()) else { return };
        span.write_extras();
        if let Some(ending) = Ending::of(span.into_held()) {
            after_close::wait(ending, &id, &ctx);
        }
    }
}

impl TraceLayer {
    fn time(&self, id: &span::Id, note: impl FnOnce(&mut Timing, crate::kit::Tick)) {
        self.shared.table.with(id.into_u64(), |span| {
            if let Some((now, _)) = span.moment()
                && let Some(timing) = span.extras().and_then(|extras| extras.timing.as_mut())
            {
                note(timing, now);
            }
        });
    }

    #[cold]
    fn extras(&self, held: &Held) -> Option<Box<Extras>> {
        let options = &self.shared.options;
        let (now, _) = held.moment()?;
        Some(Box::new(Extras {
            timing: options.inactivity.then(|| Timing::new(now)),
            events: options.counting_filter.is_some().then_some(0),
        }))
    }
}
