//! Who decides: the head sampler and the tail policy, either of which may be replaced at any time.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use arc_swap::ArcSwap;

use super::panic_notice::PanicNotice;
use crate::kit::reentrancy::UserCallScope;
use crate::kit::unwind_safe;
use crate::ledger::Ledger;
use crate::model::{SpanId, SpanKind, Threshold, TraceContext, TraceId};
use crate::sampling::{
    AlwaysOn, ParentBasedSampler, Sampler, SamplingDecision, SamplingRequest, SamplingResult,
};
use crate::tail::{TailPolicy, Verdict, panicked};
use crate::time::Tick;
use crate::trace::TraceView;

/// The head sampler and the tail policy of a recorder.
///
/// Asking takes no lock and shares no written memory with other threads. A decider that is replaced while
/// it is being asked finishes its answer, and the last thread to refer to it drops it. While one is asked
/// the thread is marked, so that what it traces itself can be told apart.
pub(super) struct Deciders {
    pair: ArcSwap<DeciderPair>,
    /// What the head answers without being asked: a [`FixedHead`]. It spares nearly every root a look at the pair.
    // Relaxed: a root that begins while the head is replaced may still get the old one's answer.
    fixed_head: AtomicU8,
    /// Whether asking the tail runs nothing but code of this crate.
    // Relaxed, for the same reason.
    is_tail_self_contained: AtomicBool,
    sampler_panic: PanicNotice,
    tail_panic: PanicNotice,
    /// Whether another service may have a trace kept: then one is recorded without a tail too, and a sampler that
    /// follows a caller who did not sample records.
    is_coherent: bool,
    /// The head where none was chosen and there is no tail.
    without_either: ParentBasedSampler,
    ledger: Arc<Ledger>,
}

/// The answer of a head that does not look at what it is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FixedHead {
    /// It looks, or its answer says more than the other words do.
    None,
    Drop,
    Record,
    /// It samples every trace.
    Sample,
}

impl FixedHead {
    /// Each at its own number.
    const ALL: [Self; 4] = [Self::None, Self::Drop, Self::Record, Self::Sample];

    /// What a sampler says of itself, unless it panicked: whether it drops everything, and its fixed answer. `records`
    /// says whether another decider may have what it does not sample kept.
    fn of(said: Option<(bool, Option<SamplingResult>)>, records: bool) -> Self {
        match said {
            Some((true, _)) => Self::Drop,
            Some((false, Some(answer))) if answer == Self::sample() => Self::Sample,
            Some((false, Some(answer))) if answer == SamplingResult::record() && records => {
                Self::Record
            }
            _ => Self::None,
        }
    }

    fn sample() -> SamplingResult {
        SamplingResult::sample().with_threshold(Threshold::ALWAYS)
    }

    /// The answer in full; `None` where the head has to be asked.
    pub(super) fn answer(self) -> Option<SamplingResult> {
        match self {
            Self::None => None,
            Self::Drop => Some(SamplingResult::drop()),
            Self::Record => Some(SamplingResult::record()),
            Self::Sample => Some(Self::sample()),
        }
    }
}

