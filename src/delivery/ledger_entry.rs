//! What a trace that goes to several exporters owes the ledger.

use std::sync::Arc;

use crate::kit::sync::{Mutex, lock};
use crate::ledger::{Ledger, Reason};

/// One exporter's part in the account of a trace.
///
/// The ledger counts a span once, however many exporters the trace goes to: exported when one of them
/// accepted it, lost when none did, and not before all of them are done.
#[derive(Debug)]
pub(super) struct LedgerEntry {
    spans: u64,
    /// `None` when there is only one exporter.
    shared: Option<Arc<Mutex<Shared>>>,
}

#[derive(Debug)]
struct Shared {
    exporters: u64,
    open: u64,
    /// The most that one exporter accepted.
    accepted: u64,
    /// Summed over the exporters.
    missed: u64,
    reason: Reason,
}

/// What became of a trace at one exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settlement {
    /// The spans that the peer accepted.
    pub(super) accepted: u64,
    /// The spans that the peer rejected.
    pub(super) rejected: u64,
    /// Why all other spans are lost.
    pub(super) reason: Reason,
}

impl Settlement {
    pub(super) const fn lost(reason: Reason) -> Self {
        Self { accepted: 0, rejected: 0, reason }
    }
}

impl LedgerEntry {
    /// Enters a trace into the account: one ledger entry for each exporter, never none.
    pub(super) fn issue(
        ledger: &Ledger,
        spans: u64,
        exporters: usize,
    ) -> impl Iterator<Item = Self> {
        ledger.queued(spans);
        let shared = (exporters > 1).then(|| {
            Arc::new(Mutex::new(Shared {
                exporters: exporters as u64,
                open: exporters as u64,
                accepted: 0,
                missed: 0,
                reason: Reason::Refused,
            }))
        });
        (0..exporters).map(move |_| Self { spans, shared: shared.clone() })
    }

    pub(super) const fn spans(&self) -> u64 {
        self.spans
    }

    /// The exporter is done with the trace; the last one tells the ledger.
    pub(super) fn settle(self, ledger: &Ledger, settlement: Settlement) {
        let accepted = settlement.accepted.min(self.spans);
        let rejected = settlement.rejected.min(self.spans - accepted);
        let Some(shared) = self.shared else {
            let lost = self.spans - accepted - rejected;
            record(ledger, accepted, &[(Reason::Refused, rejected), (settlement.reason, lost)]);
            return;
        };
        let mut shared = lock(&shared);
        shared.open = shared.open.saturating_sub(1);
        shared.accepted = shared.accepted.max(accepted);
        if accepted < self.spans {
            let all_rejected = accepted + rejected == self.spans;
            shared.reason = if all_rejected { Reason::Refused } else { settlement.reason };
            shared.missed += self.spans - accepted;
        }
        if shared.open == 0 {
            let lost = self.spans - shared.accepted;
            record(ledger, shared.accepted, &[(shared.reason, lost)]);
            // A span that no exporter delivered is lost, and not missed by one of them.
            ledger.missed(shared.missed.saturating_sub(lost * shared.exporters));
        }
    }
}

fn record(ledger: &Ledger, accepted: u64, losses: &[(Reason, u64)]) {
    if accepted > 0 {
        ledger.exported(accepted);
    }
    for (reason, lost) in losses {
        if *lost > 0 {
            ledger.lost(*reason, *lost);
        }
    }
}

#[cfg(all(test, not(tailtrace_loom)))]
mod tests {
    use super::*;
    use crate::ledger::Stats;

    const ALL: Settlement = Settlement { accepted: 10, rejected: 0, reason: Reason::Refused };

    fn settled(settlement: &[Settlement]) -> Stats {
        let ledger = Ledger::default();
        let ledger_entries: Vec<LedgerEntry> =
            LedgerEntry::issue(&ledger, 10, settlement.len()).collect();
        assert_eq!(ledger.counters().queued, 10);
        for (ledger_entry, settlement) in ledger_entries.into_iter().zip(settlement) {
            ledger_entry.settle(&ledger, *settlement);
        }
        let stats = ledger.counters();
        assert_eq!((stats.queued, stats.exported + stats.failed()), (0, 10));
        stats
    }

    #[test]
    fn a_trace_that_one_exporter_accepted_is_exported_once() {
        let stats = settled(&[Settlement::lost(Reason::QueueFull), ALL, ALL]);
        assert_eq!((stats.exported, stats.missed), (10, 10));
    }

    #[test]
    fn a_trace_that_no_exporter_accepted_is_lost_for_the_last_reason() {
        let stats = settled(&[
            Settlement::lost(Reason::QueueFull),
            Settlement::lost(Reason::RetriesExhausted),
        ]);
        assert_eq!(stats.dropped_by(Reason::RetriesExhausted), 10);
        assert_eq!((stats.exported, stats.missed), (0, 0));
    }

    #[test]
    fn a_part_that_was_rejected_is_refused() {
        let part = Settlement { accepted: 7, rejected: 3, reason: Reason::RetriesExhausted };
        let stats = settled(&[part]);
        assert_eq!((stats.exported, stats.dropped_by(Reason::Refused)), (7, 3));
        let stats = settled(&[part, Settlement::lost(Reason::ExporterPanicked)]);
        assert_eq!((stats.exported, stats.missed), (7, 7));
        assert_eq!(stats.dropped_by(Reason::ExporterPanicked), 3);
        let stats = settled(&[Settlement { rejected: 1, ..part }]);
        assert_eq!(stats.dropped_by(Reason::Refused), 1);
        assert_eq!(stats.dropped_by(Reason::RetriesExhausted), 2);
    }

    #[test]
    fn the_ledger_hears_nothing_before_every_exporter_is_done() {
        let ledger = Ledger::default();
        let mut ledger_entries = LedgerEntry::issue(&ledger, 10, 2);
        ledger_entries.next().unwrap().settle(&ledger, ALL);
        assert_eq!(ledger.counters().queued, 10);
    }
}
