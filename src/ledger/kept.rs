//! What was kept, by the policy that kept it and by the operation it began with.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::kit::name_table::NameTable;

/// How many names are counted apart.
const NAMES: usize = 64;

/// The name under which the rest is counted.
pub(super) const OTHER: &str = "other";

/// What was kept under one name: of a policy, or of the operation that a local trace began with.
///
/// From [`Pipeline::stats_by_policy`](crate::Pipeline::stats_by_policy) and
/// [`Pipeline::stats_by_operation`](crate::Pipeline::stats_by_operation).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptStats {
    /// The name; `other` for all beyond the first 64, and for names of more than 256 bytes.
    pub name: String,
    /// Traces that were kept. What ended late, after its trace had been decided, is no trace more.
    pub traces: u64,
    /// Spans of these traces, late ones included; by operation these stand under `other`.
    pub spans: u64,
    /// The bytes that were given to the exporters: the memory of the traces, before a queue that fills packs them. What
    /// goes over the wire is what an exporter makes of them.
    pub bytes: u64,
}

/// Counts what is kept under a bounded number of names, without a lock.
// Relaxed throughout: a count orders no other access.
#[derive(Debug)]
pub(super) struct KeptTable {
    names: NameTable<Counters>,
    other: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    traces: AtomicU64,
    spans: AtomicU64,
    bytes: AtomicU64,
}

impl KeptTable {
    pub(super) fn add(&self, name: &str, traces: u64, spans: u64, bytes: u64) {
        let own = (name != OTHER).then(|| self.names.get_or_insert_with(name, Counters::default));
        let counters = own.flatten().unwrap_or(&self.other);
        counters.traces.fetch_add(traces, Ordering::Relaxed);
        counters.spans.fetch_add(spans, Ordering::Relaxed);
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The counts of this moment, in the order of the names, the rest last.
    pub(super) fn snapshot(&self) -> Vec<KeptStats> {
        let mut all: Vec<KeptStats> =
            self.names.iter().map(|(name, counters)| counters.read(name)).collect();
        all.sort_unstable_by(|one, another| one.name.cmp(&another.name));
        all.extend(Some(self.other.read(OTHER)).filter(|other| other.spans > 0));
        all
    }
}

impl Default for KeptTable {
    fn default() -> Self {
        Self { names: NameTable::new(NAMES), other: Counters::default() }
    }
}

impl Counters {
    fn read(&self, name: &str) -> KeptStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        KeptStats {
            name: name.to_owned(),
            traces: read(&self.traces),
            spans: read(&self.spans),
            bytes: read(&self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_64_names_are_counted_apart_and_the_rest_together() {
        let table = KeptTable::default();
        for round in 0..2 {
            for name in 0..100 {
                table.add(&format!("GET /{name:03}"), 1 - round, 2, 3);
            }
        }
        let all = table.snapshot();
        assert_eq!(all.len(), NAMES + 1);
        let first = all.first().unwrap();
        assert_eq!((first.name.as_str(), first.traces, first.spans), ("GET /000", 1, 4));
        let last = all.last().unwrap();
        assert_eq!(
            (last.name.as_str(), last.traces, last.spans, last.bytes),
            (OTHER, 36, 144, 216)
        );
    }

    #[test]
    fn a_name_that_is_the_word_for_the_rest_is_counted_with_it() {
        let table = KeptTable::default();
        table.add(OTHER, 1, 1, 1);
        table.add(&"x".repeat(1000), 1, 1, 1);
        let all = table.snapshot();
        assert_eq!(
            all.iter().map(|one| (one.name.as_str(), one.traces)).collect::<Vec<_>>(),
            [(OTHER, 2)]
        );
    }
}
