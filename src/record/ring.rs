//! The recently dropped traces, which can still be kept.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::TraceId;
use crate::time::Tick;
use crate::trace::head::TraceHead;
use crate::trace::store::SpanStore;

/// A trace that no policy kept.
#[derive(Debug)]
pub(super) struct DroppedTrace {
    pub(super) head: TraceHead,
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
    held: VecDeque<DroppedTrace>,
    bytes: usize,
    spans: u64,
    max_bytes: usize,
    max_age: Duration,
}

impl Ring {
    pub(super) fn new(max_bytes: usize, max_age: Duration) -> Self {
        Self { held: VecDeque::new(), bytes: 0, spans: 0, max_bytes, max_age }
    }

    /// Holds a trace; gives it back when it is larger than the whole ring.
    pub(super) fn push(&mut self, held: DroppedTrace) -> Result<(), DroppedTrace> {
        if held.bytes() > self.max_bytes {
            return Err(held);
        }
        self.bytes += held.bytes();
        self.spans += held.store.len() as u64;
        self.held.push_back(held);
        Ok(())
    }

    /// The oldest trace, while the ring holds too much or too old ones.
    pub(super) fn pop_surplus(&mut self, now: Tick) -> Option<DroppedTrace> {
        let oldest = self.held.front()?;
        let surplus = self.bytes > self.max_bytes || now.since(oldest.since) >= self.max_age;
        if surplus { self.pop() } else { None }
    }

    /// The oldest trace.
    pub(super) fn pop(&mut self) -> Option<DroppedTrace> {
        let held = self.held.pop_front()?;
        self.forget(&held);
        Some(held)
    }

    /// Takes the local traces of a trace id out. Costs a walk over the ring.
    pub(super) fn take(&mut self, id: TraceId) -> Vec<DroppedTrace> {
        if !self.held.iter().any(|held| held.head.trace_id == id) {
            return Vec::new();
        }
        let (taken, rest): (Vec<_>, Vec<_>) =
            self.held.drain(..).partition(|held| held.head.trace_id == id);
        self.held = rest.into();
        taken.iter().for_each(|held| self.forget(held));
        taken
    }

    fn forget(&mut self, held: &DroppedTrace) {
        self.bytes -= held.bytes();
        self.spans -= held.store.len() as u64;
    }

    pub(super) const fn spans(&self) -> u64 {
        self.spans
    }
}
