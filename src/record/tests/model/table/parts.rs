//! Traces that are decided in parts.

use std::collections::{BTreeMap, BTreeSet};

use super::StateTable;
use crate::ledger::Reason;
use crate::record::tests::model::rows::{Column, Head, Outcome, Request, State};
use crate::time::{Tick, nanos};

/// How many spans of a part are remembered.
const REMEMBERED: usize = 8;

impl StateTable {
    /// Looks for traces that have been open for long, if it is time to.
    pub(super) fn look_for_old(&mut self, now: Tick) {
        if self.last_look.is_some_and(|last| now.as_nanos() - last.as_nanos() < 1_000_000_000) {
            return;
        }
        self.last_look = Some(now);
        let began_by = now.as_nanos().saturating_sub(nanos(self.part_age));
        for index in self.registered().collect::<Vec<_>>() {
            let row = &mut self.traces[index];
            let is_there = |span: &&usize| row.open.contains(span) || row.ended.contains(span);
            let since = row.order.iter().find(is_there).map(|first| self.starts[first]);
            let is_young = since.is_none_or(|since| since.as_nanos() > began_by);
            if is_young && !row.is_in_parts {
                continue;
            }
            let old = row.open.iter().filter(|span| self.starts[*span].as_nanos() <= began_by);
            let old: Vec<_> = old.copied().collect();
            row.trunk.extend(old);
            if row.trunk.intersection(&row.open).next().is_some() {
                row.is_in_parts = true;
                row.is_worth_keeping = true;
                let held = std::mem::take(&mut row.held);
                row.held_parts.push(held);
                if std::mem::replace(&mut row.state, State::Open) == State::Kept {
                    row.kept_below.extend(row.open.iter().copied());
                    self.export_late(index);
                }
            }
            if self.traces[index].is_in_parts {
                self.decide_parts(index, now, false);
            }
        }
    }

    /// A span ends in a trace that is decided in parts, while others are open.
    pub(super) fn part_span_ended(&mut self, span: usize, index: usize, now: Tick) {
        let row = &self.traces[index];
        let waits = self
            .parents
            .get(&span)
            .is_some_and(|parent| row.open.contains(parent) && !row.trunk.contains(parent));
        if !waits {
            self.decide_parts(index, now, false);
        }
    }

    /// Decides each subtree that is complete below an open span of the trunk, or below any.
    pub(super) fn decide_parts(&mut self, index: usize, now: Tick, all: bool) {
        if self.traces[index].state != State::Open {
            return;
        }
        let parts = self.complete_parts(index, now, all);
        let mut noted = Vec::new();
        for (top, spans) in parts {
            let row = &mut self.traces[index];
            row.ended.retain(|span| !spans.contains(span));
            noted.push((top, spans.clone(), self.decide_part(index, top, spans)));
        }
        for (top, spans, outcome) in noted {
            let row = &mut self.traces[index];
            let mut above = self.parents.get(&top);
            while let Some(parent) = above.filter(|parent| {
                outcome == Outcome::Kept
                    && (row.open.contains(parent) || row.ended.contains(parent))
            }) {
                row.kept_below.insert(*parent);
                above = self.parents.get(parent);
            }
            let remembered = row.order.iter().filter(|span| spans.contains(span)).take(REMEMBERED);
            row.outcomes.extend(remembered.map(|span| (*span, outcome)));
        }
    }

    /// The complete subtrees by their tops, in the order the tops started.
    fn complete_parts(&self, index: usize, now: Tick, all: bool) -> Vec<(usize, BTreeSet<usize>)> {
        let row = &self.traces[index];
        let stale = now.as_nanos().saturating_sub(nanos(self.linger));
        let is_stale = |span: &usize| all || self.ends[span].as_nanos() <= stale;
        let mut waiting = BTreeSet::new();
        for open in &row.open {
            let mut above = self.parents.get(open);
            while let Some(parent) = above.filter(|p| row.ended.contains(p) && !is_stale(p)) {
                waiting.insert(*parent);
                above = self.parents.get(parent);
            }
        }
        let complete: BTreeSet<usize> = row.ended.difference(&waiting).copied().collect();
        let mut parts: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for span in &complete {
            let mut top = *span;
            while let Some(parent) = self.parents.get(&top).filter(|p| complete.contains(p)) {
                top = *parent;
            }
            let is_below = self
                .parents
                .get(&top)
                .filter(|parent| row.open.contains(parent) || row.ended.contains(parent));
            if all || is_below.is_none_or(|p| row.open.contains(p) && row.trunk.contains(p)) {
                parts.entry(top).or_default().insert(*span);
            }
        }
        let tops = row.order.iter().filter_map(|top| Some((*top, parts.get(top)?.clone())));
        tops.collect()
    }

    fn decide_part(&mut self, index: usize, top: usize, mut spans: BTreeSet<usize>) -> Outcome {
        let row = &mut self.traces[index];
        let is_meant = row.requested_at >= Some(self.starts[&top]);
        let request = if is_meant { row.request } else { Request::None };
        let requested = request > Request::None;
        let parent = self.parents.get(&top);
        let is_below = parent.is_some_and(|p| row.open.contains(p) || row.ended.contains(p));
        let follows = parent.filter(|_| !is_below).and_then(|parent| row.outcomes.get(parent));
        let has_failed = |spans: &BTreeSet<usize>| spans.iter().any(|s| self.failed.contains(s));
        let is_closed = self.is_closed;
        let drop = |row: &mut super::TraceRow, spans: &BTreeSet<usize>| {
            if is_closed {
                return (Column::Dropped(Reason::NotKept), Outcome::Dropped);
            }
            row.held_parts.push(spans.clone());
            (Column::Held, Outcome::Held(row.held_parts.len() - 1))
        };
        let (column, outcome) = match follows.copied() {
            Some(Outcome::Kept) => (Column::Exported { late: true }, Outcome::Kept),
            Some(Outcome::OnPurpose) if request == Request::ByPerson => {
                (Column::Exported { late: false }, Outcome::Kept)
            }
            Some(Outcome::OnPurpose) => {
                (Column::Dropped(Reason::DroppedByPolicy), Outcome::OnPurpose)
            }
            Some(Outcome::Held(_) | Outcome::Dropped) if !has_failed(&spans) && !requested => {
                drop(row, &spans)
            }
            follows => {
                if let Some(Outcome::Held(held)) = follows {
                    spans.extend(std::mem::take(&mut row.held_parts[held]));
                }
                let is_on_purpose = top == row.root && row.head == Head::OnPurpose;
                let is_kept_below = spans.iter().any(|span| row.kept_below.contains(span));
                if is_on_purpose && request < Request::ByPerson && !is_kept_below {
                    (Column::Dropped(Reason::DroppedByPolicy), Outcome::OnPurpose)
                } else if requested
                    || is_kept_below
                    || row.head == Head::Sample
                    || has_failed(&spans)
                {
                    (Column::Exported { late: false }, Outcome::Kept)
                } else {
                    drop(row, &spans)
                }
            }
        };
        row.was_kept |= outcome == Outcome::Kept;
        row.was_dropped_on_purpose |= outcome == Outcome::OnPurpose;
        self.set_column(&spans, column);
        outcome
    }
}
