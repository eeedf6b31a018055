//! The column of spans that another tracer made, which are read only when somebody asks.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use super::write::details_in;
use super::{LAST, NewSpan, Outcome, Room, SpanRecord, SpanStore};
use crate::kit::guarded;
use crate::model::{Limits, Resource, SpanId, SpanKind, Status};
use crate::time::Tick;
use crate::trace::{Original, Outline, SpanMut};

/// The originals of all spans of a buffer that has no records of its own.
///
/// Whoever looks at a span gets it from a buffer of records that is made then. Most traces are decided and
/// leave without one.
pub(crate) struct Originals {
    column: Box<dyn Column>,
    /// What the column holds.
    kind: TypeId,
    facts: Facts,
    /// The records without their details.
    outlines: OnceLock<Box<SpanStore>>,
    /// The same with their details, once somebody has asked for those.
    read: OnceLock<Box<SpanStore>>,
}

/// What is known of originals together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Who made them, if not the pipeline's own service.
    resource: Option<Arc<Resource>>,
    /// Which of them is the root: it changes places with the first whenever they are read.
    root: usize,
    has_errors: bool,
}

impl Facts {
    /// Notes what matters of the original that will stand at `at`.
    #[inline]
    pub(crate) fn note(
        &mut self,
        at: usize,
        is_root: bool,
        is_error: bool,
        resource: Option<&Arc<Resource>>,
    ) {
        if is_root {
            self.root = at;
        }
        self.has_errors |= is_error;
        if let Some(resource) = resource
            && self.resource.is_none()
        {
            self.resource = Some(Arc::clone(resource));
        }
    }

    /// Where the original of a record stands.
    fn place_of(&self, index: usize) -> usize {
        match index {
            0 => self.root,
            _ if index == self.root => 0,
            _ => index,
        }
    }
}

/// Originals of one type.
trait Column: Any + Send + Sync {
    fn len(&self) -> usize;
    fn clear(&mut self);
    /// Its memory, and that of the records which may be made of it.
    fn reserved(&self) -> usize;
    /// Adds the record of one.
    fn outline(&self, index: usize, store: &mut SpanStore, correction: i64);
    fn describe(&self, index: usize, span: &mut SpanMut<'_>);
    /// The first start and the last end.
    fn times(&self) -> Option<(SystemTime, SystemTime)>;
    fn copy(&self) -> Box<dyn Column>;
}

impl<S: Original> Column for Vec<S> {
    fn len(&self) -> usize {
        self.len()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn reserved(&self) -> usize {
        self.capacity() * (size_of::<S>() + size_of::<SpanRecord>())
    }

    fn outline(&self, index: usize, store: &mut SpanStore, correction: i64) {
        match self.get(index).and_then(|original| guarded::call(|| original.outline())) {
            Some(outline) => store.record(&outline, correction),
            None => store.record_unknown(),
        }
    }

    fn describe(&self, index: usize, span: &mut SpanMut<'_>) {
        if let Some(original) = self.get(index) {
            original.describe(span);
        }
    }

    fn times(&self) -> Option<(SystemTime, SystemTime)> {
        let all = self.iter().filter_map(|original| guarded::call(|| original.times()));
        all.reduce(|(first, last), (start, end)| (first.min(start), last.max(end)))
    }

    fn copy(&self) -> Box<dyn Column> {
        Box::new(self.clone())
    }
}

impl Originals {
    fn new<S: Original>() -> Self {
        Self {
            column: Box::new(Vec::<S>::new()),
            kind: TypeId::of::<S>(),
            facts: Facts::default(),
            outlines: OnceLock::new(),
            read: OnceLock::new(),
        }
    }

    /// The memory of the column, without what its spans point to.
    pub(super) fn reserved(&self) -> usize {
        size_of::<Self>() + self.column.reserved()
    }

    pub(super) fn clear(&mut self) {
        self.column.clear();
        self.facts = Facts::default();
        self.forget_read();
    }

    fn forget_read(&mut self) {
        drop(self.outlines.take());
        drop(self.read.take());
    }
}

impl Clone for Originals {
    fn clone(&self) -> Self {
        let (outlines, read) = (self.outlines.clone(), self.read.clone());
        let (kind, facts) = (self.kind, self.facts.clone());
        Self { column: self.column.copy(), kind, facts, outlines, read }
    }
}

impl fmt::Debug for Originals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Originals").field("is_read", &self.read.get().is_some()).finish()
    }
}

