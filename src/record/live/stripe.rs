//! What the traces that one thread begins have to themselves.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::decided::DecidedIds;
use super::pool::BufferPool;
use super::table::LiveTable;
use crate::kit::fork;
use crate::record::quota::Share;
use crate::record::ring::{NEVER, Ring};
use crate::time::Tick;

/// The live traces that threads of one stripe began, the memory for the next ones, and the ring of those that were
/// dropped.
///
/// Alone on its cache lines: threads that work on different traces share none.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Stripe<O> {
    state: Mutex<StripeState<O>>,
    /// When the oldest trace of the ring was dropped.
    // Relaxed: a thread that looks for the oldest ring takes its lock before it acts.
    oldest_dropped: AtomicU64,
}

/// What the lock of a stripe guards.
#[derive(Debug)]
pub(super) struct StripeState<O> {
    pub(super) table: LiveTable<O>,
    pub(super) pool: BufferPool<O>,
    pub(super) ring: Ring,
    /// How traces that have gone were decided, but for those that are in the ring.
    pub(super) decided: DecidedIds,
    /// How live traces were asked for, by their slots in the table.
    pub(super) requests: HashMap<u32, LiveRequest>,
    /// Spans that have started in traces of this stripe, but for those that live traces have yet to tell.
    pub(super) started: u64,
    /// Live traces, and their memory in bytes.
    pub(super) traces: Share,
    pub(super) bytes: Share,
}

/// The strongest request for a live trace.
#[derive(Debug)]
pub(super) struct LiveRequest {
    /// What is told of a trace that is kept for it.
    pub(super) reason: Cow<'static, str>,
    /// When it was made last, which is for what had begun by then.
    pub(super) at: Tick,
}

impl<O> Stripe<O> {
    pub(super) fn new() -> Self {
        let state = StripeState {
            table: LiveTable::new(),
            pool: BufferPool::new(),
            ring: Ring::new(),
            decided: DecidedIds::default(),
            requests: HashMap::new(),
            started: 0,
            traces: Share::default(),
            bytes: Share::default(),
        };
        Self { state: Mutex::new(state), oldest_dropped: AtomicU64::new(NEVER.as_nanos()) }
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, StripeState<O>> {
        fork::lock(&self.state)
    }

    /// When the oldest trace of the ring was dropped, as of a moment ago.
    pub(super) fn oldest_dropped(&self) -> Tick {
        Tick::from_nanos(self.oldest_dropped.load(Ordering::Relaxed))
    }

    /// Tells the other stripes of the ring's oldest trace, after that has changed.
    pub(super) fn publish_oldest(&self, state: &StripeState<O>) {
        self.oldest_dropped.store(state.ring.oldest().as_nanos(), Ordering::Relaxed);
    }
}
