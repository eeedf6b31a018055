//! What the spans of a local trace share.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{Randomness, Threshold, TraceFlags, TraceId, TraceState};
use crate::time::ClockCorrection;

/// What all spans of a local trace share, known before the first of them starts.
#[derive(Clone, Debug)]
pub(crate) struct TraceHeader {
    pub(crate) trace_id: TraceId,
    pub(crate) trace_state: TraceState,
    /// What leads from the ticks of the spans to the time of day.
    pub(crate) correction: ClockCorrection,
    sampling: SamplingCell,
}

impl TraceHeader {
    /// Makes the header of a trace about which the tail decides.
    pub(crate) fn new(
        trace_id: TraceId,
        flags: TraceFlags,
        trace_state: TraceState,
        correction: ClockCorrection,
    ) -> Self {
        Self {
            trace_id,
            trace_state,
            correction,
            sampling: SamplingCell::new(Sampling::new(flags)),
        }
    }

    /// Makes the header of a trace that is made by hand and not recorded: its ticks are the time of day.
    pub(crate) fn made_by_hand(trace_id: TraceId) -> Self {
        Self::new(trace_id, TraceFlags::default(), TraceState::default(), ClockCorrection::NONE)
    }

    pub(crate) fn flags(&self) -> TraceFlags {
        self.sampling.get().flags()
    }

    pub(crate) fn set_flags(&mut self, flags: TraceFlags) {
        self.sampling.set(self.sampling.get().with_flags(flags));
    }

    /// Whether the head sampler asked for the trace to be kept.
    pub(crate) fn is_sampled(&self) -> bool {
        self.sampling.get().is_sampled()
    }

    /// Notes that the head sampled because a caller asked for it.
    pub(crate) fn mark_followed(&mut self) {
        self.sampling.set(Sampling(self.sampling.get().0 | Sampling::IS_FOLLOWED));
    }

    /// Whether a sampler of this process asked for the trace to be kept: a caller's flag alone does not let it outlive
    /// others at a limit.
    pub(crate) fn is_worth_keeping(&self) -> bool {
        let sampling = self.sampling.get();
        sampling.is_sampled() && sampling.0 & Sampling::IS_FOLLOWED == 0
    }

    /// The answer of the head sampler, if it asked for the trace to be kept.
    pub(crate) fn sampled(&self) -> Option<HeadSample> {
        self.sampling.get().sample()
    }

    /// The threshold with which the head sampler sampled; `None` when its probability is not known.
    pub(crate) fn threshold(&self) -> Option<Threshold> {
        self.sampling.get().threshold()
    }

    /// Marks the trace as one that the head sampler keeps.
    pub(crate) fn sample(&mut self, threshold: Option<Threshold>) {
        self.sampling.set(Sampling::sampled(self.flags().with_sampled(true), threshold));
    }

    /// Adds the answer of a head about another local root of the trace, which has begun already; the first stands.
    pub(crate) fn sample_too(&self, sample: HeadSample) {
        self.sampling.sample(sample);
    }

    /// The trace state that leaves with the context of a span: with the threshold of a head sampler that sampled,
    /// without one while the tail has not decided.
    pub(crate) fn outgoing_state(&self) -> TraceState {
        self.trace_state.with_threshold(self.threshold())
    }

    /// The bits on which all probabilistic decisions about this trace rest.
    pub(crate) fn randomness(&self) -> Randomness {
        let explicit = self.trace_state.randomness();
        explicit.unwrap_or_else(|| Randomness::from_trace_id_bits(self.trace_id.to_bits()))
    }
}

/// The answer of a head that sampled a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadSample {
    /// With which threshold; `None` when the head's probability is not known.
    pub(crate) threshold: Option<Threshold>,
}

impl HeadSample {
    const THRESHOLD: u64 = (1 << 56) - 1;
    const IS_KNOWN: u64 = 1 << 56;
    const IS_SAMPLED: u64 = 1 << 57;

