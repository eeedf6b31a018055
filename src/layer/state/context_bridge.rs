//! Spans of this layer in the contexts of OpenTelemetry, and the other way round.
//!
//! Those contexts hold ids that any code may read at any time, so a span that is shown there has to be
//! settled: its sampler is asked when it is entered.

use tracing::{Metadata, span};

use super::LayerState;
use crate::layer::fields::ValueLimit;
use crate::layer::open_span::ContextView;
use crate::record::bridge::{self, BridgedParent, BridgedSpanId, ContextBridge};

impl LayerState {
    /// Starts a new span where OpenTelemetry's contexts know better than the layer what it is in; false
    /// when that is left to the layer.
    #[cold]
    pub(in crate::layer) fn start_in_foreign_context(
        &self,
        attributes: &span::Attributes<'_>,
        id: u64,
    ) -> bool {
        let metadata = attributes.metadata();
        match self.foreign_context(attributes) {
            BridgedParent::Nothing => false,
            BridgedParent::Suppressed => {
                let limit = self.start_suppressed(attributes, id, metadata);
                self.record_attributes(id, limit, attributes);
                true
            }
            // A span that names its parent itself is below that one.
            BridgedParent::Parent(_) if !attributes.is_contextual() => false,
            BridgedParent::Parent(parent) => {
                let recorder = self.recorders.current();
                let limit = self.start_root(&recorder, id, metadata);
                self.record_attributes(id, limit, attributes);
                self.set_parent(id, &parent.into());
                true
            }
        }
    }

    /// The bridge, where the layer's spans are to be shown.
    fn bridge(&self) -> Option<&'static dyn ContextBridge> {
        bridge::installed().filter(|_| self.recorders.shares_context())
    }

    fn place(&self, span: u64) -> BridgedSpanId {
        BridgedSpanId { owner: self.current.key().number(), span }
    }

    /// The open span that the thread entered last.
    fn innermost(&self) -> Option<u64> {
        self.current.find_map(|id| self.contains(id).then_some(id))
    }

    fn foreign_context(&self, attributes: &span::Attributes<'_>) -> BridgedParent {
        let Some(bridge) = self.bridge() else { return BridgedParent::Nothing };
        self.forget_closed_spans(bridge);
        let innermost = if attributes.is_contextual() { self.innermost() } else { None };
        bridge.around(innermost.map(|id| self.place(id)))
    }

    /// Lets the contexts forget spans that have closed while they were current on this thread.
    fn forget_closed_spans(&self, bridge: &dyn ContextBridge) {
        bridge.tidy(self.current.key().number(), &|id| self.contains(id));
    }

    /// Starts a span of work that is not to be traced.
    fn start_suppressed(
        &self,
        attributes: &span::Attributes<'_>,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<ValueLimit> {
        let explicit = attributes.parent().map(span::Id::into_u64);
        let parent = if attributes.is_contextual() { self.innermost() } else { explicit };
        let parent = parent.and_then(|parent| self.context(parent));
        let span = self.recorders.current().start_refused(parent.as_ref());
        self.insert_started(id, span, metadata)
    }

    /// Shows a span that the thread entered.
    #[cold]
    pub(in crate::layer) fn show_entered(&self, id: u64) {
        let Some(bridge) = self.bridge() else { return };
        self.forget_closed_spans(bridge);
        let mut view = self.context_view(bridge, id);
        if let Some(ContextView::Draft) = view {
            self.settle(id, None);
            view = self.context_view(bridge, id);
        }
        if let Some(ContextView::Span(shown)) = view {
            bridge.enter(self.place(id), shown);
        }
    }

    /// Shows that the thread exited a span, also where the layer has another pipeline by now.
    #[cold]
    pub(in crate::layer) fn show_exited(&self, id: u64) {
        let Some(bridge) = bridge::installed() else { return };
        if bridge.exit(self.place(id))
            && let Some(innermost) = self.innermost()
            && !bridge.is_shown(self.place(innermost))
        {
            // Spans were exited out of order: another span of the dropped trace stands for it now.
            self.show_entered(innermost);
        }
    }

    /// Shows the new ids of a span that was put under another parent.
    pub(super) fn update_context_bridge(&self, id: u64) {
        if let Some(bridge) = self.bridge()
            && let Some(ContextView::Span(shown)) = self.context_view(bridge, id)
        {
            bridge.update(self.place(id), shown);
        }
    }

    /// `None` when the span is not open.
    fn context_view(&self, bridge: &dyn ContextBridge, id: u64) -> Option<ContextView> {
        self.with_span(id, |span| span.context_view(|trace| bridge.is_in_dropped(trace)))
    }
}
