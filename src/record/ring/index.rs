//! Where in the full segments of a ring the traces of an id stand.
//!
//! Traces are entered when their segment is full, all at once: each falls into a place of memory that is in no cache,
//! and together they wait for it once. The tables are never rebuilt. When one is full the next begins, and it goes with
//! its last segment.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::model::TraceId;

/// The most traces of one segment.
pub(super) const MOST_ENTRIES: usize = 1 << 12;

/// The most slots of one table, each of 8 bytes.
const MOST_SLOTS: usize = 1 << 18;

/// The most segments of one table: what the bits of a slot allow beside the place in a segment.
const MOST_SEGMENTS: u64 = 1 << 19;

/// The index of the full segments.
#[derive(Debug, Default)]
pub(super) struct RingIndex {
    // Trace ids come from other services, so the hash has a seed of its own.
    hasher: RandomState,
    /// The oldest first; entries are added to the last.
    tables: VecDeque<Table>,
}

/// The entries of some segments, one after the other.
#[derive(Debug)]
struct Table {
    /// The number of its first segment, and of the one after its last.
    first: u64,
    end: u64,
    /// Open addressing, with at least a quarter free: a fingerprint above the place of its newest entry, counted
    /// from one; zero is free.
    slots: Box<[u64]>,
    used: usize,
    /// Entries that follow others of their fingerprint, by the place of the last: the parts of one long trace stand one
    /// behind the other. Of others few are here.
    runs: HashMap<u32, Run, RandomState>,
}

/// Entries of one fingerprint, one behind the other.
#[derive(Clone, Copy, Debug)]
struct Run {
    entries: u32,
    /// The place of the newest entry of the same fingerprint before these.
    before: Option<u32>,
}

impl RingIndex {
    /// The hash of a trace id by which this index knows it.
    #[inline]
    pub(super) fn fingerprint(&self, id: TraceId) -> u32 {
        (self.hasher.hash_one(id.to_bits()) >> 32) as u32
    }

    /// Enters the traces of a full segment, whose number is the highest so far; how many bytes that took.
    pub(super) fn enter(&mut self, segment: u64, fingerprints: &[u32]) -> usize {
        let needed = fingerprints.len();
        let mut bytes = 0;
        if !self.tables.back().is_some_and(|table| table.has_room_for(needed, segment)) {
            // The next table is as large as half of all others, so that a ring has a handful of them.
            let others: usize = self.tables.iter().map(Table::len).sum();
            let slots = (others / 2).max(2 * needed).max(4).next_power_of_two().min(MOST_SLOTS);
            self.tables.push_back(Table::new(segment, slots));
            bytes += slots * size_of::<u64>();
        }
        if let Some(table) = self.tables.back_mut() {
            let runs = table.runs.len();
            table.enter(segment, fingerprints);
            bytes += (table.runs.len() - runs) * RUN_BYTES;
        }
        bytes
    }

    /// Forgets tables all of whose segments have a lower number than `first`; how many bytes that freed.
    pub(super) fn forget_before(&mut self, first: u64) -> usize {
        let mut bytes = 0;
        while let Some(table) = self.tables.front().filter(|table| table.end <= first) {
            bytes += table.bytes();
            self.tables.pop_front();
        }
        bytes
    }

    /// Shows the number of the segment and the place in it of each trace that may have this fingerprint, the newest
    /// first, until `show` is false or their segments have gone.
    pub(super) fn visit(&self, fingerprint: u32, mut show: impl FnMut(u64, usize) -> bool) {
        for table in self.tables.iter().rev() {
            let mut next = table.find(fingerprint);
            while let Some(last) = next {
                let run = table.runs.get(&last);
                let first = last - run.map_or(0, |run| run.entries - 1);
                for place in (first..=last).rev() {
                    let segment = table.first + u64::from(place / MOST_ENTRIES as u32);
                    if !show(segment, place as usize % MOST_ENTRIES) {
                        return;
                    }
                }
                next = run.and_then(|run| run.before);
            }
        }
    }
}

/// About what entries take more that follow others of their fingerprint.
const RUN_BYTES: usize = 2 * (size_of::<(u32, Run)>() + 1);

impl Table {
    fn new(segment: u64, slots: usize) -> Self {
        Self {
            first: segment,
            end: segment,
            slots: vec![0; slots].into_boxed_slice(),
            used: 0,
            runs: HashMap::default(),
        }
    }

    fn has_room_for(&self, entries: usize, segment: u64) -> bool {
        let most = self.slots.len() / 4 * 3;
        self.len() + entries <= most && segment - self.first < MOST_SEGMENTS
    }

    /// How many entries there are, those that follow each other with one fingerprint counted as one or two.
    fn len(&self) -> usize {
        self.used + self.runs.len()
    }

    fn bytes(&self) -> usize {
        self.slots.len() * size_of::<u64>() + self.runs.len() * RUN_BYTES
    }

