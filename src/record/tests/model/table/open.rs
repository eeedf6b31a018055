//! What is sent of traces that are open.

use std::collections::BTreeSet;

use super::StateTable;
use crate::record::tests::model::rows::{Column, State};

impl StateTable {
    /// Sends what every open trace has in which a span has failed, or all of them. Spans that are open end with it.
    pub(in crate::record::tests::model) fn send_open(&mut self, is_all: bool) {
        for index in self.registered().collect::<Vec<_>>() {
            let row = &mut self.traces[index];
            let mut spans: BTreeSet<usize> = row.open.union(&row.ended).copied().collect();
            let late = row.state == State::Kept;
            let is_sent = match row.state {
                State::Kept => true,
                State::Open | State::InRing => {
                    is_all || spans.iter().any(|span| self.failed.contains(span))
                }
                State::DroppedOnPurpose | State::Gone(_) => false,
            };
            if !is_sent {
                continue;
            }
            if row.state == State::InRing {
                spans.extend(std::mem::take(&mut row.held));
            }
            row.open.clear();
            row.ended.clear();
            row.is_in_parts = false;
            row.trunk.clear();
            row.kept_below.clear();
            row.outcomes.clear();
            row.state = State::Kept;
            row.was_kept = true;
            self.set_column(&spans, Column::Exported { late });
        }
    }
}
