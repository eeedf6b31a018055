//! One operation's arrivals, their average, and the rate that follows from it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::Threshold;

/// How many times the samples of an interval an operation gets before its rate is halved.
const BURST: f64 = 2.0;

/// So few arrivals in an interval are no burst, however small the target is.
const NO_BURST: f64 = 8.0;

/// How many times its samples of an interval an operation gets at the very most, whatever ids callers choose. A
/// burst that the rate follows stays below it up to a thousand times the usual load.
const CEILING: f64 = 20.0;

/// How many times that all operations together get at the very most, for each of them: callers who make up operations
/// would have the ceiling of each otherwise. A common burst to ten times the load stays below it.
const CEILING_TOGETHER: f64 = 4.0;

/// An operation that gets fewer arrivals than this in an interval is counted over several: an interval
/// in which none happened to come would let it seem to be idle, and be sampled in full.
const FEW: u64 = 5;

/// Over how many intervals at most.
const PATIENCE: f64 = 10.0;

/// What all operations of a sampler have in common.
#[derive(Debug)]
pub(super) struct Plan {
    /// The samples that an operation should get in an interval.
    budget: f64,
    /// The samples that it gets at the most.
    ceiling: u64,
    /// What each operation adds to the samples that all get together at the most.
    share: u64,
    smoothing: f64,
    bounds: (f64, f64),
    /// The thresholds of the bounds.
    strictest: Threshold,
    laxest: Threshold,
}

impl Plan {
    pub(super) fn new(budget: f64, smoothing: f64, bounds: (f64, f64)) -> Self {
        Self {
            budget,
            ceiling: (CEILING * budget).max(BURST * NO_BURST) as u64,
            share: (CEILING_TOGETHER * budget).max(NO_BURST) as u64,
            smoothing,
            bounds,
            strictest: threshold(bounds.0),
            laxest: threshold(bounds.1),
        }
    }

    /// The threshold with which so many arrivals in an interval meet the budget.
    fn threshold_for(&self, arrivals: f64) -> Threshold {
        if arrivals > 0.0 { self.within_bounds(self.budget / arrivals) } else { self.laxest }
    }

    fn within_bounds(&self, rate: f64) -> Threshold {
        threshold(rate).clamp(self.laxest, self.strictest)
    }

    /// After how many arrivals in an interval an operation with this threshold has a burst.
    fn alarm(&self, threshold: Threshold) -> u64 {
        (BURST * self.budget / threshold.probability()).max(NO_BURST) as u64
    }

    /// The moving average after `weight` of it has been replaced by `newest`.
    ///
    /// A rise is averaged by the arrivals, a fall that chance does not explain by the rates, which are
    /// their inverse. Otherwise the old height would outweigh the new depth for long: after a fall to
    /// a tenth, three intervals later two thirds of the rate would still be missing.
    fn average(old: f64, newest: f64, weight: f64) -> f64 {
        if old.is_nan() {
            newest
        } else if old - newest > 3.0 * old.sqrt() {
            // The one keeps the inverse of nothing finite.
            let inverse = weight / (newest + 1.0) + (1.0 - weight) / (old + 1.0);
            (1.0 / inverse - 1.0).max(0.0)
        } else {
            weight * newest + (1.0 - weight) * old
        }
    }
}

/// The threshold of a rate that may be too small for one.
fn threshold(rate: f64) -> Threshold {
    let rate = rate.clamp(f64::MIN_POSITIVE, 1.0);
    let threshold = Threshold::for_rate(rate).ok().flatten();
    threshold.unwrap_or(Threshold::ALWAYS)
}

/// The samples of all operations since the interval began. Aligned as an operation is.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Together {
    // Relaxed: the count guards nothing.
    samples: AtomicU64,
}

impl Together {
    /// Whether one more sample is below the ceiling of so many operations.
    pub(super) fn may_sample(&self, operations: usize, plan: &Plan) -> bool {
        let ceiling = plan.ceiling.saturating_add(plan.share.saturating_mul(operations as u64));
        self.samples.fetch_add(1, Ordering::Relaxed) < ceiling
    }

    pub(super) fn end_interval(&self) {
        self.samples.store(0, Ordering::Relaxed);
    }
}

/// One operation. Aligned so that operations do not share cache lines.
// Relaxed throughout: each value is whole in itself, and a thread that reads one of a moment ago samples one arrival by
// the rate before. Only the thread that won the interval, or the alarm, sets a rate.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Operation {
    /// Arrivals since the average was last set.
    arrivals: AtomicU64,
    /// Samples since the interval began.
    samples: AtomicU64,
    /// The bits of the number of intervals that have ended since.
    waited: AtomicU64,
    /// The arrivals after which the threshold is raised before the interval ends.
    alarm: AtomicU64,
    /// The bits of the threshold.
    threshold: AtomicU64,
    /// The bits of the average arrivals per interval; not a number before the first interval ends.
    average: AtomicU64,
    /// The bits of the number of intervals that ended since the last in which there were arrivals.
    quiet: AtomicU64,
}

