//! Spans of this layer in the contexts of a neighbour, and the other way round.
//!
//! A neighbour's contexts hold ids that anybody may read at any time, so a span that is shown there has
//! to be settled: its sampler is asked when it is entered.

use tracing::{Metadata, span};

use super::TraceLayer;
use super::open::Sight;
use super::shared::Shared;
use super::stack::LayerKey;
use super::table::Values;
use crate::record::neighbour::{Around, Neighbour, Place, neighbour};

impl LayerKey {
    fn place(self, span: u64) -> Place {
        Place { owner: self.number(), span }
    }
}

impl TraceLayer {
    /// Starts a new span where the neighbour knows better than the layer what it is in; false when that
    /// is left to the layer.
    #[cold]
    pub(super) fn start_beside(&self, attributes: &span::Attributes<'_>, id: &span::Id) -> bool {
        let (shared, id, metadata) = (&*self.shared, id.into_u64(), attributes.metadata());
        match shared.look_beside(attributes) {
            Around::Nothing => false,
            Around::Suppressed => {
                let most = shared.refuse(attributes, id, metadata);
                self.describe(id, most, attributes);
                true
            }
            // What names its parent itself is not asked.
            Around::Parent(_) if !attributes.is_contextual() => false,
            Around::Parent(parent) => {
                let most = shared.start_root(id, metadata);
                self.describe(id, most, attributes);
                shared.set_parent(id, &parent);
                self.make_room(id);
                true
            }
        }
    }
}

impl Shared {
    /// The neighbour, where it is to be told of this layer's spans.
    fn neighbour(&self) -> Option<&'static dyn Neighbour> {
        neighbour().filter(|_| self.shares_context())
    }

    /// The open span that the thread entered last.
    fn innermost(&self) -> Option<u64> {
        self.with_current(|id| self.table.has(id).then_some(id))
    }

    fn look_beside(&self, attributes: &span::Attributes<'_>) -> Around {
        let Some(neighbour) = self.neighbour() else { return Around::Nothing };
        neighbour.tidy(self.key.number(), &|id| self.table.has(id));
        let innermost = if attributes.is_contextual() { self.innermost() } else { None };
        neighbour.around(innermost.map(|id| self.key.place(id)))
    }

    /// Puts a span in that is not to be traced.
    fn refuse(
        &self,
        attributes: &span::Attributes<'_>,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Values {
        let explicit = attributes.parent().map(span::Id::into_u64);
        let parent = if attributes.is_contextual() { self.innermost() } else { explicit };
        let parent = parent.and_then(|parent| self.context(parent));
        let span = self.recorder().refuse(parent.as_ref());
        self.insert_active(id, span, metadata)
    }

    /// Shows a span that the thread entered.
    #[cold]
    pub(super) fn show_entered(&self, id: u64) {
        let Some(neighbour) = self.neighbour() else { return };
        neighbour.tidy(self.key.number(), &|id| self.table.has(id));
        let shown = self.shown(neighbour, id).or_else(|| {
            self.settle(id, None);
            self.shown(neighbour, id)
        });
        if let Some(Sight::Of(shown)) = shown {
            neighbour.enter(self.key.place(id), shown);
        }
    }

    /// Says that the thread left a span. Also where the layer has got another pipeline since.
    #[cold]
    pub(super) fn show_left(&self, id: u64) {
        let Some(neighbour) = neighbour() else { return };
        if neighbour.exit(self.key.place(id))
            && let Some(innermost) = self.innermost()
            && !neighbour.is_shown(self.key.place(innermost))
        {
            // It was left out of order: another span of the dropped trace takes its place.
            self.show_entered(innermost);
        }
    }

    /// Shows the new place of a span that was put under another parent.
    pub(super) fn show_moved(&self, id: u64) {
        if let Some(neighbour) = self.neighbour()
            && let Some(Sight::Of(shown)) = self.shown(neighbour, id)
        {
            neighbour.update(self.key.place(id), shown);
        }
    }

    /// `None` when it has not started.
    fn shown(&self, neighbour: &dyn Neighbour, id: u64) -> Option<Sight> {
        let is_in_dropped = |trace| neighbour.is_in_dropped(trace);
        self.table.with(id, |span| span.shown(is_in_dropped)).flatten()
    }
}
