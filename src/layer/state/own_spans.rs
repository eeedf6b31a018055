//! Spans that a subscriber of this crate gives their ids.

use tracing::span;
use tracing_core::span::Current;

use super::LayerState;
use crate::layer::deferred_decision::DeferredDecision;
use crate::record::bridge;

impl LayerState {
    /// Starts a span, records its fields, and gives it an id.
    #[inline(always)]
    pub(in crate::layer) fn start_own_span(&self, attributes: &span::Attributes<'_>) -> u64 {
        let parent = if attributes.is_contextual() {
            self.current.innermost()
        } else {
            attributes.parent().map(span::Id::into_u64)
        };
        if let Some(parent) = parent
            && !bridge::is_installed()
            && let Some((id, child)) = self.own_spans.start_own_child(parent, attributes.metadata())
        {
            self.record_attributes(id, child.limit, attributes);
            return id;
        }
        self.start_own_span_slowly(attributes)
    }

    #[inline(never)]
    fn start_own_span_slowly(&self, attributes: &span::Attributes<'_>) -> u64 {
        let id = self.own_spans.reserve();
        self.start_span_as(attributes, id);
        id
    }

    /// Starts a span that has an id already, where nothing but this subscriber hides spans from it.
    pub(in crate::layer) fn start_span_as(&self, attributes: &span::Attributes<'_>, id: u64) {
        if bridge::is_installed() && self.start_in_foreign_context(attributes, id) {
            return;
        }
        self.start_span(attributes, id, || {
            let parent = attributes.parent()?;
            self.start_child(self.nearest(parent)?, id, attributes.metadata())
        });
    }

    /// Counts one more handle of a span.
    #[inline(always)]
    pub(in crate::layer) fn add_handle(&self, id: u64) {
        self.own_spans.add_handle(id);
    }

    /// Takes a handle of a span off, and ends the span with its last; whether it was that. A decision that its end
    /// calls for goes to `decision`.
    #[inline(always)]
    pub(in crate::layer) fn remove_handle(
        &self,
        id: u64,
        decision: &mut Option<DeferredDecision>,
    ) -> bool {
        self.own_spans.remove_handle(id, decision)
    }

    /// Whether the thread is inside of a trace that is not recorded, so that what it would start or say there may be
    /// skipped. A span that is skipped is counted as sampled out.
    #[inline]
    pub(in crate::layer) fn skips_in_dropped(&self, is_span: bool) -> bool {
        let Some(innermost) = self.current.innermost() else { return false };
        if bridge::is_installed() {
            // What the thread is inside of may be a span of OpenTelemetry.
            return false;
        }
        self.with_span(innermost, |span| span.skips_child(is_span)).unwrap_or(false)
    }

    /// The id that the thread entered last, whether or not a span of this subscriber has it.
    pub(in crate::layer) fn entered_last(&self) -> Option<u64> {
        self.current.innermost()
    }

    /// The span that the thread is inside of, with its callsite; `None` where all that it entered have closed.
    pub(in crate::layer) fn innermost_span(&self) -> Option<Current> {
        self.current.find_map(|id| {
            let metadata = self.with_span(id, |span| span.metadata())?;
            Some(Current::new(span::Id::from_u64(id), metadata))
        })
    }
}
