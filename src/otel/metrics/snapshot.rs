//! The numbers that the rows of one collection share.

use std::sync::Arc;

use crate::ledger::{KeptStats, Stats};
use crate::record::{OpenSpanCounts, SpanPool};

/// The numbers of a pipeline at one moment.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) stats: Stats,
    pub(super) open: OpenSpanCounts,
    pub(super) pool: SpanPool,
    pub(super) by_policy: Arc<[KeptStats]>,
    pub(super) by_operation: Arc<[KeptStats]>,
}

/// A snapshot and the rows that have read it, a bit for each.
pub(super) struct SharedSnapshot {
    snapshot: Snapshot,
    readers: u64,
}

impl SharedSnapshot {
    /// A snapshot that one row has read.
    pub(super) fn new(snapshot: Snapshot, row: usize) -> Self {
        Self { snapshot, readers: 1 << row }
    }

    /// Reads it for a row; `None` when the row has read it, and so begins another collection.
    pub(super) fn read(&mut self, row: usize) -> Option<Snapshot> {
        let reader = 1 << row;
        if self.readers & reader != 0 {
            return None;
        }
        self.readers |= reader;
        Some(self.snapshot.clone())
    }
}
