//! The recorder: what all local traces of a pipeline share.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::config::RecordLimits;
use super::deciders::Deciders;
use super::foreign::ForeignTraces;
use super::holders::DraftHolders;
use super::local::{LiveSpans, LocalTrace, Phase, SHELL_BYTES, UNREGISTERED};
use super::postponed::PostponedDrops;
use super::ring::Ring;
use super::shard::{Shard, SpanPool};
use super::unrecorded::UnrecordedTraces;
use crate::kit::Random;
use crate::kit::guarded::lock;
use crate::kit::own_work::Asking;
use crate::ledger::{Ledger, Reason, Stats};
use crate::model::{Resource, TraceId};
use crate::sampling::Sampler;
use crate::tail::TailPolicy;
use crate::time::{Clock, Tick};
use crate::trace::Trace;

/// Small limits have one shard, so that what goes first is exact where it can be seen.
const TRACES_PER_SHARD: usize = 1024;
const MOST_SHARDS: usize = 16;

/// What a recorder is made of.
pub(crate) struct RecorderSettings {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) limits: RecordLimits,
    /// `None` when nobody chose one.
    pub(crate) sampler: Option<Arc<dyn Sampler>>,
    pub(crate) tail: Option<Arc<dyn TailPolicy>>,
    pub(crate) resource: Arc<Resource>,
    /// Whether anything is recorded at all.
    pub(crate) records: bool,
    /// Where kept traces go. Must not block and not run user code.
    pub(crate) sink: Box<dyn Fn(Trace) + Send + Sync>,
}

/// Records spans, finds out when local traces are complete, and asks the tail.
pub(crate) struct Recorder {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) limits: RecordLimits,
    pub(super) deciders: Deciders,
    pub(super) resource: Arc<Resource>,
    records: bool,
    pub(super) sink: Box<dyn Fn(Trace) + Send + Sync>,
    pub(super) bare: UnrecordedTraces,
    pub(super) shards: Box<[Mutex<Shard>]>,
    pub(super) live_traces: AtomicUsize,
    pub(super) live_bytes: AtomicUsize,
    /// Traces whose root has ended before other spans, with the moment their time is up.
    pub(super) lingering: Mutex<VecDeque<(Tick, Arc<LocalTrace>)>>,
    /// What asks deciders when it is dropped, and must not be dropped where it was found.
    pub(super) postponed: PostponedDrops,
    pub(super) draft_holders: DraftHolders,
    /// The local traces of spans that another tracer makes, by trace id.
    pub(super) foreign: ForeignTraces,
    closed: AtomicBool,
    /// Whether the bridge is shown the spans that threads are inside of.
    pub(super) shares_context: AtomicBool,
}

/// How many spans are on record and have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenSpanCounts {
    /// In traces that the head sampled.
    pub(crate) sampled: u64,
    /// In traces that are recorded for the tail.
    pub(crate) recorded: u64,
}

/// What [`Pipeline::keep`](crate::Pipeline::keep) could do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeepOutcome {
    /// The trace had been dropped, was still in the ring, and is on its way to the exporters.
    Exported,
    /// The trace is still running and will be kept when it is complete.
    WhenComplete,
    /// No such trace is known any more, or it was kept already.
    NotFound,
}

impl Recorder {
    pub(crate) fn new(parts: RecorderSettings) -> Arc<Self> {
        let RecorderSettings {
            clock,
            random,
            ledger,
            limits,
            sampler,
            tail,
            resource,
            records,
            sink,
        } = parts;
        let count =
            (limits.live_traces / TRACES_PER_SHARD).clamp(1, MOST_SHARDS).next_power_of_two();
        let shard = || {
            let ring = Ring::new(limits.ring_bytes / count, limits.ring_age);
            Mutex::new(Shard::new(limits.pool_buffers.div_ceil(count), ring))
        };
        let bare = UnrecordedTraces::new(&ledger);
        let deciders = Deciders::new(sampler, tail, &ledger);
        Arc::new(Self {
            bare,
            clock,
            random,
            ledger,
            limits,
            deciders,
            resource,
            records,
            sink,
            shards: (0..count).map(|_| shard()).collect(),
            live_traces: AtomicUsize::new(0),
            live_bytes: AtomicUsize::new(0),
            lingering: Mutex::default(),
            postponed: PostponedDrops::default(),
            draft_holders: DraftHolders::default(),
            foreign: ForeignTraces::new(count),
            closed: AtomicBool::new(false),
            shares_context: AtomicBool::new(false),
        })
    }

    /// Replaces the head sampler.
    pub(crate) fn set_sampler(&self, sampler: &Arc<dyn Sampler>) {
        // What the old one traces while it is dropped is its work, like what it traces when asked.
        let _asking = Asking::begin(self.owner());
        self.deciders.set_sampler(sampler);
    }

    /// Replaces the tail policy.
    pub(crate) fn set_tail(&self, tail: Option<&Arc<dyn TailPolicy>>) {
        let _asking = Asking::begin(self.owner());
        self.deciders.set_tail(tail);
    }