    /// The answer in the lower 58 bits of a word, which is never zero.
    pub(crate) fn to_bits(self) -> u64 {
        let known = self.threshold.map_or(0, |threshold| threshold.bits() | Self::IS_KNOWN);
        Self::IS_SAMPLED | known
    }

    /// The answer in a word, whose upper bits are ignored; `None` where a head did not sample.
    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        if bits & Self::IS_SAMPLED == 0 {
            return None;
        }
        let is_known = bits & Self::IS_KNOWN != 0;
        let threshold = if is_known { Threshold::from_bits(bits & Self::THRESHOLD) } else { None };
        Some(Self { threshold })
    }
}

/// Where the flags and the decision of a live trace stand.
// Relaxed: the word is whole in itself. A head that samples another local root of the trace does so before that root
// starts, and the decision, which reads the word, comes after the root has ended, which takes the trace's lock.
#[derive(Debug)]
struct SamplingCell(AtomicU64);

impl SamplingCell {
    fn new(sampling: Sampling) -> Self {
        Self(AtomicU64::new(sampling.0))
    }

    #[inline]
    fn get(&self) -> Sampling {
        Sampling(self.0.load(Ordering::Relaxed))
    }

    fn set(&mut self, sampling: Sampling) {
        *self.0.get_mut() = sampling.0;
    }

    /// Adds an answer that samples, unless there is one.
    fn sample(&self, sample: HeadSample) {
        let add = |word| (!Sampling(word).is_sampled()).then_some(word | sample.to_bits());
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

impl Clone for SamplingCell {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }
}

/// Flags, decision and threshold in one word: a million open traces have a million of these.
#[derive(Clone, Copy, Debug)]
struct Sampling(u64);

impl Sampling {
    /// The flags stand above the bits of a [`HeadSample`].
    const FLAGS: u32 = 58;

    /// A caller's flag is why the head sampled.
    const IS_FOLLOWED: u64 = 1 << 63;

    fn new(flags: TraceFlags) -> Self {
        Self(u64::from(flags.pack()) << Self::FLAGS)
    }

    fn sampled(flags: TraceFlags, threshold: Option<Threshold>) -> Self {
        Self(Self::new(flags).0 | HeadSample { threshold }.to_bits())
    }

    fn flags(self) -> TraceFlags {
        TraceFlags::unpack((self.0 >> Self::FLAGS) as u8)
    }

    fn with_flags(self, flags: TraceFlags) -> Self {
        let rest = self.0 & !(0b1111 << Self::FLAGS);
        Self(rest | Self::new(flags).0)
    }

    fn is_sampled(self) -> bool {
        self.0 & HeadSample::IS_SAMPLED != 0
    }

    fn sample(self) -> Option<HeadSample> {
        HeadSample::from_bits(self.0)
    }

    fn threshold(self) -> Option<Threshold> {
        self.sample().and_then(|sample| sample.threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_decision_and_threshold_do_not_disturb_each_other() {
        let mut header = TraceHeader::made_by_hand(TraceId::new());
        assert_eq!((header.is_sampled(), header.threshold()), (false, None));
        let threshold = Threshold::from_bits((1 << 56) - 1);
        header.set_flags(TraceFlags::RANDOM);
        header.sample(threshold);
        assert_eq!((header.is_sampled(), header.threshold()), (true, threshold));
        assert!(header.flags().is_random() && header.flags().is_sampled());
        for flags in [TraceFlags::DEBUG, TraceFlags::DEFERRED] {
            header.set_flags(flags);
            assert_eq!(
                (header.flags(), header.is_sampled(), header.threshold()),
                (flags, true, threshold)
            );
        }
        header.set_flags(TraceFlags::default());
        assert_eq!(
            (header.is_sampled(), header.threshold(), header.flags().bits()),
            (true, threshold, 0)
        );
        header.sample(None);
        assert_eq!((header.is_sampled(), header.threshold()), (true, None));
    }
}
