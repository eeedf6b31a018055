//! The account: what entered, what became of it, and why.
//!
//! Every span that starts ends up in exactly one column. The equation
//!
//! ```text
//! started = sampled out + dropped (by reason) + exported + failed + live + held + queued + spooled
//! ```
//!
//! holds whenever nothing is in motion, and [`Stats::balances`] checks it. `started` is counted when
//! spans start and everything else where they end up, so the equation is a test and not a definition.

mod coherence;
mod kept;
mod reason;
mod spool_account;
mod stats;
mod watch;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::kit::striped_counter::{Stripe, StripedCounter};
use crate::kit::thread_stripe::{self, STRIPES};
use crate::kit::unwind_safe;
pub(crate) use coherence::CoherenceCounters;
pub use coherence::CoherenceStats;
pub use kept::KeptStats;
pub(crate) use kept::{KeptAccount, KeptNames};
pub use reason::Reason;
pub use spool_account::SpoolAccount;
pub(crate) use stats::RecorderCounts;
pub use stats::Stats;
pub(crate) use watch::{LossChange, LossWatch};

/// The counters. Writing is wait-free.
// Relaxed throughout: a count orders no other access. A snapshot that is taken while spans move from one column to
// another may miss a span or see it twice; the columns agree once the threads that count have come to rest.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    stripes: [LedgerStripe; STRIPES],
    sampled_out: StripedCounter,
    unrecorded: [Arc<Stripe>; Reason::COUNT],
    exported: AtomicU64,
    queued: AtomicU64,
    missed: AtomicU64,
    traces_kept: AtomicU64,
    late: AtomicU64,
    cut_values: AtomicU64,
    redacted: AtomicU64,
    /// Spans that a spool has. A batch may be sent before it is counted here: the count falls below zero and wraps.
    spooled: AtomicU64,
    panics: AtomicU64,
    kept: Arc<KeptAccount>,
    /// Where bytes are counted that are sent for another ledger.
    sent_for: OnceLock<Arc<KeptAccount>>,
}

/// What a thread counts for each trace, recorded or dropped, alone on its cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct LedgerStripe {
    started: AtomicU64,
    dropped: [AtomicU64; Reason::COUNT],
}

impl Ledger {
    #[inline]
    fn stripe(&self) -> &LedgerStripe {
        &self.stripes[thread_stripe::of_this_thread()]
    }

    /// A recorded span started.
    #[inline]
    pub(crate) fn started(&self, spans: u64) {
        self.stripe().started.fetch_add(spans, Ordering::Relaxed);
    }

    /// Recorded spans turn out not to have started yet: they are about to start under another parent.
    #[cfg(feature = "layer")]
    pub(crate) fn not_started_yet(&self, spans: u64) {
        // Only the sum counts, of all stripes and of what the recorder tells, so a part of it may fall below zero and
        // wrap.
        self.stripe().started.fetch_sub(spans, Ordering::Relaxed);
    }

    /// Where spans that the head dropped are counted; such a span counts as started too.
    pub(crate) fn sampled_out(&self) -> &StripedCounter {
        &self.sampled_out
    }

    /// Where spans are counted that were never recorded for this reason; such a span counts as started
    /// too.
    pub(crate) fn unrecorded(&self, reason: Reason) -> &Arc<Stripe> {
        &self.unrecorded[reason as usize]
    }

    pub(crate) fn dropped(&self, reason: Reason, spans: u64) {
        self.stripe().dropped[reason as usize].fetch_add(spans, Ordering::Relaxed);
    }

    /// Spans that were counted as dropped are about to be counted again.
    #[cfg(feature = "layer")]
    pub(crate) fn not_dropped(&self, reason: Reason, spans: u64) {
        self.stripe().dropped[reason as usize].fetch_sub(spans, Ordering::Relaxed);
    }

