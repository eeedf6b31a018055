//! The recently dropped traces, which can still be kept.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::TraceId;
use crate::time::Tick;
use crate::trace::header::TraceHeader;
use crate::trace::store::SpanStore;

/// A trace that no policy kept.
#[derive(Debug)]
pub(super) struct DroppedTrace {
    pub(super) header: TraceHeader,
    pub(super) store: SpanStore,
    pub(super) since: Tick,
}

impl DroppedTrace {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.store.bytes()
    }
}

/// A queue of dropped traces, bounded by bytes and age; the oldest goes first.
#[derive(Debug)]
pub(super) struct Ring {
    traces: VecDeque<DroppedTrace>,
    bytes: usize,
    spans: u64,
    max_bytes: usize,
    max_age: Duration,
}

impl Ring {
    pub(super) fn new(max_bytes: usize, max_age: Duration) -> Self {
        Self { traces: VecDeque::new(), bytes: 0, spans: 0, max_bytes, max_age }
    }

    /// Holds a trace; one that is larger than the whole ring is given back.
    pub(super) fn push(&mut self, dropped: DroppedTrace) -> Option<DroppedTrace> {
        if dropped.bytes() > self.max_bytes {
            return Some(dropped);
        }
        self.bytes += dropped.bytes();
        self.spans += dropped.store.len() as u64;
        self.traces.push_back(dropped);
        None
    }

    /// The oldest trace, while the ring holds too much or too old ones.
    pub(super) fn pop_surplus(&mut self, now: Tick) -> Option<DroppedTrace> {
        let oldest = self.traces.front()?;
        let surplus = self.bytes > self.max_bytes || now.since(oldest.since) >= self.max_age;
        if surplus { self.pop() } else { None }
    }

    /// The oldest trace.
    pub(super) fn pop(&mut self) -> Option<DroppedTrace> {
        let oldest = self.traces.pop_front()?;
        self.uncount(&oldest);
        Some(oldest)
    }

    /// Takes the local traces of a trace id out of the ring. Costs a walk over the ring.
    pub(super) fn remove(&mut self, id: TraceId) -> Vec<DroppedTrace> {
        if !self.traces.iter().any(|dropped| dropped.header.trace_id == id) {
            return Vec::new();
        }
        let (removed, rest): (Vec<_>, Vec<_>) =
            self.traces.drain(..).partition(|dropped| dropped.header.trace_id == id);
        self.traces = rest.into();
        removed.iter().for_each(|dropped| self.uncount(dropped));
        removed
    }

    fn uncount(&mut self, dropped: &DroppedTrace) {
        self.bytes -= dropped.bytes();
        self.spans -= dropped.store.len() as u64;
    }

    pub(super) const fn spans(&self) -> u64 {
        self.spans
    }
}
