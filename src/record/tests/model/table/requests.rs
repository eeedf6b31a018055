//! Requests for traces, and the end of recording.

use std::collections::BTreeSet;

use super::StateTable;
use crate::ledger::Reason;
use crate::model::TraceId;
use crate::record::KeepOutcome;
use crate::record::tests::model::rows::{Column, Request, State};
use crate::time::Tick;

impl StateTable {
    pub(in crate::record::tests::model) fn keep(
        &mut self,
        id: TraceId,
        request: Request,
        now: Tick,
    ) -> KeepOutcome {
        let mut outcome = KeepOutcome::Unknown;
        for row in self.traces.iter_mut().filter(|row| row.id == id) {
            let was_kept = row.was_kept;
            if row.is_registered() {
                // Spans that are open follow.
                if request >= row.request {
                    row.request = request;
                    row.requested_at = Some(now);
                }
                row.is_worth_keeping = true;
                outcome = KeepOutcome::WhenComplete;
            } else if was_kept {
                outcome = KeepOutcome::AlreadyKept;
            } else if row.state == State::DroppedOnPurpose || row.was_dropped_on_purpose {
                outcome = KeepOutcome::DroppedOnPurpose;
            }
            // What the ring has stays there when open spans of the trace are evicted.
            let parts = row.held_parts.iter_mut().map(std::mem::take);
            let held: BTreeSet<usize> =
                parts.flatten().chain(std::mem::take(&mut row.held)).collect();
            if !held.is_empty() {
                if !row.is_registered() && row.state == State::InRing {
                    row.state = State::Gone(Reason::NotKept);
                }
                row.was_kept = true;
                self.columns
                    .extend(held.iter().map(|span| (*span, Column::Exported { late: false })));
                outcome = KeepOutcome::Exported;
            }
        }
        outcome
    }

    /// Recording ends; how many spans had not ended and were not dropped with a decision.
    pub(in crate::record::tests::model) fn shutdown(&mut self, now: Tick) -> u64 {
        self.is_closed = true;
        let mut unfinished = 0;
        for index in self.registered().collect::<Vec<_>>() {
            if self.traces[index].is_in_parts {
                self.decide_parts(index, now, true);
            } else {
                self.decide_ended(index);
            }
            if self.traces[index].state == State::InRing
                && self.traces[index].request > Request::None
            {
                self.export_late(index);
            } else if self.traces[index].state == State::InRing {
                let ended = std::mem::take(&mut self.traces[index].ended);
                self.set_column(&ended, Column::Dropped(Reason::NotKept));
            }
            unfinished += self.drop_spans(index, Reason::Unfinished);
            self.traces[index].state = State::Gone(Reason::Unfinished);
        }
        for index in 0..self.traces.len() {
            let row = &mut self.traces[index];
            let parts = row.held_parts.iter_mut().map(std::mem::take);
            let held = parts.flatten().chain(std::mem::take(&mut row.held)).collect();
            self.set_column(&held, Column::Dropped(Reason::NotKept));
        }
        self.lingering.clear();
        unfinished
    }
}