    pub(crate) fn kept(&self, late: bool, spans: u64) {
        if late {
            self.late.fetch_add(spans, Ordering::Relaxed);
        } else {
            self.traces_kept.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A trace, or spans of one that came late, is about to be queued under these names.
    pub(crate) fn kept_as(&self, names: KeptNames<'_>, spans: u64) {
        self.kept.kept(names, spans);
    }

    /// Where exporters count the bytes that they send.
    pub(crate) fn sent(&self) -> &Arc<KeptAccount> {
        self.sent_for.get().unwrap_or(&self.kept)
    }

    /// Has exporters count the bytes that they send in another ledger's account; the first one that is told stays.
    pub(crate) fn count_sent_in(&self, account: &Arc<KeptAccount>) {
        self.sent_for.get_or_init(|| Arc::clone(account));
    }

    /// What was kept, by the policy that kept it.
    pub(crate) fn by_policy(&self) -> Vec<KeptStats> {
        self.kept.by_policy()
    }

    /// What was kept, by the operation that it began with.
    pub(crate) fn by_operation(&self) -> Vec<KeptStats> {
        self.kept.by_operation()
    }

    pub(crate) fn queued(&self, spans: u64) {
        self.queued.fetch_add(spans, Ordering::Relaxed);
    }

    /// Spans left the queues because they arrived.
    pub(crate) fn exported(&self, spans: u64) {
        self.exported.fetch_add(spans, Ordering::Relaxed);
        self.queued.fetch_sub(spans, Ordering::Relaxed);
    }

    /// Spans left the queues without arriving.
    pub(crate) fn lost(&self, reason: Reason, spans: u64) {
        self.dropped(reason, spans);
        self.queued.fetch_sub(spans, Ordering::Relaxed);
    }

    /// Spans that one exporter lost and another did not.
    pub(crate) fn missed(&self, spans: u64) {
        self.missed.fetch_add(spans, Ordering::Relaxed);
    }

    /// Spans that are queued at this moment.
    pub(crate) fn queued_spans(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    pub(crate) fn cut_values(&self, values: u64) {
        if values > 0 {
            self.cut_values.fetch_add(values, Ordering::Relaxed);
        }
    }

    /// Values and texts of a kept trace were taken out.
    pub(crate) fn redacted(&self, values: u64) {
        if values > 0 {
            self.redacted.fetch_add(values, Ordering::Relaxed);
        }
    }

    /// Counts panics of the program's code that were caught.
    #[inline]
    pub(crate) fn panicked(&self, times: u32) {
        if times > 0 {
            self.panics.fetch_add(u64::from(times), Ordering::Relaxed);
        }
    }

    /// Calls code of the program; `None` when it panicked, which is counted.
    #[inline]
    pub(crate) fn call_user<R>(&self, user: impl FnOnce() -> R) -> Option<R> {
        let result = unwind_safe::call(user);
        if result.is_none() {
            self.panicked(1);
        }
        result
    }

    /// The counters of this moment without what the recorder has to tell, which costs a look at every trace.
    pub(crate) fn counters(&self) -> Stats {
        self.snapshot(&RecorderCounts::default())
    }

    /// The counters of this moment, with what the recorder tells.
    pub(crate) fn snapshot(&self, recorder: &RecorderCounts) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let sampled_out = self.sampled_out.sum();
        let unrecorded = Reason::ALL.map(|reason| self.unrecorded(reason).count());
        let sum = |counter: &dyn Fn(&LedgerStripe) -> u64| {
            self.stripes.iter().map(counter).fold(0_u64, u64::wrapping_add)
        };
        let started = sum(&|stripe| read(&stripe.started)).wrapping_add(recorder.started);
        let dropped = |row: usize| sum(&|stripe| read(&stripe.dropped[row]));
        Stats {
            // Spans that turned out not to have started yet may be taken off before the recorder tells of them.
            started: started.wrapping_add(sampled_out + unrecorded.iter().sum::<u64>()),
            sampled_out,
            dropped: std::array::from_fn(|row| dropped(row).wrapping_add(unrecorded[row])),
            exported: above_zero(read(&self.exported)),
            live: recorder.live,
            held: recorder.held,
            queued: read(&self.queued),
            missed: read(&self.missed),
            traces_kept: read(&self.traces_kept),
            late: read(&self.late),
            cut_values: read(&self.cut_values),
            redacted: read(&self.redacted),
            spooled: above_zero(read(&self.spooled)),
            panics: read(&self.panics),
            live_traces: recorder.live_traces,
            open_spans: recorder.open_spans,
            oldest_live: recorder.oldest_live,
            oldest_queued: Duration::ZERO,
            ring_reach: recorder.ring_reach,
            ring_bytes: recorder.ring_bytes,
            coherence: CoherenceStats::default(),
        }
    }
}

/// A count that may have fallen below zero for a moment.
const fn above_zero(count: u64) -> u64 {
    if count > i64::MAX as u64 { 0 } else { count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_that_had_not_started_yet_may_be_taken_off_before_they_are_told() {
        let ledger = Ledger::default();
        #[cfg(feature = "layer")]
        ledger.not_started_yet(2);
        ledger.sampled_out().of_this_thread().add(2);
        let _ = ledger.counters();
        let recorder = RecorderCounts { started: 2, ..RecorderCounts::default() };
        let started = if cfg!(feature = "layer") { 2 } else { 4 };
        assert_eq!(ledger.snapshot(&recorder).started, started);
    }
}
