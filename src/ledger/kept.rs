//! What was kept, by the policy that kept it and by the operation it began with.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::kit::name_table::NameTable;

/// How many names are counted apart.
const NAMES: usize = 64;

/// The name under which the rest is counted.
const OTHER: &str = "other";

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
    /// Bytes that were sent with these spans: their share of the bodies of requests that a peer took, before compression,
    /// without HTTP's own headers; of the lines of a file; and of what a `Spool` wrote to disk, which counts then and not
    /// again. Summed over the exporters. What is written for a person or stays in memory counts nothing, nor does what an
    /// exporter of the program or of OpenTelemetry sends, unless it [tells](crate::export::Batch::count_bytes).
    pub bytes_sent: u64,
}

/// Counts what is kept and sent, by policy and by operation.
#[derive(Debug, Default)]
pub(crate) struct KeptAccount {
    by_policy: KeptTable,
    by_operation: KeptTable,
}

/// Under which names a trace is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptNames<'a> {
    /// The policy that kept it.
    pub(crate) policy: &'a str,
    /// The operation that it began with.
    pub(crate) operation: &'a str,
    /// Whether it is what ended late, which begins anywhere in its trace.
    pub(crate) is_late: bool,
}

impl KeptAccount {
    /// A trace is about to be queued.
    pub(crate) fn kept(&self, names: KeptNames<'_>, spans: u64) {
        self.count(names, |counters| {
            counters.traces.fetch_add(u64::from(!names.is_late), Ordering::Relaxed);
            counters.spans.fetch_add(spans, Ordering::Relaxed);
        });
    }

    /// Spans of a trace were sent in this many bytes.
    pub(crate) fn sent(&self, names: KeptNames<'_>, bytes: u64) {
        self.count(names, |counters| {
            counters.bytes_sent.fetch_add(bytes, Ordering::Relaxed);
        });
    }

    /// What was kept, by the policy that kept it.
    pub(super) fn by_policy(&self) -> Vec<KeptStats> {
        self.by_policy.snapshot()
    }

    /// What was kept, by the operation that it began with.
    pub(super) fn by_operation(&self) -> Vec<KeptStats> {
        self.by_operation.snapshot()
    }

    fn count(&self, names: KeptNames<'_>, add: impl Fn(&Counters)) {
        let operation = if names.is_late { OTHER } else { names.operation };
        add(self.by_policy.counters(names.policy));
        add(self.by_operation.counters(operation));
    }
}

/// Counts what is kept under a bounded number of names, without a lock.
// Relaxed throughout: a count orders no other access.
#[derive(Debug)]
struct KeptTable {
    names: NameTable<Counters>,
    other: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    traces: AtomicU64,
    spans: AtomicU64,
    bytes_sent: AtomicU64,
}

impl KeptTable {
    fn counters(&self, name: &str) -> &Counters {
        let own = (name != OTHER).then(|| self.names.get_or_insert_with(name, Counters::default));
        own.flatten().unwrap_or(&self.other)
    }

    /// The counts of this moment, in the order of the names, the rest last.
    fn snapshot(&self) -> Vec<KeptStats> {
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
            bytes_sent: read(&self.bytes_sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(operation: &str) -> KeptNames<'_> {
        KeptNames { policy: "Errors", operation, is_late: false }
    }

    #[test]
    fn the_first_64_names_are_counted_apart_and_the_rest_together() {
        let account = KeptAccount::default();
        for is_late in [false, true] {
            for number in 0..100 {
                let operation = format!("GET /{number:03}");
                account.kept(KeptNames { is_late, ..names(&operation) }, 2);
                account.sent(names(&operation), 3);
            }
        }
        let all = account.by_operation();
        assert_eq!(all.len(), NAMES + 1);
        let first = all.first().unwrap();
        assert_eq!((&*first.name, first.traces, first.spans), ("GET /000", 1, 2));
        let rest = all.last().unwrap();
        assert_eq!((&*rest.name, rest.traces, rest.spans), (OTHER, 36, 272));
        assert_eq!((first.bytes_sent, rest.bytes_sent), (6, 216));
        let [policy] = &*account.by_policy() else { panic!("one policy") };
        assert_eq!((policy.traces, policy.spans, policy.bytes_sent), (100, 400, 600));
    }

    #[test]
    fn a_name_that_is_the_word_for_the_rest_is_counted_with_it() {
        let account = KeptAccount::default();
        account.kept(names(OTHER), 1);
        account.kept(names(&"x".repeat(1000)), 1);
        let [rest] = &*account.by_operation() else { panic!("one row") };
        assert_eq!((&*rest.name, rest.traces), (OTHER, 2));
    }
}
