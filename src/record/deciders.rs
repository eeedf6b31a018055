//! Who decides: the head sampler and the tail policy, either of which may be replaced at any time.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::kit::guarded;
use crate::ledger::Ledger;
use crate::sampling::{
    AlwaysOn, ParentBasedSampler, Sampler, SamplingDecision, SamplingRequest, SamplingResult,
};
use crate::tail::{TailPolicy, Verdict};
use crate::trace::TraceView;

/// The head sampler and the tail policy of a recorder.
///
/// Asking takes no lock and shares no written memory with other threads. Whoever is being asked when it
/// is replaced finishes its answer; the last to let go of it drops it.
pub(super) struct Deciders {
    pair: ArcSwap<DeciderPair>,
    /// The head where nobody chose one and there is no tail.
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

    /// What the head says: never to record for a tail that is not there.
    pub(super) fn ask_head(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let pair = self.pair.load();
        let asked = guarded::call(|| match (&pair.sampler, &pair.tail) {
            (Some(sampler), _) => sampler.should_sample(request),
            (None, Some(_)) => SamplingResult::record(),
            (None, None) => self.without_either.should_sample(request),
        });
        let mut decision = asked.unwrap_or_else(|| {
            self.ledger.panicked(1);
            SamplingResult::record()
        });
        if decision.decision == SamplingDecision::Record && pair.tail.is_none() {
            decision.decision = SamplingDecision::Drop;
        }
        decision
    }

    /// Whether there is a tail.
    pub(super) fn have_tail(&self) -> bool {
        self.pair.load().tail.is_some()
    }

    /// Whether the head drops whatever it is told.
    pub(super) fn drops_everything(&self) -> bool {
        let pair = self.pair.load();
        let sampler = pair.sampler.as_ref();
        sampler.is_some_and(|sampler| guarded::call(|| sampler.drops_everything()).unwrap_or(false))
    }

    /// What the tail says; without one, nothing.
    pub(super) fn ask_tail(&self, trace: &TraceView<'_>) -> Verdict {
        let pair = self.pair.load();
        let Some(tail) = &pair.tail else { return Verdict::pass() };
        let asked = guarded::call(|| tail.evaluate(trace).by(|| tail.name()));
        asked.unwrap_or_else(|| {
            self.ledger.panicked(1);
            Verdict::pass()
        })
    }

    pub(super) fn set_sampler(&self, sampler: &Arc<dyn Sampler>) {
        self.pair.rcu(|pair| pair.with(Some(sampler), pair.tail.as_ref()));
    }

    pub(super) fn set_tail(&self, tail: Option<&Arc<dyn TailPolicy>>) {
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
        let (sampler, tail) = (self.sampler.take(), self.tail.take());
        for dropped in [guarded::call(|| drop(sampler)), guarded::call(|| drop(tail))] {
            if dropped.is_none() {
                self.ledger.panicked(1);
            }
        }
    }
}
