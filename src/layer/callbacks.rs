//! What the subscriber tells the layer.

use tracing::subscriber::Subscriber;
use tracing::{Dispatch, Event, span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::after_close;
use super::incoming::{self, Role};
use super::table::Values;
use super::timing::Timing;
use super::{TraceLayer, stack};
use crate::model::Link;
use crate::record::neighbour;

impl<S> Layer<S> for TraceLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.shared.set_dispatch(dispatch);
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        if neighbour::is_there() && self.start_beside(attributes, id) {
            return;
        }
        let shared = &*self.shared;
        let (metadata, number) = (attributes.metadata(), id.into_u64());
        let child = if attributes.is_contextual() {
            shared.with_current(|parent| shared.adopt(parent, number, metadata))
        } else {
            attributes.parent().and_then(|parent| shared.adopt(parent.into_u64(), number, metadata))
        };
        let child = child.or_else(|| {
            if attributes.is_root() {
                return None;
            }
            // Its parent is not for this layer: the nearest of its ancestors that is.
            let ancestors = ctx.span(id)?.scope().skip(1);
            ancestors
                .into_iter()
                .find_map(|span| shared.adopt(span.id().into_u64(), number, metadata))
        });
        let is_root = child.is_none();
        let most = child.unwrap_or_else(|| shared.start_root(number, metadata));
        self.describe(number, most, attributes);
        if is_root {
            self.place_root(number, attributes.is_root());
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        self.shared.describe_more(id.into_u64(), values);
    }

    fn on_follows_from(&self, id: &span::Id, follows: &span::Id, _: Context<'_, S>) {
        if let Some(context) = self.shared.context(follows.into_u64()) {
            self.shared.edit(id.into_u64(), |edit| {
                edit.add_link(Link::new(context));
            });
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
        if neighbour::is_there() {
            self.shared.show_entered(id.into_u64());
        }
    }

    #[inline]
    fn on_exit(&self, id: &span::Id, _: Context<'_, S>) {
        stack::pop(self.shared.key, id.into_u64());
        if neighbour::is_there() {
            self.shared.show_left(id.into_u64());
        }
        if self.shared.options.inactivity {
            self.time(id, Timing::exit);
        }
    }

    fn on_close(&self, id: span::Id, ctx: Context<'_, S>) {
        let mut ending = None;
        self.shared.table.close(id.into_u64(), &mut ending);
        if let Some(ending) = ending {
            after_close::wait(ending, &id, &ctx);
        }
    }
}

impl TraceLayer {
    /// Reads a new span's fields, where they may be kept.
    #[inline(always)]
    pub(super) fn describe(&self, id: u64, most: Values, attributes: &span::Attributes<'_>) {
        let (shared, metadata) = (&*self.shared, attributes.metadata());
        if let Some(most) = most
            && (!metadata.fields().is_empty() || !shared.options.is_lean)
        {
            shared.describe(id, most, metadata, attributes);
        }
    }

    /// Puts a new root under the caller whose request it stands for, and makes room for it.
    fn place_root(&self, id: u64, is_explicit: bool) {
        let role = if is_explicit { Role::ParentOfRequest } else { Role::InsteadOfRequest };
        if let Some(caller) = incoming::caller(role) {
            self.shared.set_parent(id, &caller);
        }
        self.make_room(id);
    }

    /// Lets a new root be weighed against others, where there is no room for it.
    pub(super) fn make_room(&self, id: u64) {
        if self.shared.recorder().is_crowded() {
            self.shared.settle(id, None);
        }
    }

    fn time(&self, id: &span::Id, note: impl FnOnce(&mut Timing, crate::time::Tick)) {
        self.shared.table.with(id.into_u64(), |span| {
            if let Some((now, _)) = span.moment()
                && let Some(timing) = span.extras().and_then(|extras| extras.timing.as_mut())
            {
                note(timing, now);
            }
        });
    }
}
