//! How spans start: as children of open spans, or as roots.

use std::sync::Arc;

use tracing::{Metadata, span};

use super::LayerState;
use crate::layer::caller::{self, CallerRole};
use crate::layer::fields::ValueLimit;
use crate::layer::open_span::OpenSpan;
use crate::layer::span_table::StartedChild;
use crate::record::{ActiveSpan, Draft, DraftStart, Recorder, SpanStart};

impl LayerState {
    /// Starts a span below its parent, or else as a root, and records its fields.
    ///
    /// `below_ancestor` starts it below the nearest ancestor that the layer knows; it is called where a
    /// filter may hide the parent.
    #[inline(always)]
    pub(in crate::layer) fn start_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: u64,
        below_ancestor: impl FnOnce() -> Option<StartedChild>,
    ) {
        let metadata = attributes.metadata();
        let child = if attributes.is_contextual() {
            let innermost = self.current.innermost();
            let table = self.table_of(id);
            let child = innermost.and_then(|parent| table.start_child(parent, id, metadata));
            child.or_else(|| self.start_child_of_current(id, metadata))
        } else {
            let parent = attributes.parent();
            parent.and_then(|parent| self.start_child(parent.into_u64(), id, metadata))
        };
        let child = child.or_else(|| if attributes.is_root() { None } else { below_ancestor() });
        match child {
            Some(StartedChild { limit }) => self.record_attributes(id, limit, attributes),
            None => {
                let recorder = self.recorders.current();
                let limit = self.start_root(&recorder, id, metadata);
                self.record_attributes(id, limit, attributes);
                self.place_root(id, attributes.is_root());
            }
        }
    }

    /// Starts a child of an open span; `None` when that is not open.
    #[inline(always)]
    pub(in crate::layer) fn start_child(
        &self,
        parent: u64,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<StartedChild> {
        let child = self.table_of(id).start_child(parent, id, metadata);
        child.or_else(|| self.start_child_slowly(parent, id, metadata))
    }

    /// Starts a child of the innermost open span that the thread is inside of.
    #[cold]
    fn start_child_of_current(
        &self,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<StartedChild> {
        self.current.find_map(|parent| self.start_child(parent, id, metadata))
    }

    #[cold]
    fn start_child_slowly(
        &self,
        parent: u64,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<StartedChild> {
        let start = || self.with_span(parent, |span| span.start_child(metadata, 0));
        let child = start()?.or_else(|| {
            self.settle(parent, None);
            start().flatten()
        });
        let child = child.unwrap_or_else(|| {
            let inherited = self.with_span(parent, |span| span.inherited_context()).flatten();
            let name = metadata.name().into();
            let start = match &inherited {
                // It came with a fork, and is one in another process.
                Some(parent) => SpanStart::under(name, parent),
                // The parent's sampler is being asked on this thread, so the recorder refuses what that
                // sampler traces itself.
                None => SpanStart::new(name),
            };
            OpenSpan::started(self.recorders.current().start(start), metadata)
        });
        Some(StartedChild { limit: self.insert(id, child) })
    }

    /// Starts a root, and says how much of its values is kept; `None` when nothing is.
    pub(super) fn start_root(
        &self,
        recorder: &Arc<Recorder>,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<ValueLimit> {
        self.insert(id, Self::root(recorder, metadata))
    }

    /// Starts a root that stands in no table.
    #[inline(always)]
    pub(super) fn root(recorder: &Arc<Recorder>, metadata: &'static Metadata<'static>) -> OpenSpan {
        match Draft::start(recorder, metadata.name()) {
            DraftStart::Draft(draft) => OpenSpan::draft(draft, metadata),
            DraftStart::Started(span) => OpenSpan::started(span, metadata),
        }
    }

    /// Inserts a span that has started, and says how much of its values is kept.
    pub(super) fn insert_started(
        &self,
        id: u64,
        span: ActiveSpan,
        metadata: &'static Metadata<'static>,
    ) -> Option<ValueLimit> {
        self.insert(id, OpenSpan::started(span, metadata))
    }

    fn insert(&self, id: u64, span: OpenSpan) -> Option<ValueLimit> {
        let limit = span.value_limit();
        if let Some(mut forgotten) = self.table_of(id).insert(id, span) {
            // The layer was not told that this one closed, as it happens when a layer is exchanged.
            forgotten.close(&mut None);
        }
        limit
    }

    /// Puts a new root under the caller whose request it stands for, if there is one.
    #[inline(always)]
    pub(super) fn place_root(&self, id: u64, is_explicit_root: bool) {
        if caller::is_known() {
            self.place_root_under_caller(id, is_explicit_root);
        }
    }

    #[inline(never)]
    fn place_root_under_caller(&self, id: u64, is_explicit_root: bool) {
        let role = if is_explicit_root {
            CallerRole::ParentOfRequest
        } else {
            CallerRole::InsteadOfRequest
        };
        if let Some(caller) = caller::of_thread(role) {
            // Before the parent, because with it the sampler is asked.
            for (key, value) in caller::take_tags() {
                self.write(id, |span| {
                    span.set_tag(key, value);
                });
            }
            self.set_parent(id, &caller);
        }
    }
}