    fn enter(&mut self, segment: u64, fingerprints: &[u32]) {
        let base = (segment - self.first) as u32 * MOST_ENTRIES as u32;
        let next = fingerprints.get(1..).unwrap_or_default();
        // Counted to the end, which takes less than a look at each whether it is the first.
        let followers = fingerprints.iter().zip(next).filter(|(one, next)| one == next).count();
        if followers > 0 {
            self.enter_runs(base, fingerprints);
        } else {
            for (fingerprint, place) in fingerprints.iter().zip(base..) {
                self.enter_run(*fingerprint, place, 1);
            }
        }
        self.end = segment + 1;
    }

    /// Enters entries of which some follow others of their fingerprint.
    #[cold]
    fn enter_runs(&mut self, base: u32, fingerprints: &[u32]) {
        let mut next = base;
        for run in fingerprints.chunk_by(PartialEq::eq) {
            // There are some thousand entries in a segment.
            let entries = run.len() as u32;
            next += entries;
            if let Some(fingerprint) = run.first() {
                self.enter_run(*fingerprint, next - 1, entries);
            }
        }
    }

    /// Enters entries that stand one behind the other, the last at `place`.
    #[inline(always)]
    fn enter_run(&mut self, fingerprint: u32, place: u32, entries: u32) {
        let at = self.slot_of(fingerprint);
        let Some(slot) = self.slots.get_mut(at) else { return };
        let before = std::mem::replace(slot, pack(fingerprint, place));
        self.used += usize::from(before == 0);
        if before > 0 || entries > 1 {
            self.note_run(place, entries, before);
        }
    }

    #[cold]
    fn note_run(&mut self, place: u32, entries: u32, before: u64) {
        let before = unpack(before).map(|(_, place)| place);
        self.runs.insert(place, Run { entries, before });
    }

    fn find(&self, fingerprint: u32) -> Option<u32> {
        let slot = self.slots.get(self.slot_of(fingerprint))?;
        unpack(*slot).map(|(_, place)| place)
    }

    /// The slot of this fingerprint, or the free one where it belongs.
    fn slot_of(&self, fingerprint: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = fingerprint as usize & mask;
        while let Some(slot) = self.slots.get(at)
            && unpack(*slot).is_some_and(|(other, _)| other != fingerprint)
        {
            at = (at + 1) & mask;
        }
        at
    }
}

fn pack(fingerprint: u32, place: u32) -> u64 {
    u64::from(fingerprint) << 32 | u64::from(place + 1)
}

fn unpack(slot: u64) -> Option<(u32, u32)> {
    let place = (slot as u32).checked_sub(1)?;
    Some(((slot >> 32) as u32, place))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(index: &RingIndex, fingerprint: u32) -> Vec<(u64, usize)> {
        let mut found = Vec::new();
        index.visit(fingerprint, |segment, entry| {
            found.push((segment, entry));
            true
        });
        found
    }

    /// Many, and one that often follows itself.
    fn fingerprints() -> impl Strategy<Value = u32> {
        prop_oneof![0_u32..50, Just(7)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_finds_what_a_list_finds(
            segments in prop::collection::vec(prop::collection::vec(fingerprints(), 1..40), 1..40),
            forgotten in 0_usize..40,
        ) {
            let mut index = RingIndex::default();
            let mut bytes = 0;
            for (number, fingerprints) in (0..).zip(&segments) {
                bytes += index.enter(number, fingerprints);
            }
            let first = forgotten.min(segments.len());
            bytes -= index.forget_before(first as u64);
            let tables: usize = index.tables.iter().map(Table::bytes).sum();
            prop_assert_eq!(bytes, tables);
            for fingerprint in 0..60 {
                let mut expected = Vec::new();
                for (number, segment) in segments.iter().enumerate().skip(first) {
                    let places = segment.iter().enumerate().filter(|(_, fp)| **fp == fingerprint);
                    expected.extend(places.map(|(place, _)| (number as u64, place)));
                }
                expected.reverse();
                let mut found = found(&index, fingerprint);
                found.retain(|(segment, _)| *segment >= first as u64);
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_thousand_segments_need_a_handful_of_tables() {
        let mut index = RingIndex::default();
        let mut next = 1_u32;
        for segment in 0..4_000_u64 {
            let fingerprints: Vec<_> = (0..400)
                .map(|_| {
                    next = next.wrapping_mul(0x9e37_79b9).wrapping_add(0x7f4a_7c15);
                    next
                })
                .collect();
            index.enter(segment, &fingerprints);
            index.forget_before(segment.saturating_sub(1_000));
        }
        assert!(index.tables.len() < 10, "{} tables", index.tables.len());
    }

    #[test]
    fn traces_of_one_id_take_no_more_memory_than_others() {
        let mut index = RingIndex::default();
        let mut bytes = 0_usize;
        for segment in 0..4_000_u64 {
            bytes += index.enter(segment, &[7; 400]);
            bytes -= index.forget_before(segment.saturating_sub(100));
        }
        // A hundred segments of 400 are there.
        assert!(bytes < 40_000 * 64, "{bytes} bytes");
    }
}
