//! What a layer and those who look for it share.

use std::sync::{Arc, Mutex};

use tracing::dispatcher::{Dispatch, WeakDispatch};
use tracing::{Metadata, span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

use super::builder::Options;
use super::open::{Held, Moved, OpenSpan};
use super::recorders::Recorders;
use super::scratch::Scratch;
use super::stack::{self, LayerKey};
use super::table::{Table, Values};
use super::visit::{Fields, OfSpan};
use crate::kit::guarded::lock;
use crate::model::{Link, TraceContext};
use crate::record::{ActiveSpan, DraftHolder, Recorder, Start};
use crate::trace::SpanMut;

/// The state of a layer.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) key: LayerKey,
    pub(super) table: Table,
    pub(super) options: Options,
    recorders: Mutex<Recorders>,
    /// The subscriber it is part of, where that told it.
    dispatch: Mutex<Option<WeakDispatch>>,
}

impl Shared {
    pub(super) fn new(recorder: Arc<Recorder>, options: Options) -> Arc<Self> {
        let shared = Arc::new(Self {
            key: LayerKey::next(),
            table: Table::default(),
            options,
            recorders: Mutex::new(Recorders::new(Arc::clone(&recorder))),
            dispatch: Mutex::new(None),
        });
        shared.hold_drafts_of(&recorder);
        shared
    }

    fn hold_drafts_of(self: &Arc<Self>, recorder: &Recorder) {
        let this = Arc::downgrade(self);
        recorder.add_draft_holder(this);
    }

    pub(super) fn recorder(&self) -> Arc<Recorder> {
        lock(&self.recorders).current()
    }

    /// Whether its spans are shown to a neighbour.
    pub(super) fn shares_context(&self) -> bool {
        lock(&self.recorders).shares_context()
    }

    pub(super) fn set_recorder(self: &Arc<Self>, recorder: Arc<Recorder>) {
        self.hold_drafts_of(&recorder);
        let unused = lock(&self.recorders).exchange(recorder);
        drop(unused);
    }

    pub(super) fn set_dispatch(&self, dispatch: &Dispatch) {
        *lock(&self.dispatch) = Some(dispatch.downgrade());
    }

    /// Whether it is part of another subscriber. One that it was not told of may be its own.
    pub(super) fn is_elsewhere(&self, dispatch: &Dispatch) -> bool {
        let own = lock(&self.dispatch).as_ref().map(WeakDispatch::upgrade);
        let Some(own) = own else { return false };
        match (own.as_ref().and_then(Dispatch::downcast_ref), dispatch.downcast_ref::<Registry>()) {
            (Some(own), Some(other)) => !std::ptr::eq::<Registry>(own, other),
            _ => true,
        }
    }

    /// Starts a span without a parent and puts it in; how long its values may be, if they may be kept.
    pub(super) fn start_root(&self, id: u64, metadata: &'static Metadata<'static>) -> Values {
        let held = match self.recorder().draft(metadata.name()) {
            Ok(draft) => Held::Draft(draft),
            Err(span) => Held::Active(span),
        };
        self.insert(id, OpenSpan::new(held, metadata))
    }

