//! A part of the ring: traces one behind the other, which leave together.

use std::time::Duration;

use super::dropped::{DroppedTrace, NEVER, Pushed};
use super::index::MOST_ENTRIES;
use crate::model::TraceId;
use crate::time::Tick;
use crate::trace::header::TraceHeader;
use crate::trace::store::{ColumnLengths, PackedColumns, PackedSpans, SpanStore};

/// A trace with more bytes than this is moved in with its buffer: copying it would cost more than a cold buffer does.
const LARGEST_COPIED: usize = 32 * 1024;

/// Traces that were dropped one after the other.
#[derive(Debug)]
pub(super) struct Segment {
    entries: Vec<Entry>,
    /// The fingerprint of each entry's trace id, apart, so that a search looks at little memory.
    fingerprints: Vec<u32>,
    columns: PackedColumns,
    /// How many entries, from the first on, have expired.
    expired: usize,
    /// The memory of what is in no column.
    other_bytes: usize,
    /// What the ring's total includes for this segment.
    counted: usize,
    spans: u64,
}

/// A trace in a segment.
#[derive(Debug)]
pub(super) struct Entry {
    header: TraceHeader,
    since: Tick,
    spans: EntrySpans,
}

#[derive(Debug)]
enum EntrySpans {
    /// They stand in the columns.
    Packed(PackedSpans),
    /// They were moved in as they were.
    Whole(SpanStore),
    /// They have expired.
    Expired,
    /// They were taken out.
    Gone,
}

/// How much a segment holds of what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SegmentShape {
    entries: usize,
    columns: ColumnLengths,
}

