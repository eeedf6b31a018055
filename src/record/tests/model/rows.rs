//! The rows of the table, and the columns of the ledger that it fills.

use std::collections::{BTreeMap, BTreeSet};

use crate::kit::secret::secret_order;
use crate::ledger::Reason;
use crate::model::TraceId;
use crate::time::Tick;

/// What the head answers about a root, and whether a policy drops it on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Tail,
    Sample,
    OnPurpose,
}

impl Head {
    /// What the sampler and the tail of the test know it by.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Tail => "root",
            Self::Sample => "head",
            Self::OnPurpose => "purpose",
        }
    }
}

/// The strongest request that was made for a live trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Request {
    #[default]
    None,
    ByNotice,
    ByPerson,
}

/// The states that one thread can see: while a trace is being decided, it does nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Kept,
    InRing,
    DroppedOnPurpose,
    /// What starts now is dropped for this reason.
    Gone(Reason),
}

/// Where a span is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Live,
    Held,
    Exported { late: bool },
    Dropped(Reason),
}

#[derive(Debug)]
pub(super) struct TraceRow {
    pub(super) id: TraceId,
    pub(super) head: Head,
    pub(super) state: State,
    pub(super) root: usize,
    pub(super) open: BTreeSet<usize>,
    pub(super) ended: BTreeSet<usize>,
    pub(super) held: BTreeSet<usize>,
    pub(super) request: Request,
    /// Whether spans of it were kept.
    pub(super) was_kept: bool,
    /// Whether a policy dropped a part of it on purpose.
    pub(super) was_dropped_on_purpose: bool,
    /// Whether a late error had it decided a second time.
    pub(super) was_decided_anew: bool,
    pub(super) is_worth_keeping: bool,
    /// Spans in the order they stand in the buffer.
    pub(super) order: Vec<usize>,
    pub(super) requested_at: Option<Tick>,
    pub(super) is_in_parts: bool,
    /// Spans that have been open for long.
    pub(super) trunk: BTreeSet<usize>,
    pub(super) kept_below: BTreeSet<usize>,
    /// Parts that went into the ring.
    pub(super) held_parts: Vec<BTreeSet<usize>>,
    pub(super) outcomes: BTreeMap<usize, Outcome>,
}

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Kept,
    /// It is the part of this number in the ring.
    Held(usize),
    OnPurpose,
    Dropped,
}

impl TraceRow {
    pub(super) fn is_registered(&self) -> bool {
        !(self.open.is_empty() && self.ended.is_empty())
    }

    pub(super) fn worth(&self) -> (bool, u64) {
        (self.is_worth_keeping, secret_order(self.id.to_bits()))
    }
}

/// The columns of the ledger.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) started: u64,
    pub(super) live: u64,
    pub(super) held: u64,
    pub(super) exported: u64,
    pub(super) late: u64,
    pub(super) dropped: BTreeMap<usize, u64>,
}

impl Columns {
    pub(super) fn new<'c>(spans: impl ExactSizeIterator<Item = &'c Column>) -> Self {
        let mut columns = Self { started: spans.len() as u64, ..Self::default() };
        for column in spans {
            match column {
                Column::Live => columns.live += 1,
                Column::Held => columns.held += 1,
                Column::Exported { late } => {
                    columns.exported += 1;
                    columns.late += u64::from(*late);
                }
                Column::Dropped(reason) => {
                    *columns.dropped.entry(*reason as usize).or_default() += 1;
                }
            }
        }
        columns
    }
}
