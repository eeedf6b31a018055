//! The recorder: what all local traces of a pipeline share.

mod children;
mod full_traces;
mod inherited;
mod keeping;
mod periodic;
mod settings;
mod span_start;
mod start;
mod succession;
mod switch;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

pub(crate) use settings::RecorderSettings;
pub(crate) use span_start::{SpanStart, StartTime};

use super::baggage_tags::BaggageTags;
use super::claims::Claims;
use super::completion::Completion;
use super::config::RecordLimits;
use super::deciders::Deciders;
use super::draft_holders::{DraftHolder, DraftHolders, RecorderId};
use super::link::CoherenceLink;
use super::live::{LiveTraces, SpanPool};
use super::local::{Due, LocalTrace, TraceOwner};
use super::postponed::PostponedDrops;
use super::span::{UnrecordedTrace, UnrecordedTraces};
use crate::kit::{Random, reentrancy};
use crate::ledger::{Ledger, Reason, Stats};
use crate::model::{SpanId, TraceContext};
use crate::sampling::Sampler;
use crate::tail::TailPolicy;
use crate::time::{Clock, Tick};
use crate::trace::SpanMut;
use crate::trace::store::SpanIndex;
use succession::Succession;
use switch::RecordingSwitch;

/// Records spans, finds out when local traces are complete, and asks the tail.
pub(crate) struct Recorder {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) limits: RecordLimits,
    /// How many spans a trace may have before it is decided in parts, or is full; as the limits say, for each child asks.
    first_spans: usize,
    pub(crate) switch: RecordingSwitch,
    pub(super) baggage_tags: BaggageTags,
    pub(super) deciders: Arc<Deciders>,
    pub(super) traces: LiveTraces<Self>,
    pub(super) completion: Completion<Self>,
    unrecorded: UnrecordedTraces,
    pub(super) claims: Claims,
    draft_holders: DraftHolders,
    /// What asks deciders when it is dropped, and must not be dropped where it was found.
    postponed: PostponedDrops,
    /// Whether the context bridge is shown the spans that threads are inside of.
    // Relaxed: it is set once, while a pipeline is set up, and a span that starts at that moment may be
    // shown or not.
    shares_context: AtomicBool,
    succession: Succession<Self>,
}

/// How many spans are on record and have not ended.
#[cfg(feature = "otel")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenSpanCounts {
    /// In traces that the head sampled.
    pub(crate) sampled: u64,
    /// In traces that are recorded for the tail.
    pub(crate) recorded: u64,
}

/// The local trace that a context leads to.
pub(super) enum LocalParent {
    Recorded(Arc<LocalTrace<Recorder>>),
    Unrecorded(Arc<UnrecordedTrace>),
}

impl Recorder {
    pub(crate) fn new(settings: RecorderSettings) -> Arc<Self> {
        let RecorderSettings { clock, random, ledger, limits, .. } = settings;
        let deciders =
            Deciders::new(settings.sampler, settings.tail, settings.is_coherent, &ledger);
        let deciders = Arc::new(deciders);
        let completion = Completion::new(
            Arc::clone(&deciders),
            limits.linger,
            limits.part_age,
            settings.decision_tags,
            settings.sink,
            settings.resource,
            Arc::clone(&ledger),
        );
        Arc::new(Self {
            traces: LiveTraces::new(limits, Arc::clone(&ledger), random.clone()),
            unrecorded: UnrecordedTraces::new(&ledger),
            claims: Claims::default(),
            clock,
            random,
            ledger,
            first_spans: limits.first_spans() as usize,
            limits,
            switch: RecordingSwitch::new(settings.records),
            baggage_tags: settings.baggage_tags,
            deciders,
            completion,
            draft_holders: DraftHolders::default(),
            postponed: PostponedDrops::default(),
            shares_context: AtomicBool::new(false),
            succession: Succession::default(),
        })
    }

    /// Replaces the head sampler.
    pub(crate) fn set_sampler(&self, sampler: &Arc<dyn Sampler>) {
        self.deciders.set_sampler(sampler);
    }

    /// Replaces the tail policy.
    pub(crate) fn set_tail(&self, tail: Option<&Arc<dyn TailPolicy>>) {
        self.deciders.set_tail(tail);
    }

    /// Whether it came with a fork: the process has a recorder of its own, or will have.
    #[inline(always)]
    pub(crate) fn is_inherited(&self) -> bool {
        self.succession.is_in_child()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.traces.is_closed()
    }

    /// Whether it is there to record, and not only to pass contexts on.
    pub(crate) fn records(&self) -> bool {
        self.switch.is_on()
    }

    /// Whether asking the tail runs nothing but code of this crate, so that it may be asked anywhere.
    #[cfg(feature = "layer")]
    #[inline]
    pub(crate) fn is_tail_self_contained(&self) -> bool {
        self.deciders.is_tail_self_contained()
    }