/// A head sampler and a tail, where they were chosen.
pub(crate) struct ChosenDeciders {
    pub(crate) sampler: Option<Arc<dyn Sampler>>,
    pub(crate) tail: Option<Arc<dyn TailPolicy>>,
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
        is_coherent: bool,
        ledger: &Arc<Ledger>,
    ) -> Self {
        let pair = DeciderPair { sampler, tail, ledger: Arc::clone(ledger) };
        let deciders = Self {
            pair: ArcSwap::from_pointee(pair),
            fixed_head: AtomicU8::new(FixedHead::None as u8),
            is_tail_self_contained: AtomicBool::new(false),
            sampler_panic: PanicNotice::default(),
            tail_panic: PanicNotice::default(),
            is_coherent,
            without_either: ParentBasedSampler::new(AlwaysOn),
            ledger: Arc::clone(ledger),
        };
        deciders.update_hints();
        deciders
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

    /// Asks the head: it answers to record only where the tail, or another service, may have the trace kept.
    pub(super) fn ask_head(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let _asking = self.mark_thread();
        let pair = self.pair.load();
        let coherent = self.is_coherent.then(|| request.with_coherence(true));
        let request = coherent.as_ref().unwrap_or(request);
        let asked = unwind_safe::call(|| match (&pair.sampler, &pair.tail) {
            (Some(sampler), _) => sampler.should_sample(request),
            (None, Some(_)) => SamplingResult::record(),
            (None, None) => self.without_either.should_sample(request),
        });
        let mut result = asked.unwrap_or_else(|| {
            self.ledger.panicked(1);
            self.sampler_panic.note(Cow::default);
            SamplingResult::record()
        });
        let records = self.is_coherent || pair.tail.is_some();
        if result.decision == SamplingDecision::Record && !records {
            result.decision = SamplingDecision::Drop;
        }
        result
    }

    /// Whether the head, asked about a request whose caller did not sample it, says to drop it.
    pub(super) fn drops_unsampled(&self, now: Tick) -> bool {
        let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
        let request = SamplingRequest::new(caller.trace_id, "tailtrace.probe", now)
            .with_kind(SpanKind::Server)
            .with_parent(&caller);
        let fixed = self.fixed_head().answer();
        let answer = fixed.unwrap_or_else(|| self.ask_head(&request));
        answer.decision == SamplingDecision::Drop
    }

    /// Whether there is a tail.
    pub(super) fn has_tail(&self) -> bool {
        self.pair.load().tail.is_some()
    }

    /// What the head answers whatever it is asked about.
    #[inline]
    pub(super) fn fixed_head(&self) -> FixedHead {
        FixedHead::ALL[usize::from(self.fixed_head.load(Ordering::Relaxed)) % FixedHead::ALL.len()]
    }

    /// Whether asking the tail runs nothing but code of this crate, so that it may be asked anywhere.
    #[cfg(feature = "layer")]
    #[inline]
    pub(super) fn is_tail_self_contained(&self) -> bool {
        self.is_tail_self_contained.load(Ordering::Relaxed)
    }

    /// Finds out what deciders say of themselves, after one was set or replaced.
    fn update_hints(&self) {
        let pair = self.pair.load_full();
        let fixed = match (&pair.sampler, &pair.tail) {
            (None, None) => FixedHead::None,
            (None, Some(_)) => FixedHead::Record,
            (Some(sampler), tail) => {
                let _asking = self.mark_thread();
                let asked =
                    unwind_safe::call(|| (sampler.drops_everything(), sampler.fixed_answer()));
                self.ledger.panicked(u32::from(asked.is_none()));
                FixedHead::of(asked, self.is_coherent || tail.is_some())
            }
        };
        self.fixed_head.store(fixed as u8, Ordering::Relaxed);
        let is_self_contained = pair.tail.as_ref().is_none_or(|tail| {
            let _asking = self.mark_thread();
            let asked = unwind_safe::call(|| tail.is_self_contained());
            self.ledger.panicked(u32::from(asked.is_none()));
            asked.unwrap_or(false)
        });
        self.is_tail_self_contained.store(is_self_contained, Ordering::Relaxed);
        // Of two threads that replace at the same time the last to get here may have seen the first one's pair.
        if !Arc::ptr_eq(&pair, &self.pair.load()) {
            self.update_hints();
        }
    }

    /// Asks the tail; without one there is no opinion.
    pub(super) fn ask_tail(&self, trace: &TraceView<'_>) -> Verdict {
        let _asking = self.mark_thread();
        let pair = self.pair.load();
        let Some(tail) = &pair.tail else { return Verdict::pass() };
        let asked = unwind_safe::call(|| tail.evaluate(trace).by(|| tail.name()));
        let verdict = asked.unwrap_or_else(Verdict::panicked);
        // Panics of single policies, which the tail has caught, among them.
        if verdict.panics() > 0 {
            self.note_panics(&verdict, &**tail);
        }
        verdict
    }

    #[cold]
    fn note_panics(&self, verdict: &Verdict, tail: &dyn TailPolicy) {
        self.ledger.panicked(verdict.panics());
        let policy = panicked::take();
        self.tail_panic.note(|| {
            let tail = unwind_safe::call(|| tail.name()).unwrap_or(Cow::Borrowed("tail"));
            let policy = policy.map_or_else(|| "a policy".to_owned(), |name| format!("`{name}`"));
            format!("{policy} of the tail `{tail}`").into()
        });
    }

    /// The head sampler and the tail that are asked now.
    pub(super) fn in_use(&self) -> ChosenDeciders {
        let pair = self.pair.load();
        ChosenDeciders { sampler: pair.sampler.clone(), tail: pair.tail.clone() }
    }

    /// What the operator is to be told of a sampler and a tail that panicked: once of each.
    pub(super) fn take_panics_told(&self) -> impl Iterator<Item = String> {
        let sampler = self.sampler_panic.take().map(|_| {
            "the sampler panicked, and its trace was left to the tail. This is told once; `Stats::panics` counts"
                .to_owned()
        });
        let tail = self.tail_panic.take().map(|policy| {
            format!(
                "{policy} panicked and has no opinion about that trace; what failed or was sampled is kept then. \
                 This is told once; `Stats::panics` counts"
            )
        });
        sampler.into_iter().chain(tail)
    }

    pub(super) fn set_sampler(&self, sampler: &Arc<dyn Sampler>) {
        // What the old sampler traces while it is dropped is refused, like what it traces while it is asked.
        let _asking = self.mark_thread();
        self.pair.rcu(|pair| pair.with(Some(sampler), pair.tail.as_ref()));
        self.update_hints();
    }

    pub(super) fn set_tail(&self, tail: Option<&Arc<dyn TailPolicy>>) {
        let _asking = self.mark_thread();
        self.pair.rcu(|pair| pair.with(pair.sampler.as_ref(), tail));
        self.update_hints();
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
        self.ledger.call_user(|| drop(sampler));
        self.ledger.call_user(|| drop(tail));
    }
}
