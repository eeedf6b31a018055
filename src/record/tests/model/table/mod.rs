//! The table of states and events, as a person would keep it: without buffers, shards or pools.

mod drafts;
mod late;
mod open;
mod parts;
mod requests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::rows::{Column, Columns, Head, Request, State, TraceRow};
use crate::ledger::Reason;
use crate::model::TraceId;
use crate::record::RecordLimits;
use crate::time::Tick;

/// How a span's children are recorded.
#[derive(Clone, Copy, Debug)]
enum Place {
    In(usize),
    Unrecorded(Reason),
}

#[derive(Debug)]
pub(in crate::record::tests::model) struct StateTable {
    live_traces: usize,
    linger: Duration,
    part_age: Duration,
    last_look: Option<Tick>,
    traces: Vec<TraceRow>,
    lingering: VecDeque<(Tick, usize)>,
    places: BTreeMap<usize, Place>,
    columns: BTreeMap<usize, Column>,
    failed: BTreeSet<usize>,
    parents: BTreeMap<usize, usize>,
    starts: BTreeMap<usize, Tick>,
    ends: BTreeMap<usize, Tick>,
    is_closed: bool,
}

impl StateTable {
    pub(in crate::record::tests::model) fn new(limits: &RecordLimits) -> Self {
        Self {
            live_traces: limits.live_traces,
            linger: limits.linger,
            part_age: limits.part_age,
            last_look: None,
            traces: Vec::new(),
            lingering: VecDeque::new(),
            places: BTreeMap::new(),
            columns: BTreeMap::new(),
            failed: BTreeSet::new(),
            parents: BTreeMap::new(),
            starts: BTreeMap::new(),
            ends: BTreeMap::new(),
            is_closed: false,
        }
    }

    fn refuse(&mut self, span: usize, reason: Reason) {
        self.places.insert(span, Place::Unrecorded(reason));
        self.columns.insert(span, Column::Dropped(reason));
    }

    fn set_column(&mut self, spans: &BTreeSet<usize>, column: Column) {
        self.columns.extend(spans.iter().map(|span| (*span, column)));
    }

    /// A root starts, or a draft, which is one until it joins a parent.
    pub(in crate::record::tests::model) fn start_root(
        &mut self,
        span: usize,
        id: TraceId,
        head: Head,
        now: Tick,
    ) {
        self.starts.insert(span, now);
        let is_worth_keeping = head == Head::Sample;
        let row = TraceRow {
            id,
            head,
            state: State::Open,
            root: span,
            open: BTreeSet::from([span]),
            ended: BTreeSet::new(),
            held: BTreeSet::new(),
            request: Request::None,
            was_kept: false,
            was_dropped_on_purpose: false,
            was_decided_anew: false,
            is_worth_keeping,
            order: vec![span],
            requested_at: None,
            is_in_parts: false,
            trunk: BTreeSet::new(),
            kept_below: BTreeSet::new(),
            held_parts: Vec::new(),
            outcomes: BTreeMap::new(),
        };
        if self.is_closed {
            return self.refuse(span, Reason::ShutDown);
        }
        if self.registered().count() >= self.live_traces {
            match self.least_valuable() {
                Some(least)
                    if !self.traces[least].is_worth_keeping
                        || self.traces[least].worth() < row.worth() =>
                {
                    self.evict(least);
                }
                _ => return self.refuse(span, Reason::LiveTraces),
            }
        }
        self.places.insert(span, Place::In(self.traces.len()));
        self.columns.insert(span, Column::Live);
        self.traces.push(row);
    }

    pub(in crate::record::tests::model) fn start_child(
        &mut self,
        span: usize,
        parent: usize,
        start: Tick,
    ) {
        self.starts.insert(span, start);
        self.parents.insert(span, parent);
        let index = match self.places[&parent] {
            Place::In(index) => index,
            Place::Unrecorded(reason) => return self.refuse(span, reason),
        };
        let was_registered = self.traces[index].is_registered();
        match self.traces[index].state {
            State::Open | State::Kept if self.is_closed && !was_registered => {
                self.refuse(span, Reason::ShutDown);
            }
            State::Open | State::Kept => {
                self.places.insert(span, Place::In(index));
                self.columns.insert(span, Column::Live);
                if !was_registered {
                    // What it records from now on began after that.
                    self.traces[index].requested_at = None;
                }
                self.traces[index].open.insert(span);
                self.traces[index].order.push(span);
                // A kept trace is registered again for its late span.
                while self.registered().count() > self.live_traces {
                    self.least_valuable().into_iter().for_each(|least| self.evict(least));
                }
            }
            // As long as others are open in it.
            State::InRing if was_registered => {
                self.places.insert(span, Place::In(index));
                self.columns.insert(span, Column::Live);
                self.traces[index].open.insert(span);
                self.traces[index].order.push(span);
            }
            State::InRing => self.refuse(span, Reason::NotKept),
            State::DroppedOnPurpose => self.refuse(span, Reason::DroppedByPolicy),
            State::Gone(reason) => self.refuse(span, reason),
        }
    }

