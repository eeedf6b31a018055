//! The column of spans that another tracer made, which are read only when somebody asks.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::write::details_in;
use super::{LAST, NewSpan, Outcome, Room, SpanRecord, SpanStore};
use crate::kit::{Tick, guarded};
use crate::model::{Limits, Original, Outline, Resource, SpanId, SpanKind, SpanMut, Status};

/// The originals of all spans of a buffer, in the order of its records.
pub(crate) struct Originals {
    column: Box<dyn Column>,
    /// Who made them, if not the pipeline's own service.
    resource: Option<Arc<Resource>>,
    /// The same spans with their details, once somebody has asked for those.
    read: OnceLock<Box<SpanStore>>,
}

/// Originals of one type.
trait Column: Send + Sync {
    fn len(&self) -> usize;
    /// Adds the records that are missing.
    fn settle(&self, store: &mut SpanStore, correction: i64, limits: &Limits);
    fn swap(&mut self, one: usize, other: usize);
    fn clear(&mut self);
    fn reserved(&self) -> usize;
    fn describe(&self, index: usize, span: &mut SpanMut<'_>);
    fn copy(&self) -> Box<dyn Column>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<S: Original> Column for Vec<S> {
    fn len(&self) -> usize {
        self.len()
    }

    fn settle(&self, store: &mut SpanStore, correction: i64, limits: &Limits) {
        for original in self.iter().skip(store.spans.len()) {
            match guarded::call(|| original.outline()) {
                Some(outline) => store.record(&outline, correction, limits),
                None => store.record_unknown(),
            }
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        if one.max(other) < self.len() {
            self.as_mut_slice().swap(one, other);
        }
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn reserved(&self) -> usize {
        self.capacity() * size_of::<S>()
    }

    fn describe(&self, index: usize, span: &mut SpanMut<'_>) {
        if let Some(original) = self.get(index) {
            original.describe(span);
        }
    }

    fn copy(&self) -> Box<dyn Column> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

impl Originals {
    fn new<S: Original>() -> Self {
        Self { column: Box::new(Vec::<S>::new()), resource: None, read: OnceLock::new() }
    }

    /// The memory of the column, without what its spans point to.
    pub(super) fn reserved(&self) -> usize {
        size_of::<Self>() + self.column.reserved()
    }

    pub(super) fn clear(&mut self) {
        self.column.clear();
        self.resource = None;
        self.read = OnceLock::new();
    }
}

impl Clone for Originals {
    fn clone(&self) -> Self {
        let (resource, read) = (self.resource.clone(), self.read.clone());
        Self { column: self.column.copy(), resource, read }
    }
}

impl fmt::Debug for Originals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Originals").field("is_read", &self.read.get().is_some()).finish()
    }
}

impl SpanStore {
    /// Makes room for one more original, its record included; false when there is none. An eighth of the room
    /// is kept for such as failed.
    pub(crate) fn reserve_original<S: Original>(&mut self, bytes: usize, failed: bool) -> bool {
        let limit = self.room.limit();
        if failed {
            self.room = self.room.limited(limit.saturating_add(limit / 8));
        }
        let fits = self.reserve_within::<S>(bytes);
        self.room = self.room.limited(limit);
        fits
    }

    fn reserve_within<S: Original>(&mut self, bytes: usize) -> bool {
        // A buffer that is used again may have held those of another tracer; one that holds spans of ours
        // holds nothing else.
        if self.spans.is_empty() && self.column_of::<S>().is_none() {
            self.forget_originals();
            let details = details_in(&mut self.details, &mut self.room);
            self.room.count(size_of::<Originals>());
            details.originals = Some(Box::new(Originals::new::<S>()));
        }
        let beyond = bytes.saturating_sub(size_of::<S>());
        let records = self.spans.capacity();
        let Some((column, room)) = self.column_of::<S>() else { return false };
        if column.len() == column.capacity() {
            // Room for the records is taken along, unless the buffer has it.
            let before = column.capacity().max(records);
            if !room.reserve(column, 1, 4) {
                return false;
            }
            let more = column.capacity().saturating_sub(before);
            if !room.take(more.saturating_mul(size_of::<SpanRecord>())) {
                return false;
            }
        }
        beyond == 0 || room.take(beyond)
    }

    /// Takes an original for which there is room; how many there are.
    #[inline(always)]
    pub(crate) fn push_original<S: Original>(&mut self, original: S) -> usize {
        let Some((column, _)) = self.column_of::<S>() else { return 0 };
        column.push(original);
        column.len()
    }

    /// How many originals have no record yet.
    pub(crate) fn unsettled(&self) -> usize {
        let held = self.originals().map_or(0, |originals| originals.column.len());
        held.saturating_sub(self.spans.len())
    }

    /// Gives every original its record, so that the buffer can be read. Asks the originals about themselves.
    pub(crate) fn settle(&mut self, correction: i64, limits: &Limits) {
        if self.unsettled() == 0 {
            return;
        }
        let Some(originals) = self.take_originals() else { return };
        // The room for the records was taken when the originals came.
        let room = self.room;
        self.room = Room::default();
        self.spans.reserve(originals.column.len().saturating_sub(self.spans.len()));
        originals.column.settle(self, correction, limits);
        self.room = room;
        details_in(&mut self.details, &mut self.room).originals = Some(originals);
    }

    /// Adds the record of an original.
    fn record(&mut self, outline: &Outline<'_>, correction: i64, limits: &Limits) {
        let new = NewSpan {
            id: outline.span_id,
            parent: outline.parent_span_id,
            start: Tick::at_wall(outline.start, correction),
            name: outline.name.clone(),
            kind: outline.kind,
        };
        // Room without a limit refuses nothing.
        let Ok(index) = self.push_span(new, limits) else { return };
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

    fn column_of<S: Original>(&mut self) -> Option<(&mut Vec<S>, &mut Room)> {
        let originals = self.details.as_deref_mut()?.originals.as_deref_mut()?;
        let column = originals.column.as_any_mut().downcast_mut::<Vec<S>>()?;
        Some((column, &mut self.room))
    }

    /// The originals, if they are of this type.
    pub(crate) fn originals_of<S: Original>(&self) -> Option<&[S]> {
        let column = self.originals()?.column.as_any().downcast_ref::<Vec<S>>()?;
        (!column.is_empty()).then_some(column.as_slice())
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

    /// Gives the memory of details back that somebody asked for.
    pub(crate) fn forget_read(&mut self) {
        let details = self.details.as_deref_mut();
        if let Some(originals) = details.and_then(|details| details.originals.as_mut()) {
            drop(originals.read.take());
        }
    }

    /// Whose spans the originals are, if somebody said.
    pub(crate) fn resource(&self) -> Option<&Arc<Resource>> {
        self.originals()?.resource.as_ref()
    }

    pub(crate) fn set_resource(&mut self, resource: Option<&Arc<Resource>>) {
        let originals = self.details.as_deref_mut().and_then(|details| details.originals.as_mut());
        if let (Some(originals), Some(resource)) = (originals, resource)
            && originals.resource.is_none()
        {
            originals.resource = Some(Arc::clone(resource));
        }
    }

    /// Moves an original to the front, in exchange for the one that stands there.
    pub(crate) fn move_to_front(&mut self, at: usize) {
        let details = self.details.as_deref_mut();
        if let Some(originals) = details.and_then(|details| details.originals.as_mut()) {
            originals.column.swap(0, at);
        }
    }

    /// This buffer with the details of its spans, which are read from the originals at the first call.
    #[inline]
    pub(crate) fn full(&self, correction: i64) -> &Self {
        match self.originals() {
            None => self,
            Some(originals) => self.read_originals(originals, correction),
        }
    }

    #[cold]
    fn read_originals<'a>(&'a self, originals: &'a Originals, correction: i64) -> &'a Self {
        if originals.read.get().is_none() {
            // Outside of the cell, which must not be locked while an adapter's code runs.
            let read = Box::new(self.described(originals, correction));
            drop(originals.read.set(read));
        }
        originals.read.get().map_or(self, |read| read)
    }

    /// A copy whose details come from the originals. What those were held to is their tracer's affair.
    fn described(&self, originals: &Originals, correction: i64) -> Self {
        let mut read = Self::default();
        for (index, record) in (0..).zip(&self.spans) {
            let name = self.owned_name(record);
            let (id, parent, start, kind) = (record.id, record.parent, record.start, record.kind);
            let new = NewSpan { id, parent, start, name, kind };
            let Ok(copy) = read.push_span(new, &Limits::NONE) else { break };
            let mut span = SpanMut::new(&mut read, correction, copy, Limits::NONE);
            // An adapter that panics has said what it has said.
            let _ = guarded::call(|| originals.column.describe(index, &mut span));
            if let Some(copied) = read.spans.get_mut(copy as usize) {
                (copied.id, copied.parent, copied.start) = (id, parent, start);
                copied.outcome = record.outcome;
                (copied.end, copied.is_parent_remote) = (record.end, record.is_parent_remote);
            }
        }
        read
    }

    /// Makes it a buffer of ours, to be changed.
    pub(crate) fn own(&mut self, correction: i64) {
        if self.has_originals() {
            *self = self.full(correction).clone();
        }
    }
}