impl Operation {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            arrivals: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            waited: AtomicU64::new(0_f64.to_bits()),
            alarm: AtomicU64::new(plan.alarm(plan.laxest)),
            threshold: AtomicU64::new(plan.laxest.bits()),
            average: AtomicU64::new(f64::NAN.to_bits()),
            quiet: AtomicU64::new(0_f64.to_bits()),
        }
    }

    /// Forgets all that is known, for another operation.
    pub(super) fn begin(&self, plan: &Plan) {
        let Self { arrivals, samples, waited, alarm, threshold, average, quiet } = Self::new(plan);
        let fresh = [arrivals, samples, waited, alarm, threshold, average, quiet];
        let own = [
            &self.arrivals,
            &self.samples,
            &self.waited,
            &self.alarm,
            &self.threshold,
            &self.average,
            &self.quiet,
        ];
        for (own, fresh) in own.into_iter().zip(fresh) {
            own.store(fresh.into_inner(), Ordering::Relaxed);
        }
    }

    /// Whether nothing has arrived for so long that the operation is sampled as a new one would be.
    pub(super) fn is_quiet(&self) -> bool {
        f64::from_bits(self.quiet.load(Ordering::Relaxed)) >= PATIENCE
    }

    /// Counts an arrival and returns the threshold that its randomness must reach.
    ///
    /// The threshold depends on how many arrived, never on their randomness: it would not be a
    /// probability otherwise.
    pub(super) fn arrive(&self, plan: &Plan) -> Threshold {
        let arrivals = self.arrivals.fetch_add(1, Ordering::Relaxed) + 1;
        let alarm = self.alarm.load(Ordering::Relaxed);
        if arrivals > alarm {
            self.contain_burst(alarm, plan);
        }
        self.threshold()
    }

    /// Whether one more sample is below the ceiling: randomness that callers choose passes every threshold.
    pub(super) fn may_sample(&self, plan: &Plan) -> bool {
        self.samples.fetch_add(1, Ordering::Relaxed) < plan.ceiling
    }

    #[cold]
    fn contain_burst(&self, alarm: u64, plan: &Plan) {
        let raised = alarm.saturating_mul(2);
        let mine = self.alarm.compare_exchange(alarm, raised, Ordering::Relaxed, Ordering::Relaxed);
        if mine.is_ok() {
            let halved = plan.within_bounds(self.threshold().probability() / 2.0);
            self.threshold.store(halved.bits(), Ordering::Relaxed);
        }
    }

    /// Takes the arrivals of `intervals` intervals into the average and sets the threshold anew.
    pub(super) fn end_interval(&self, intervals: f64, plan: &Plan) {
        self.samples.store(0, Ordering::Relaxed);
        let old = f64::from_bits(self.average.load(Ordering::Relaxed));
        let intervals = intervals + f64::from_bits(self.waited.load(Ordering::Relaxed));
        let few = old < FEW as f64 && self.arrivals.load(Ordering::Relaxed) < FEW;
        if few && intervals < PATIENCE {
            self.waited.store(intervals.to_bits(), Ordering::Relaxed);
            return;
        }
        self.waited.store(0_f64.to_bits(), Ordering::Relaxed);
        let arrivals = self.arrivals.swap(0, Ordering::Relaxed);
        let before = f64::from_bits(self.quiet.load(Ordering::Relaxed));
        let quiet = if arrivals == 0 { before + intervals } else { 0.0 };
        self.quiet.store(quiet.to_bits(), Ordering::Relaxed);
        let newest = arrivals as f64 / intervals;
        let weight = 1.0 - (1.0 - plan.smoothing).powf(intervals);
        let average = Plan::average(old, newest, weight);
        let threshold = plan.threshold_for(average);
        self.average.store(average.to_bits(), Ordering::Relaxed);
        self.threshold.store(threshold.bits(), Ordering::Relaxed);
        self.alarm.store(plan.alarm(threshold), Ordering::Relaxed);
    }

    /// The present rate.
    pub(super) fn rate(&self, plan: &Plan) -> f64 {
        let (min, max) = plan.bounds;
        // A threshold is 2^-56 coarse and may lie that little outside.
        self.threshold().probability().clamp(min, max)
    }

    fn threshold(&self) -> Threshold {
        let bits = self.threshold.load(Ordering::Relaxed);
        Threshold::from_bits(bits).unwrap_or(Threshold::ALWAYS)
    }
}