    fn registered(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.traces.len()).filter(|index| self.traces[*index].is_registered())
    }

    fn least_valuable(&self) -> Option<usize> {
        self.registered().min_by_key(|index| self.traces[*index].worth())
    }

    fn evict(&mut self, index: usize) {
        self.drop_spans(index, Reason::LiveTraces);
        self.traces[index].state = State::Gone(Reason::LiveTraces);
    }

    /// Drops what a trace still has, open spans included; how many spans that are.
    fn drop_spans(&mut self, index: usize, reason: Reason) -> u64 {
        let open = std::mem::take(&mut self.traces[index].open);
        let ended = std::mem::take(&mut self.traces[index].ended);
        self.set_column(&open, Column::Dropped(reason));
        self.set_column(&ended, Column::Dropped(reason));
        (open.len() + ended.len()) as u64
    }

    pub(in crate::record::tests::model) fn fail(&mut self, span: usize) {
        if let Some(Place::In(index)) = self.places.get(&span)
            && self.traces[*index].open.contains(&span)
        {
            self.failed.insert(span);
            self.traces[*index].is_worth_keeping = true;
        }
    }

    pub(in crate::record::tests::model) fn finish(&mut self, span: usize, now: Tick) {
        let Some(Place::In(index)) = self.places.get(&span).copied() else { return };
        let row = &mut self.traces[index];
        if !row.open.remove(&span) {
            return;
        }
        row.ended.insert(span);
        self.ends.insert(span, now);
        if row.state == State::InRing {
            return self.finish_held(span, index);
        }
        if row.open.is_empty() {
            match row.state {
                State::Kept => self.export_late(index),
                _ => self.decide(index),
            }
        } else if row.is_in_parts {
            self.part_span_ended(span, index, now);
        } else if span == row.root && row.state == State::Open {
            self.lingering.push_back((now.after(self.linger), index));
        }
    }

    /// Decides a trace on what has ended; what is open follows.
    fn decide(&mut self, index: usize) {
        let row = &mut self.traces[index];
        assert_eq!(row.state, State::Open, "a trace is decided once");
        let has_errors = row.ended.iter().any(|span| self.failed.contains(span));
        let is_sampled = row.head == Head::Sample;
        // A shutdown decides without a root that is open; the policy of the test looks for its name.
        let is_on_purpose = row.head == Head::OnPurpose && row.ended.contains(&row.root);
        let ended = std::mem::take(&mut row.ended);
        let is_kept_below = ended.iter().any(|span| row.kept_below.contains(span));
        row.is_in_parts = false;
        row.outcomes.clear();
        if is_on_purpose && row.request < Request::ByPerson && !is_kept_below {
            row.state = State::DroppedOnPurpose;
            self.set_column(&ended, Column::Dropped(Reason::DroppedByPolicy));
            self.drop_spans(index, Reason::DroppedByPolicy);
        } else if row.request > Request::None || is_sampled || has_errors || is_kept_below {
            row.state = State::Kept;
            row.was_kept = true;
            self.set_column(&ended, Column::Exported { late: false });
        } else if self.is_closed {
            row.state = State::Gone(Reason::NotKept);
            self.set_column(&ended, Column::Dropped(Reason::NotKept));
            self.drop_spans(index, Reason::NotKept);
        } else {
            row.state = State::InRing;
            row.held.clone_from(&ended);
            self.set_column(&ended, Column::Held);
        }
    }

    pub(in crate::record::tests::model) fn poll(&mut self, now: Tick) {
        while let Some((until, index)) = self.lingering.front().copied()
            && until <= now
        {
            self.lingering.pop_front();
            if self.traces[index].is_in_parts {
                self.decide_parts(index, now, false);
            } else {
                self.decide_ended(index);
            }
        }
        self.look_for_old(now);
    }

    fn decide_ended(&mut self, index: usize) {
        match self.traces[index].state {
            _ if self.traces[index].ended.is_empty() => {}
            State::Open => self.decide(index),
            State::Kept => self.export_late(index),
            _ => {}
        }
    }

    pub(in crate::record::tests::model) fn columns(&self) -> Columns {
        Columns::new(self.columns.values())
    }

    pub(in crate::record::tests::model) fn exported(&self) -> BTreeSet<usize> {
        let is_exported = |column: &Column| matches!(column, Column::Exported { .. });
        let exported = self.columns.iter().filter(|(_, column)| is_exported(column));
        exported.map(|(span, _)| *span).collect()
    }
}
