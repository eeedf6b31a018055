//! Who decides: the head sampler and the tail policy, either of which may be replaced at any time.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::kit::reentrancy::UserCallScope;
use crate::kit::unwind_safe;
use crate::ledger::Ledger;
use crate::sampling::{
    AlwaysOn, ParentBasedSampler, Sampler, SamplingDecision, SamplingRequest, SamplingResult,
};
use crate::tail::{TailPolicy, Verdict};
use crate::trace::TraceView;

/// The head sampler and the tail policy of a recorder.
///
/// Asking takes no lock and shares no written memory with other threads. A decider that is replaced while
/// it is being asked finishes its answer, and the last thread to refer to it drops it. While one is asked
/// the thread is marked, so that what it traces itself can be told apart.
pub(super) struct Deciders {
    pair: ArcSwap<DeciderPair>,
    /// The head where none was chosen and there is no tail.
    without_either: ParentBasedSampler,
    ledger: Arc<Ledger>,
}

struct DeciderPair {
    sampler: Option<Arc<dyn Sampler>>,
    tail: Option<Arc<dyn TailPolicy>>,
    ledger: Arc<Ledger>,
}

impl Deciders {
    pub(super) fn new(
        sampler: Option<Arc<dyn Sampler>>,
        tail: Option<Arc<dyn TailPolicy>>,
        ledger: &Arc<Ledger>,
    ) -> Self {
        let pair = DeciderPair { sampler, tail, ledger: Arc::clone(ledger) };
        Self {
            pair: ArcSwap::from_pointee(pair),
            without_either: ParentBasedSampler::new(AlwaysOn),
            ledger: Arc::clone(ledger),
        }
    }

    /// Marks the thread as asking, until what is returned goes.
    fn mark_thread(&self) -> UserCallScope {
        UserCallScope::enter(std::ptr::from_ref(self).addr())
    }

    /// Whether one of these deciders is being asked on this thread: what it starts is refused.
    #[inline]
    pub(super) fn is_running_here(&self) -> bool {
        UserCallScope::is_inside(std::ptr::from_ref(self).addr())
    }

    /// Asks the head: it never answers to record for a tail that is not there.
    pub(super) fn ask_head(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let _asking = self.mark_thread();
        let pair = self.pair.load();
        let asked = unwind_safe::call(|| match (&pair.sampler, &pair.tail) {
            (Some(sampler), _) => sampler.should_sample(request),
            (None, Some(_)) => SamplingResult::record(),
            (None, None) => self.without_either.should_sample(request),
        });
        let mut result = asked.unwrap_or_else(|| {
            self.ledger.panicked(1);
            SamplingResult::record()
        });
        if result.decision == SamplingDecision::Record && pair.tail.is_none() {
            result.decision = SamplingDecision::Drop;
        }
        result
    }

    /// Whether there is a tail.
    pub(super) fn has_tail(&self) -> bool {
        self.pair.load().tail.is_some()
    }

    /// Whether the head drops whatever it is asked about.
    #[cfg(feature = "layer")]
    pub(super) fn drops_everything(&self) -> bool {
        let _asking = self.mark_thread();
        let pair = self.pair.load();
        let sampler = pair.sampler.as_ref();
        sampler.is_some_and(|sampler| {
            unwind_safe::call(|| sampler.drops_everything()).unwrap_or(false)
        })
    }

    /// Asks the tail; without one there is no opinion.
    pub(super) fn ask_tail(&self, trace: &TraceView<'_>) -> Verdict {
        let _asking = self.mark_thread();
        let pair = self.pair.load();
        let Some(tail) = &pair.tail else { return Verdict::pass() };
        let asked = unwind_safe::call(|| tail.evaluate(trace).by(|| tail.name()));
        let verdict = asked.unwrap_or_else(|| {
            self.ledger.panicked(1);
            Verdict::pass()
        });
        // Panics of single policies, which the tail has caught.
        self.ledger.panicked(verdict.panics());
        verdict
    }

    pub(super) fn set_sampler(&self, sampler: &Arc<dyn Sampler>) {
        // What the old sampler traces while it is dropped is refused, like what it traces while it is asked.
        let _asking = self.mark_thread();
        self.pair.rcu(|pair| pair.with(Some(sampler), pair.tail.as_ref()));
    }

    pub(super) fn set_tail(&self, tail: Option<&Arc<dyn TailPolicy>>) {
        let _asking = self.mark_thread();
        self.pair.rcu(|pair| pair.with(pair.sampler.as_ref(), tail));
    }
}

impl DeciderPair {
    fn with(&self, sampler: Option<&Arc<dyn Sampler>>, tail: Option<&Arc<dyn TailPolicy>>) -> Self {
        let ledger = Arc::clone(&self.ledger);
        Self { sampler: sampler.cloned(), tail: tail.cloned(), ledger }
    }
}

impl Drop for DeciderPair {
    fn drop(&mut self) {
        // It may be the last of a sampler, on a thread that is in the middle of starting a span.
        let sampler = self.sampler.take();
        let tail = self.tail.take();
        for dropped in [unwind_safe::call(|| drop(sampler)), unwind_safe::call(|| drop(tail))] {
            if dropped.is_none() {
                self.ledger.panicked(1);
            }
        }
    }
}
