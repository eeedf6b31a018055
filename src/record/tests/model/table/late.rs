//! Spans that end after their trace was decided.

use super::StateTable;
use crate::record::tests::model::rows::{Column, Request, State};

impl StateTable {
    /// A span ends in a trace that is in the ring, or that was taken out of it.
    pub(super) fn finish_held(&mut self, span: usize, index: usize) {
        let row = &mut self.traces[index];
        if row.request > Request::None {
            row.state = State::Kept;
            if row.open.is_empty() {
                self.export_late(index);
            }
        } else if self.failed.contains(&span) && !row.was_decided_anew && !row.held.is_empty() {
            row.was_decided_anew = true;
            row.state = State::Open;
            let held = std::mem::take(&mut row.held);
            row.ended.extend(held);
            self.decide(index);
        } else if row.open.is_empty() {
            let ended = std::mem::take(&mut row.ended);
            row.held.extend(ended.iter().copied());
            self.set_column(&ended, Column::Held);
        }
    }

    pub(super) fn export_late(&mut self, index: usize) {
        let ended = std::mem::take(&mut self.traces[index].ended);
        self.set_column(&ended, Column::Exported { late: true });
    }
}
