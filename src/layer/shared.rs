//! What a layer and those who look for it share.

use std::sync::{Arc, Mutex};

use tracing::dispatcher::{Dispatch, WeakDispatch};
use tracing::{Metadata, span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

use super::after_close::Ending;
use super::builder::Options;
use super::open::{Child, Held, Moved};
use super::scratch::Scratch;
use super::stack::{self, LayerKey};
use super::table::Table;
use super::visit::{Fields, Of};
use crate::kit::guarded::lock;
use crate::model::{Link, TraceContext};
use crate::record::{ActiveSpan, Edit, Recorder, Start};

/// The state of a layer.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) key: LayerKey,
    pub(super) table: Table,
    pub(super) options: Options,
    /// Where new local roots are recorded.
    recorder: Mutex<Arc<Recorder>>,
    /// The subscriber it is part of, where that told it.
    dispatch: Mutex<Option<WeakDispatch>>,
}

impl Shared {
    pub(super) fn new(recorder: Arc<Recorder>, options: Options) -> Self {
        Self {
            key: LayerKey::next(),
            table: Table::default(),
            options,
            recorder: Mutex::new(recorder),
            dispatch: Mutex::new(None),
        }
    }

    pub(super) fn recorder(&self) -> Arc<Recorder> {
        Arc::clone(&lock(&self.recorder))
    }

    pub(super) fn set_recorder(&self, recorder: Arc<Recorder>) {
        let old = std::mem::replace(&mut *lock(&self.recorder), recorder);
        // Out of the lock: it may be the last of a pipeline.
        drop(old);
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

    /// Starts a span without a parent.
    pub(super) fn root(&self, name: &'static str) -> Held {
        match self.recorder().draft(name) {
            Ok(draft) => Held::Draft(draft),
            Err(span) => Held::Active(span),
        }
    }

    /// Starts a child of an open span; `None` when that is not open.
    #[inline]
    pub(super) fn child(&self, parent: u64, name: &'static str) -> Option<Held> {
        match self.table.with(parent, |span| span.child(name))? {
            Child::Started(span) => Some(Held::Active(span)),
            Child::NotYet => self.child_of_draft(parent, name),
        }
    }

    #[cold]
    fn child_of_draft(&self, parent: u64, name: &'static str) -> Option<Held> {
        self.settle(parent, None);
        Some(match self.table.with(parent, |span| span.child(name))? {
            Child::Started(span) => Held::Active(span),
            // Its sampler is being asked on this thread, so what it traces itself is refused.
            Child::NotYet => Held::Active(self.recorder().start(Start::new(name.into()))),
        })
    }

    /// The span that a thread is inside of, leaving out what has closed.
    #[inline]
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
        self.edit(id, |edit| edit.add_link(link));
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

    /// Reads a span's fields and writes them down, if they may be kept.
    pub(super) fn describe(
        &self,
        held: &mut Held,
        metadata: &'static Metadata<'static>,
        attributes: &span::Attributes<'_>,
    ) {
        let Some(most) = held.value_bytes() else { return };
        let has_fields = !metadata.fields().is_empty();
        if !has_fields && !self.options.describes_spans() {
            return;
        }
        Scratch::with(|scratch| {
            super::details::of_span(scratch, metadata, &self.options);
            if has_fields {
                attributes.record(&mut Fields::new(scratch, most, Of::Span));
            }
            if scratch.special.is_failure() {
                held.rescue();
            }
            held.edit(|edit| scratch.write_span(edit, &self.options));
        });
    }

    /// Reads what is recorded of a span after it has started.
    pub(super) fn describe_more(&self, id: u64, values: &span::Record<'_>) {
        let most = self.table.with(id, |span| span.value_bytes()).flatten();
        let Some(most) = most else { return };
        Scratch::with(|scratch| {
            values.record(&mut Fields::new(scratch, most, Of::Span));
            if !scratch.is_empty() {
                self.table.with(id, |span| {
                    if scratch.special.is_failure() {
                        span.rescue();
                    }
                    span.edit(|edit| scratch.write_span(edit, &self.options))
                });
            }
        });
    }

    /// Says several things about a span; false when it is not open.
    pub(super) fn edit(&self, id: u64, edit: impl FnOnce(&mut Edit<'_>)) -> bool {
        self.table.with(id, |span| span.edit(edit)).is_some()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Whoever drops a layer may hold a lock that deciders need, as `reload` does: they are asked later.
        for span in self.table.drain() {
            Ending::postpone(span.into_held());
        }
    }
}