/// Makes room for one more original, and for the record that may be made of it.
fn reserve_one<S>(column: &mut Vec<S>, room: &mut Room) -> bool {
    let before = column.capacity();
    let has_room = room.reserve(column, 1, 4);
    let more = column.capacity().saturating_sub(before);
    has_room && (more == 0 || room.take(more.saturating_mul(size_of::<SpanRecord>())))
}

impl SpanStore {
    /// Where one more original goes, of this many bytes; `None` when there is no room for it. An eighth of the
    /// room is kept for such as failed.
    ///
    /// The caller notes it among the facts and pushes it: originals are large, and moved once.
    #[inline]
    pub(crate) fn room_for<S: Original>(
        &mut self,
        bytes: usize,
        failed: bool,
    ) -> Option<(&mut Vec<S>, &mut Facts)> {
        let has_column = self.originals().is_some_and(|held| held.kind == TypeId::of::<S>());
        if !has_column && !self.make_column::<S>() {
            return None;
        }
        let Self { details, room, .. } = self;
        let originals = details.as_deref_mut()?.originals.as_deref_mut()?;
        let Originals { column, facts, .. } = originals;
        let column: &mut dyn Any = &mut **column;
        let column = column.downcast_mut::<Vec<S>>()?;
        let beyond = bytes.saturating_sub(size_of::<S>());
        if column.len() < column.capacity() && beyond == 0 {
            return Some((column, facts));
        }
        let limit = room.limit();
        if failed {
            *room = room.limited(limit.saturating_add(limit / 8));
        }
        let fits = reserve_one(column, room) && (beyond == 0 || room.take(beyond));
        *room = room.limited(limit);
        fits.then_some((column, facts))
    }

    /// Makes the buffer one of such originals, unless it holds anything else.
    #[cold]
    fn make_column<S: Original>(&mut self) -> bool {
        if self.len() > 0 {
            return false;
        }
        self.forget_originals();
        let details = details_in(&mut self.details, &mut self.room);
        self.room.count(size_of::<Originals>());
        details.originals = Some(Box::new(Originals::new::<S>()));
        true
    }

    /// Adds the record of an original.
    fn record(&mut self, outline: &Outline<'_>, correction: i64) {
        let new = NewSpan {
            id: outline.span_id,
            parent: outline.parent_span_id,
            start: Tick::at_wall(outline.start, correction),
            name: outline.name.clone(),
            kind: outline.kind,
        };
        // Room without a limit refuses nothing. How long names may be is their tracer's affair.
        let Ok(index) = self.push_span(new, &Limits::NONE) else { return };
        if let Some(record) = self.spans.get_mut(index as usize) {
            let end = Tick::at_wall(outline.end, correction);
            record.end = end.max(record.start).min(LAST);
            record.is_parent_remote = outline.is_parent_remote;
            record.outcome = match outline.status {
                Status::Unset => Outcome::Unset,
                Status::Ok => Outcome::Ok,
                Status::Error { .. } => Outcome::Error,
            };
        }
    }

    /// Adds a record in the place of one that an adapter did not tell.
    #[cold]
    fn record_unknown(&mut self) {
        let (id, start) = (SpanId::new(), Tick::from_nanos(0));
        let name = Cow::Borrowed("(its adapter panicked)");
        let new = NewSpan { id, parent: None, start, name, kind: SpanKind::Internal };
        if let Ok(index) = self.push_span(new, &Limits::NONE) {
            self.finish_at(index, start);
        }
    }

    /// The originals, if they are of this type.
    pub(crate) fn originals_of<S: Original>(&self) -> Option<&[S]> {
        let column: &dyn Any = &*self.originals()?.column;
        let column = column.downcast_ref::<Vec<S>>()?;
        (!column.is_empty()).then_some(column.as_slice())
    }

    /// How many originals there are.
    #[cold]
    pub(super) fn originals_len(&self) -> usize {
        self.originals().map_or(0, |originals| originals.column.len())
    }

    fn originals(&self) -> Option<&Originals> {
        self.details.as_deref()?.originals.as_deref()
    }

