//! Spans that a subscriber of this crate gives their ids.

use std::num::NonZeroU64;

use tracing::span;
use tracing_core::span::Current;

use super::LayerState;
use crate::layer::current_spans::CurrentSpans;
use crate::layer::deferred_decision::DeferredDecision;
use crate::layer::span_table::is_own;
use crate::record::bridge;

impl LayerState {
    /// Starts a span, records its fields, and gives it an id.
    #[inline(always)]
    pub(in crate::layer) fn start_own_span(&self, attributes: &span::Attributes<'_>) -> NonZeroU64 {
        let parent = if attributes.is_contextual() {
            self.current.innermost()
        } else {
            attributes.parent().map(span::Id::into_u64)
        };
        if let Some(parent) = parent
            && !bridge::is_installed()
            && let Some((id, child)) = self.own_spans.start_own_child(parent, attributes.metadata())
        {
            self.record_attributes(id.get(), child.limit, attributes);
            return id;
        }
        self.start_own_span_slowly(attributes)
    }

    #[inline(never)]
    fn start_own_span_slowly(&self, attributes: &span::Attributes<'_>) -> NonZeroU64 {
        let is_outside = attributes.is_contextual() && CurrentSpans::is_thread_outside();
        if !bridge::is_installed() && (is_outside || attributes.is_root()) {
            return self.start_own_root(attributes);
        }
        let id = self.own_spans.reserve();
        self.start_span_as(attributes, id.get());
        id
    }

    /// Starts a root, which has its id from the table as it is put there.
    #[inline(always)]
    fn start_own_root(&self, attributes: &span::Attributes<'_>) -> NonZeroU64 {
        let recorder = self.recorders.current();
        let root = Self::root(&recorder, attributes.metadata());
        let limit = root.value_limit();
        let id = self.own_spans.insert_own(root);
        self.record_attributes(id.get(), limit, attributes);
        self.place_root(id.get(), attributes.is_root());
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

    /// Whether what would start or be said here has to be made: false inside of a trace that is not recorded. A span
    /// that is not made is counted as sampled out.
    // All that is rare is called last: then the rest has no registers to save.
    #[inline(always)]
    pub(in crate::layer) fn wants_child(&self, is_span: bool) -> bool {
        if bridge::is_installed() {
            // What the thread is inside of may be a span of OpenTelemetry.
            return true;
        }
        match self.current.with_innermost(|id| Some((id, is_own(id)))) {
            Some((id, true)) => self.own_spans.wants_child(id, is_span),
            Some((id, false)) => self.wants_child_in_foreign(id, is_span),
            None => true,
        }
    }

    /// The same inside of a span that has its id from a registry beside.
    #[inline(never)]
    fn wants_child_in_foreign(&self, id: u64, is_span: bool) -> bool {
        self.spans.with(id, |span| !span.skips_child(is_span)).unwrap_or(true)
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