impl Segment {
    /// An empty segment with memory for this much.
    pub(super) fn with_capacity(shape: SegmentShape) -> Self {
        Self {
            entries: Vec::with_capacity(shape.entries),
            fingerprints: Vec::with_capacity(shape.entries),
            columns: PackedColumns::with_capacity(shape.columns),
            expired: 0,
            other_bytes: 0,
            counted: 0,
            spans: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn spans(&self) -> u64 {
        self.spans
    }

    /// What the ring's total includes for it.
    pub(super) const fn counted(&self) -> usize {
        self.counted
    }

    pub(super) fn fingerprints(&self) -> &[u32] {
        &self.fingerprints
    }

    /// What a segment of `bytes` would hold of traces like these.
    pub(super) fn shape(&self, bytes: usize) -> SegmentShape {
        let lengths = self.columns.lengths();
        let used = self.other_bytes
            + lengths.bytes()
            + self.len() * (size_of::<Entry>() + size_of::<u32>());
        let scaled = |count: usize| count.saturating_mul(bytes) / used.max(1);
        // A segment of whole buffers leaves its columns empty.
        let entries = scaled(self.len()).min(MOST_ENTRIES);
        SegmentShape { entries, columns: lengths.map(scaled) }
    }

    /// Whether a trace of so many bytes can be copied into memory that is there.
    #[inline]
    pub(super) fn has_room_for(&self, next: &SpanStore, bytes: usize) -> bool {
        self.entries.len() < self.entries.capacity()
            && next.fits_in(&self.columns)
            && !is_moved(next, bytes)
    }

    /// Whether the next trace, of so many bytes, goes into another segment, where one is full at `most`.
    pub(super) fn is_full_for(&self, next: &SpanStore, bytes: usize, most: usize) -> bool {
        let has_room = self.entries.len() < self.entries.capacity()
            && (is_moved(next, bytes) || next.fits_in(&self.columns));
        let is_full = self.other_bytes >= most || (!has_room && self.bytes() >= most / 2);
        (is_full && !self.entries.is_empty()) || self.len() >= MOST_ENTRIES
    }

    /// Adds a trace of so many bytes, whose spans are copied, or moved where that is cheaper.
    pub(super) fn push(
        &mut self,
        header: &TraceHeader,
        fingerprint: u32,
        since: Tick,
        store: &mut SpanStore,
        bytes: usize,
    ) -> Pushed {
        if !is_moved(store, bytes) {
            self.copy(header, fingerprint, since, store);
            return Pushed::Copied;
        }
        self.spans += store.len() as u64;
        self.other_bytes += store.bytes() + header.trace_state.bytes();
        let spans = EntrySpans::Whole(std::mem::take(store));
        self.fingerprints.push(fingerprint);
        self.entries.push(Entry { header: header.clone(), since, spans });
        Pushed::Moved
    }

    /// Adds a trace by copying its spans; whether it brought memory along that is in no column.
    #[inline]
    pub(super) fn copy(
        &mut self,
        header: &TraceHeader,
        fingerprint: u32,
        since: Tick,
        store: &mut SpanStore,
    ) -> bool {
        self.spans += store.len() as u64;
        let packed = store.pack_into(&mut self.columns);
        let other_bytes = packed.rare_bytes() + header.trace_state.bytes();
        self.other_bytes += other_bytes;
        self.fingerprints.push(fingerprint);
        let spans = EntrySpans::Packed(packed);
        self.entries.push(Entry { header: header.clone(), since, spans });
        other_bytes > 0
    }

    /// How much more memory it takes than at the last call.
    pub(super) fn take_uncounted(&mut self) -> usize {
        let bytes = self.bytes();
        let grown = bytes.saturating_sub(self.counted);
        self.counted += grown;
        grown
    }

    /// How much less memory it takes than was counted.
    pub(super) fn take_freed(&mut self) -> usize {
        let freed = self.counted.saturating_sub(self.bytes());
        self.counted -= freed;
        freed
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.columns.bytes()
            + self.entries.capacity() * size_of::<Entry>()
            + self.fingerprints.capacity() * size_of::<u32>()
            + self.other_bytes
    }

    /// When the oldest trace that has not expired was dropped.
    pub(super) fn oldest(&self) -> Tick {
        self.entries.get(self.expired).map_or(self.newest(), |entry| entry.since)
    }

    /// When the newest trace was dropped.
    pub(super) fn newest(&self) -> Tick {
        self.entries.last().map_or(NEVER, |entry| entry.since)
    }

    /// Lets go of the first traces as long as they are too old; how many spans they had. What must not be dropped under
    /// a lock goes to `stores`.
    pub(super) fn expire(
        &mut self,
        is_old: impl Fn(Tick) -> bool,
        stores: &mut Vec<SpanStore>,
    ) -> u64 {
        let before = self.spans;
        while let Some(entry) = self.entries.get_mut(self.expired) {
            if !is_old(entry.since) {
                break;
            }
            self.expired += 1;
            let spans = match &entry.spans {
                EntrySpans::Gone => EntrySpans::Gone,
                _ => std::mem::replace(&mut entry.spans, EntrySpans::Expired),
            };
            match spans {
                EntrySpans::Packed(packed) => self.spans -= packed.len() as u64,
                EntrySpans::Whole(store) => {
                    self.spans -= store.len() as u64;
                    stores.push(store);
                }
                EntrySpans::Expired | EntrySpans::Gone => {}
            }
        }
        before - self.spans
    }

    /// Shows each trace that nothing took out and whose id `is_wanted`, with the time it took where its spans are there.
    pub(super) fn visit_left(
        &self,
        is_wanted: impl Fn(TraceId) -> bool,
        show: &mut impl FnMut(TraceId, Option<Duration>),
    ) {
        for entry in self.entries.iter().filter(|entry| is_wanted(entry.header.trace_id)) {
            let times = match &entry.spans {
                EntrySpans::Packed(packed) => self.columns.times(packed),
                EntrySpans::Whole(store) => store.times(entry.header.correction),
                EntrySpans::Expired => None,
                EntrySpans::Gone => continue,
            };
            show(entry.header.trace_id, times.map(|(start, end)| end.since(start)));
        }
    }

    /// The buffers that were moved in.
    pub(super) fn into_stores(self) -> impl Iterator<Item = SpanStore> {
        self.entries.into_iter().filter_map(|entry| match entry.spans {
            EntrySpans::Whole(store) => Some(store),
            EntrySpans::Packed(_) | EntrySpans::Expired | EntrySpans::Gone => None,
        })
    }

    /// The last entry before the place `end` whose trace id may be the one that is looked for.
    pub(super) fn find_before(&self, end: usize, fingerprint: u32) -> Option<usize> {
        let before = self.fingerprints.get(..end)?;
        before.iter().rposition(|other| *other == fingerprint)
    }

    /// Whether the trace that stands there has this id and is not too old.
    pub(super) fn holds(&self, entry: usize, id: TraceId, is_old: impl Fn(Tick) -> bool) -> bool {
        self.entries.get(entry).is_some_and(|entry| {
            entry.header.trace_id == id
                && !is_old(entry.since)
                && matches!(entry.spans, EntrySpans::Packed(_) | EntrySpans::Whole(_))
        })
    }

    /// Takes the trace that stands there out, if it has this id and is not too old.
    pub(super) fn take(
        &mut self,
        entry: usize,
        id: TraceId,
        is_old: impl Fn(Tick) -> bool,
    ) -> Option<DroppedTrace> {
        let entry = self.entries.get_mut(entry)?;
        if entry.header.trace_id != id || is_old(entry.since) {
            return None;
        }
        let store = match std::mem::replace(&mut entry.spans, EntrySpans::Gone) {
            EntrySpans::Packed(packed) => {
                self.other_bytes -= packed.rare_bytes();
                SpanStore::unpack(&self.columns, packed)
            }
            EntrySpans::Whole(store) => {
                self.other_bytes -= store.bytes();
                store
            }
            EntrySpans::Expired | EntrySpans::Gone => return None,
        };
        self.spans -= store.len() as u64;
        Some(DroppedTrace { header: entry.header.clone(), store })
    }
}

/// Whether a trace is moved in and not copied: it is large, or consists of spans of another tracer.
fn is_moved(store: &SpanStore, bytes: usize) -> bool {
    bytes > LARGEST_COPIED || store.is_foreign()
}