    /// Whether one of its samplers or policies is being asked on this thread: what that starts is refused.
    pub(crate) fn is_decider_running(&self) -> bool {
        self.deciders.is_running_here()
    }

    /// Why spans that start here and now are refused, if they are.
    pub(super) fn refusal(&self) -> Option<Reason> {
        if reentrancy::is_own_thread() || self.is_decider_running() {
            Some(Reason::OwnWork)
        } else if self.is_closed() {
            Some(Reason::ShutDown)
        } else {
            None
        }
    }

    /// Shows the spans that threads are inside of to the context bridge, from now on.
    #[cfg(all(feature = "layer", feature = "bridge"))]
    pub(crate) fn share_context(&self) {
        self.shares_context.store(true, Ordering::Relaxed);
    }

    /// Whether the context bridge is shown the spans that threads are inside of.
    pub(crate) fn shares_context(&self) -> bool {
        self.shares_context.load(Ordering::Relaxed)
    }

    /// The local trace of this recorder that a context leads to, recorded or not.
    #[inline]
    pub(super) fn local_parent(&self, context: &TraceContext) -> Option<LocalParent> {
        let local = context.local()?;
        if let Some(trace) = local.downcast::<LocalTrace<Self>>() {
            let is_ours = std::ptr::eq(&raw const *trace.owner, self);
            return is_ours.then_some(LocalParent::Recorded(trace));
        }
        let unrecorded = local.downcast::<UnrecordedTrace>()?;
        let is_ours = unrecorded.is_counted_in(&self.ledger);
        is_ours.then_some(LocalParent::Unrecorded(unrecorded))
    }

    /// Whether a context leads to a local trace of this recorder, recorded or not.
    #[cfg(any(feature = "layer", feature = "otel"))]
    pub(crate) fn is_home_of(&self, context: &TraceContext) -> bool {
        self.local_parent(context).is_some()
    }

    /// Writes into the record of a span of one of its traces; false when the span has ended. `guess` is
    /// where the span stood in the buffer when it was added: it stands there, or before.
    #[inline]
    pub(super) fn write(
        &self,
        trace: &Arc<LocalTrace<Self>>,
        guess: SpanIndex,
        id: SpanId,
        write: impl FnOnce(&mut SpanMut<'_>),
    ) -> bool {
        let mut live = trace.lock();
        let Some(index) = live.store.recorded_mut().find_open(guess, id) else { return false };
        let correction = trace.header.correction;
        let mut span =
            SpanMut::new(live.store.recorded_mut(), correction, index, &self.limits.span);
        write(&mut span);
        if span.has_failed() {
            trace.mark_worth_keeping();
        }
        self.traces.unlock(trace, live, false);
        true
    }

    /// Adds a holder of drafts of this recorder, which a shutdown asks to settle them.
    #[cfg_attr(not(feature = "layer"), expect(dead_code, reason = "the layer is its only user"))]
    pub(crate) fn add_draft_holder(&self, new: Weak<dyn DraftHolder>) {
        self.draft_holders.add(new);
    }

    /// Drops a value that asks deciders when it is dropped, where that may be done.
    #[cfg(feature = "layer")]
    pub(crate) fn postpone_drop(&self, value: impl std::any::Any + Send) {
        self.postponed.postpone(Box::new(value));
    }

    /// The account without what is live and held, which costs no look at every trace.
    pub(crate) fn losses(&self) -> Stats {
        self.ledger.counters()
    }

    /// The account of this moment.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.ledger.snapshot(&self.traces.counts(self.clock.now()));
        stats.coherence = self.traces.link().map(CoherenceLink::stats).unwrap_or_default();
        stats
    }

    /// The recorded spans that have not ended.
    #[cfg(feature = "otel")]
    pub(crate) fn open_spans(&self) -> OpenSpanCounts {
        let mut all = OpenSpanCounts::default();
        self.traces.for_each(|trace| {
            let live = trace.lock();
            let open = trace.open_spans(&live);
            drop(live);
            if trace.sample().is_some() {
                all.sampled += open;
            } else {
                all.recorded += open;
            }
        });
        all
    }

    pub(crate) fn pool(&self) -> SpanPool {
        self.traces.pool()
    }

    /// Tells this recorder from every other that lives.
    pub(crate) fn id(&self) -> RecorderId {
        RecorderId(std::ptr::from_ref(self).addr())
    }
}

impl TraceOwner for Recorder {
    fn reclaim(&self, trace: Arc<LocalTrace<Self>>) {
        if !self.is_inherited() {
            self.traces.reclaim(trace);
        }
    }

    fn decide(&self, trace: &Arc<LocalTrace<Self>>, due: Due, now: Tick) {
        if !self.is_inherited() {
            self.completion.decide_due(&self.traces, trace, due, now);
        }
    }

    #[inline(always)]
    fn is_inherited(&self) -> bool {
        Self::is_inherited(self)
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
