//! Traces whose root has ended before other spans.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use crate::kit::unwind_safe::lock;
use crate::record::local::{LocalTrace, Phase, TraceOwner};
use crate::time::Tick;

/// Fewer lingering traces are not looked through.
const LEAST_TO_CLEAR: usize = 1024;

/// Traces that wait for their other spans, with the moment their time is up, the earliest first.
#[derive(Debug)]
pub(super) struct LingeringTraces<O>(Mutex<VecDeque<(Tick, Arc<LocalTrace<O>>)>>);

impl<O: TraceOwner> LingeringTraces<O> {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Remembers until when a trace may wait; `live_traces` is how many traces are live.
    pub(super) fn push(&self, trace: &Arc<LocalTrace<O>>, until: Tick, live_traces: usize) {
        let mut lingering = lock(&self.0);
        // Those that completed in the meantime are cleared out whenever they are the most.
        if lingering.len() >= LEAST_TO_CLEAR.max(2 * live_traces) {
            lingering.retain(|(_, trace)| matches!(trace.lock().phase, Phase::Open));
        }
        lingering.push_back((until, Arc::clone(trace)));
    }

    /// The next trace whose time is up.
    pub(super) fn pop_due(&self, now: Tick) -> Option<Arc<LocalTrace<O>>> {
        let mut lingering = lock(&self.0);
        let is_due = lingering.front().is_some_and(|(until, _)| *until <= now);
        if is_due { lingering.pop_front().map(|(_, trace)| trace) } else { None }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.0).len()
    }

    pub(super) fn clear(&self) {
        let traces = std::mem::take(&mut *lock(&self.0));
        drop(traces);
    }
}
