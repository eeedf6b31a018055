//! Roots whose parent may still change.

use super::{Place, StateTable};
use crate::ledger::Reason;
use crate::record::tests::model::rows::{Column, State};

impl StateTable {
    /// A draft joins the trace of a parent, unless it was evicted.
    pub(in crate::record::tests::model) fn join_draft(&mut self, draft: usize, parent: usize) {
        if self.is_sent(draft) {
            return;
        }
        if self.leave_as_draft(draft) {
            let has_failed = self.failed.remove(&draft);
            let start = self.starts[&draft];
            self.start_child(draft, parent, start);
            if has_failed {
                self.fail(draft);
            }
        }
    }

    /// A draft goes as if it had never started.
    pub(in crate::record::tests::model) fn cancel_draft(&mut self, draft: usize) {
        if self.is_sent(draft) {
            return;
        }
        self.leave_as_draft(draft);
        self.places.remove(&draft);
        self.columns.remove(&draft);
    }

    /// Whether a draft was sent while it was open. It is a root then, which has ended.
    fn is_sent(&self, draft: usize) -> bool {
        matches!(self.columns.get(&draft), Some(Column::Exported { .. }))
    }

    /// Takes the trace of a draft out of the live ones; false when it was evicted, or recording has ended.
    fn leave_as_draft(&mut self, draft: usize) -> bool {
        let Some(Place::In(index)) = self.places.get(&draft).copied() else { return false };
        let is_there = self.traces[index].open.remove(&draft);
        self.traces[index].state = State::Gone(Reason::LiveTraces);
        is_there
    }
}