    /// The shard of a trace. Ids from elsewhere need not be random in any part, so all parts count.
    #[inline]
    pub(super) fn shard(&self, id: TraceId) -> &Mutex<Shard> {
        let bits = id.to_bits();
        let mixed = ((bits >> 64) as u64 ^ bits as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.shards[(mixed >> 56) as usize & (self.shards.len() - 1)]
    }

    /// What tells this recorder from the others.
    pub(super) fn owner(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether it is there to record, and not only to pass contexts on.
    pub(crate) fn records(&self) -> bool {
        self.records
    }

    /// Whether the head drops every trace, so that nothing needs to be prepared to ask it.
    pub(super) fn drops_everything(&self) -> bool {
        if !self.records {
            return true;
        }
        let _asking = Asking::begin(self.owner());
        self.deciders.drops_everything()
    }

    pub(super) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    /// Puts a new trace among the live ones.
    pub(super) fn register_new(&self, trace: &Arc<LocalTrace>) {
        let mut live = trace.live();
        self.count_bytes(&mut live);
        self.register(trace, live);
    }

    /// Brings the total up to date with a trace's memory.
    pub(super) fn count_bytes(&self, live: &mut LiveSpans) {
        let (old, new) = (live.counted_bytes as usize, live.store.bytes());
        live.counted_bytes = u32::try_from(new).unwrap_or(u32::MAX);
        if new >= old {
            self.live_bytes.fetch_add(new - old, Ordering::Relaxed);
        } else {
            self.live_bytes.fetch_sub(old - new, Ordering::Relaxed);
        }
    }

    /// Puts a trace into its shard, unless it is there. A shutdown that began meanwhile may not have
    /// seen it; then it goes at once.
    fn register(&self, trace: &Arc<LocalTrace>, live: MutexGuard<'_, LiveSpans>) {
        let mut shard = lock(self.shard(trace.head.trace_id));
        if trace.slot.load(Ordering::Relaxed) == UNREGISTERED {
            shard.insert(Arc::clone(trace));
            self.live_traces.fetch_add(1, Ordering::Relaxed);
            self.live_bytes.fetch_add(SHELL_BYTES, Ordering::Relaxed);
        }
        drop(shard);
        if self.is_closed() && !matches!(live.phase, Phase::Deciding) {
            self.drop_trace(trace, live, Reason::ShutDown);
        }
    }

    /// Takes a trace that holds no spans out of its shard.
    pub(super) fn unregister(
        &self,
        trace: &LocalTrace,
        _locked: &MutexGuard<'_, LiveSpans>,
    ) -> Option<Arc<LocalTrace>> {
        let removed = lock(self.shard(trace.head.trace_id)).remove(trace);
        if removed.is_some() {
            self.live_traces.fetch_sub(1, Ordering::Relaxed);
            self.live_bytes.fetch_sub(SHELL_BYTES, Ordering::Relaxed);
        }
        removed
    }

    /// Lets go of a trace after its buffer may have grown; a trace that was empty gets its place back.
    #[inline(always)]
    pub(super) fn unlock(
        &self,
        trace: &Arc<LocalTrace>,
        live: MutexGuard<'_, LiveSpans>,
        was_empty: bool,
    ) {
        if live.store.bytes() != live.counted_bytes as usize || was_empty {
            self.unlock_grown(trace, live, was_empty);
        }
    }

    #[cold]
    fn unlock_grown(
        &self,
        trace: &Arc<LocalTrace>,
        mut live: MutexGuard<'_, LiveSpans>,
        was_empty: bool,
    ) {
        self.count_bytes(&mut live);
        if was_empty {
            self.register(trace, live);
        } else {
            drop(live);
        }
        self.evict_surplus();
    }

    /// Gives a trace to which nothing refers any more back to the pool.
    pub(super) fn release_trace(mut trace: Arc<LocalTrace>) {
        if let Some(shell) = Arc::get_mut(&mut trace)
            && let Some(recorder) = shell.recorder.take()
        {
            lock(recorder.shard(trace.head.trace_id)).put_shell(trace);
        }
    }

    /// Lets go of a trace, which may be the last that refers to it.
    pub(super) fn release(trace: Arc<LocalTrace>) {
        if Arc::strong_count(&trace) == 1 {
            Self::release_trace(trace);
        }
    }

    /// The count_bytes without what is live and held, which costs no look at every trace.
    pub(crate) fn losses(&self) -> Stats {
        self.ledger.snapshot(0, 0)
    }

    /// The count_bytes of this moment.
    pub(crate) fn stats(&self) -> Stats {
        let held = self.shards.iter().map(|shard| lock(shard).ring.spans()).sum();
        let live = self.live().iter().map(|trace| trace.spans(&trace.live())).sum();
        self.ledger.snapshot(live, held)
    }

    /// The recorded spans that have not ended.
    #[cfg_attr(not(feature = "otel"), allow(dead_code))]
    pub(crate) fn open_spans(&self) -> OpenSpanCounts {
        let mut all = OpenSpanCounts::default();
        for trace in self.live() {
            let live = trace.live();
            let own = live.open.saturating_sub(live.over_limit);
            let open = u64::from(own) + u64::from(trace.foreign_spans().count());
            drop(live);
            *(if trace.sampled().is_some() { &mut all.sampled } else { &mut all.recorded }) += open;
        }
        all
    }

    /// The traces that are live at this moment.
    pub(super) fn live(&self) -> Vec<Arc<LocalTrace>> {
        self.shards.iter().flat_map(|shard| lock(shard).live().to_vec()).collect()
    }

    pub(crate) fn pool(&self) -> SpanPool {
        self.shards.iter().map(|shard| lock(shard).pool()).fold(SpanPool::default(), SpanPool::plus)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("limits", &self.limits)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