    /// Starts a child of an open span and puts it in; `None` when that is not open.
    #[inline(always)]
    pub(super) fn adopt(
        &self,
        parent: u64,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<Values> {
        let adopted = self.table.adopt(parent, id, metadata);
        adopted.or_else(|| self.adopt_slowly(parent, id, metadata))
    }

    #[cold]
    fn adopt_slowly(
        &self,
        parent: u64,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<Values> {
        let start = || self.table.with(parent, |span| span.child(metadata));
        let child = start()?.or_else(|| {
            self.settle(parent, None);
            start().flatten()
        });
        let child = child.unwrap_or_else(|| {
            // Its parent's sampler is being asked on this thread, so what that traces itself is refused.
            let refused = self.recorder().start(Start::new(metadata.name().into()));
            OpenSpan::new(Held::Active(refused), metadata)
        });
        Some(self.insert(id, child))
    }

    /// Puts a span in that has started.
    pub(super) fn insert_active(
        &self,
        id: u64,
        span: ActiveSpan,
        metadata: &'static Metadata<'static>,
    ) -> Values {
        self.insert(id, OpenSpan::new(Held::Active(span), metadata))
    }

    /// Puts a span in; how long its values may be, if they may be kept.
    fn insert(&self, id: u64, span: OpenSpan) -> Values {
        let values = span.value_bytes();
        if let Some(mut forgotten) = self.table.insert(id, span) {
            // Its closing was never told, as it happens when a layer is exchanged.
            forgotten.close(&mut None);
        }
        values
    }

    /// The span that a thread is inside of, leaving out what has closed.
    #[inline(always)]
    pub(super) fn with_current<R>(&self, mut work: impl FnMut(u64) -> Option<R>) -> Option<R> {
        let mut above = 0;
        while let Some(id) = stack::peek(self.key, above) {
            if let Some(result) = work(id) {
                return Some(result);
            }
            above += 1;
        }
        None
    }

    /// The nearest span this layer knows among a span's ancestors, itself included, whatever filters
    /// say. Looks at the registry of the layer's own subscriber.
    pub(super) fn nearest(&self, id: &span::Id) -> Option<u64> {
        if self.table.has(id.into_u64()) {
            return Some(id.into_u64());
        }
        let dispatch = lock(&self.dispatch).as_ref().and_then(WeakDispatch::upgrade);
        match dispatch {
            Some(dispatch) => self.nearest_in(&dispatch, id),
            None => tracing::dispatcher::get_default(|dispatch| self.nearest_in(dispatch, id)),
        }
    }

    /// The same in the registry of a subscriber that is known.
    pub(super) fn nearest_in(&self, dispatch: &Dispatch, id: &span::Id) -> Option<u64> {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.scope().map(|span| span.id().into_u64()).find(|id| self.table.has(*id))
    }

    /// Starts a draft, under `parent` if there is one. Asks its sampler; what that asks of the same span
    /// meanwhile finds the draft. False when it did not start under `parent`: somebody else started it,
    /// or its sampler is being asked on this thread.
    pub(super) fn settle(&self, id: u64, parent: Option<&TraceContext>) -> bool {
        let question = self.table.with(id, |span| span.question(parent)).flatten();
        let answer = question.and_then(|question| question.ask());
        let settled = answer.and_then(|answer| self.table.with(id, |span| span.settle(answer)));
        settled.unwrap_or(false)
    }

    /// What a span tells the next. From now on its parent cannot change.
    pub(super) fn context(&self, id: u64) -> Option<TraceContext> {
        self.settle(id, None);
        let context = self.table.with(id, |span| {
            span.expose();
            span.context()
        });
        context.flatten()
    }

    /// Puts a span under a parent; false when it is too late for that, and a link says so.
    pub(super) fn set_parent(&self, id: u64, parent: &TraceContext) -> bool {
        let is_set = self.move_under(id, parent);
        self.show_moved(id);
        is_set
    }

    fn move_under(&self, id: u64, parent: &TraceContext) -> bool {
        let moved = self.table.with(id, |span| (span.take_out(), span.metadata()));
        match moved {
            Some((Moved::Draft(left_behind), _)) => {
                drop(left_behind);
                self.settle(id, Some(parent)) || self.refuse_parent(id, parent)
            }
            Some((Moved::StartAnew, metadata)) => {
                let span = self.recorder().start(Start::under(metadata.name().into(), parent));
                self.start_anew(id, span) || self.refuse_parent(id, parent)
            }
            Some((Moved::Refused, _)) => self.refuse_parent(id, parent),
            None => false,
        }
    }

    /// A link says what the parent would have been.
    fn refuse_parent(&self, id: u64, parent: &TraceContext) -> bool {
        let link = Link::new(parent.clone());
        self.edit(id, |edit| {
            edit.add_link(link);
        });
        false
    }

    fn start_anew(&self, id: u64, span: ActiveSpan) -> bool {
        let mut span = Some(span);
        let started = self.table.with(id, |open| open.start_anew(span.take()?).err());
        match started.unwrap_or(span) {
            None => true,
            Some(refused) => {
                refused.take_back();
                false
            }
        }
    }

    /// Reads a new span's fields and writes them down; `most` is how long a value may be.
    pub(super) fn describe(
        &self,
        id: u64,
        most: usize,
        metadata: &'static Metadata<'static>,
        attributes: &span::Attributes<'_>,
    ) {
        Scratch::with(|scratch| {
            if !self.options.is_lean {
                super::details::of_span(scratch, metadata, &self.options);
                self.table.with(id, |span| span.set_extras(&self.options));
            }
            attributes.record(&mut Fields::<OfSpan>::new(scratch, most));
            self.write(id, scratch);
        });
    }

    fn write(&self, id: u64, scratch: &mut Scratch) {
        if scratch.is_empty() {
            return;
        }
        self.change(id, |span| {
            if scratch.special.is_failure() {
                span.rescue();
            }
            span.edit(|edit| scratch.write_span(edit, &self.options))
        });
    }

    /// Writes into a span, and settles it if `write` says that it has to be.
    #[inline]
    pub(super) fn change(&self, id: u64, write: impl FnOnce(&mut OpenSpan) -> bool) {
        if self.table.with(id, write).unwrap_or(false) {
            self.settle(id, None);
        }
    }

    /// Reads what is recorded of a span after it has started.
    pub(super) fn describe_more(&self, id: u64, values: &span::Record<'_>) {
        let most = self.table.with(id, |span| span.value_bytes()).flatten();
        let Some(most) = most else { return };
        Scratch::with(|scratch| {
            values.record(&mut Fields::<OfSpan>::new(scratch, most));
            self.write(id, scratch);
        });
    }

    /// Says several things about a span, if it is open.
    pub(super) fn edit(&self, id: u64, edit: impl FnOnce(&mut SpanMut<'_>)) {
        self.change(id, |span| span.edit(edit));
    }
}

impl DraftHolder for Shared {
    fn settle_drafts(&self, recorder: &Recorder) {
        for id in self.table.ids_of(|span| span.is_draft_of(recorder)) {
            self.settle(id, None);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Whoever drops a layer may hold a lock that deciders need, as `reload` does: they are asked later.
        for span in self.table.drain() {
            span.postpone();
        }
    }
}