    pub(crate) fn has_originals(&self) -> bool {
        self.originals().is_some()
    }

    /// Takes the originals out, to be dropped or to go with a copy of the buffer.
    pub(crate) fn take_originals(&mut self) -> Option<Box<Originals>> {
        self.details.as_deref_mut()?.originals.take()
    }

    fn forget_originals(&mut self) {
        if self.take_originals().is_some() {
            self.recount();
        }
    }

    /// Gives the memory of what somebody looked at back.
    pub(crate) fn forget_read(&mut self) {
        let details = self.details.as_deref_mut();
        if let Some(originals) = details.and_then(|details| details.originals.as_mut()) {
            originals.forget_read();
        }
    }

    /// Whose spans the originals are, if somebody said.
    pub(crate) fn resource(&self) -> Option<&Arc<Resource>> {
        self.originals()?.facts.resource.as_ref()
    }

    /// Whether any span ended in an error.
    pub(crate) fn has_errors(&self) -> bool {
        match self.originals() {
            None => self.spans.iter().any(SpanRecord::is_error),
            Some(originals) => originals.facts.has_errors,
        }
    }

    /// The first start and the last end.
    pub(crate) fn times(&self, correction: i64) -> Option<(Tick, Tick)> {
        let Some(originals) = self.originals() else {
            let start = self.spans.iter().map(|span| span.start).min();
            return start.zip(self.spans.iter().filter_map(SpanRecord::end).max());
        };
        let (start, end) = originals.column.times()?;
        let (start, end) = (Tick::at_wall(start, correction), Tick::at_wall(end, correction));
        Some((start, end.max(start).min(LAST)))
    }

    /// The buffer that has the records, which are made of the originals at the first call.
    #[inline]
    pub(crate) fn outlined(&self, correction: i64) -> &Self {
        match self.originals() {
            None => self,
            Some(originals) => originals.outlined(correction),
        }
    }

    /// The same with the details of its spans, which are read from the originals at the first call.
    #[inline]
    pub(crate) fn full(&self, correction: i64) -> &Self {
        match self.originals() {
            None => self,
            Some(originals) => originals.full(correction),
        }
    }

    /// Makes it a buffer of ours, to be changed.
    pub(crate) fn own(&mut self, correction: i64) {
        if self.has_originals() {
            *self = self.full(correction).clone();
        }
    }
}

/// What is made is made outside of the cell it goes to, which must not be locked while an adapter's code
/// runs.
impl Originals {
    #[cold]
    fn outlined(&self, correction: i64) -> &SpanStore {
        if let Some(outlines) = self.outlines.get() {
            return outlines;
        }
        let mut made = Box::new(SpanStore::default());
        made.spans.reserve_exact(self.column.len());
        for index in 0..self.column.len() {
            self.column.outline(self.facts.place_of(index), &mut made, correction);
        }
        self.outlines.get_or_init(|| made)
    }

    #[cold]
    fn full(&self, correction: i64) -> &SpanStore {
        if let Some(read) = self.read.get() {
            return read;
        }
        let made = Box::new(self.described(correction));
        self.read.get_or_init(|| made)
    }

    /// A copy of the records whose details come from the originals. What those were held to is their
    /// tracer's affair.
    fn described(&self, correction: i64) -> SpanStore {
        let (outlines, mut read) = (self.outlined(correction), SpanStore::default());
        for (index, record) in (0..).zip(&outlines.spans) {
            let name = outlines.owned_name(record);
            let (id, parent, start, kind) = (record.id, record.parent, record.start, record.kind);
            let new = NewSpan { id, parent, start, name, kind };
            let Ok(copy) = read.push_span(new, &Limits::NONE) else { break };
            let mut span = SpanMut::new(&mut read, correction, copy, &Limits::NONE);
            // An adapter that panics has said what it has said.
            let place = self.facts.place_of(index);
            let _ = guarded::call(|| self.column.describe(place, &mut span));
            if let Some(copied) = read.spans.get_mut(copy as usize) {
                (copied.id, copied.parent, copied.start) = (id, parent, start);
                copied.outcome = record.outcome;
                (copied.end, copied.is_parent_remote) = (record.end, record.is_parent_remote);
            }
        }
        read
    }
}
