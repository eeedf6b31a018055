//! So many traces per second of each operation, at a rate that follows the load.

mod operation;
mod operation_table;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Sampler, SamplingRequest, SamplingResult};
use crate::model::SettingError;
use crate::model::setting::{check_max_operations, check_per_second};
use crate::time::nanos;
use operation::{Operation, Plan, Together};
use operation_table::OperationTable;

/// Holds the number of sampled traces of each operation near a target, whatever the load.
///
/// Use it when the load varies by the hour or between operations: a busy operation is sampled at a low
/// rate, a rare one in full, and the export volume stays. An operation is the name of local roots.
///
/// At the end of each interval (default 1 s) the arrivals of an operation enter an exponential moving
/// average, of which the newest interval makes up the smoothing weight (default 0.75), and the rate
/// that would have met the target becomes its rate, within bounds (default 0.001 to 1). After the load
/// has jumped to ten times or a tenth, the third interval is within 20 % of the target; inside an
/// interval the rate is halved each time the operation has got twice the samples it should have. An
/// operation with few arrivals is counted over up to ten intervals; with less than one arrival in an
/// interval, an operation gets more than a target that is smaller still.
///
/// Callers that choose ids can pass every rate. So an operation gets at most twenty times its target in an
/// interval, or sixteen samples where that is more, whatever ids come; a burst of honest ids stays below that. All
/// operations together get four times their targets, or eight samples for each, and what one may get beside that, so that
/// operations that callers make up are no way around it.
///
/// The first 256 operations (settable) have a rate each. Later ones, and names longer than 256 bytes,
/// share one rate and one target. Where all have a rate, the next interval forgets those that were quiet for ten
/// intervals, and later ones get their places; what comes back after that begins anew. So names that hold ids, or that
/// callers make up, cost bounded memory, and crowd out others for as long as they keep coming.
///
/// Decisions are consistent: a trace is sampled if its randomness reaches the threshold of the
/// operation's present rate, which goes along as `ot=th:`, so that backends can scale counts back.
/// What is not sampled is recorded, for the tail to decide. A decision takes no lock and about 20 ns
/// more than one at a fixed rate, and allocates only when it first sees a name: where two callers bring a new name at
/// once, one of them has the shared rate. The caller that
/// notices the end of an interval sets the rates, which takes some microseconds for 256 operations.
///
/// Give the pipeline an [`Arc`](std::sync::Arc) of it to keep a handle for reading the rates:
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use tailtrace::time::ManualClock;
/// use tailtrace::{AdaptiveSampler, Sampler, SamplingRequest, TraceId};
///
/// let sampler = Arc::new(
///     AdaptiveSampler::per_second(50.0)?.with_interval(Duration::from_secs(2))?,
/// );
/// let handle = Arc::clone(&sampler);
/// # let (manual, clock) = { let manual = ManualClock::new(); let clock = manual.clock(); (manual, clock) };
/// for _ in 0..=1_000 {
///     sampler.should_sample(&SamplingRequest::new(TraceId::new(), "checkout", clock.now()));
/// #   manual.advance(Duration::from_millis(2));
/// }
/// let (operation, rate) = &handle.rates()[0]; // after 500 requests per second for two seconds
/// assert_eq!(operation, "checkout");
/// assert!((rate - 0.1).abs() < 0.001);
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Debug)]
pub struct AdaptiveSampler {
    settings: Settings,
    plan: Plan,
    operations: OperationTable,
    shared: Operation,
    together: Together,
    /// When the interval ends, in nanoseconds; 0 before the first one.
    // The thread that wins the exchange sets the rates, each of which is whole in itself.
    deadline: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    target: f64,
    interval: Duration,
    smoothing: f64,
    bounds: (f64, f64),
    max_operations: usize,
}

impl AdaptiveSampler {
    /// The shortest interval.
    const SHORTEST: Duration = Duration::from_millis(1);

    /// The most operations with a rate of their own.
    const MOST_OPERATIONS: usize = 65_536;

    /// A sampler of about `target` traces per second of each operation; fractions are allowed.
    ///
    /// # Errors
    /// If the target is not a finite number above 0.
    pub fn per_second(target: f64) -> Result<Self, SettingError> {
        check_per_second("target", target, "traces")?;
        Ok(Self::from_settings(Settings {
            target,
            interval: Duration::from_secs(1),
            smoothing: 0.75,
            bounds: (0.001, 1.0),
            max_operations: 256,
        }))
    }

    /// This sampler setting its rates anew after each `interval`; the default is 1 second.
    ///
    /// A longer one steadies the rates of rare operations, a shorter one follows the load faster.
    ///
    /// # Errors
    /// If the interval is shorter than a millisecond.
    pub fn with_interval(self, interval: Duration) -> Result<Self, SettingError> {
        if interval < Self::SHORTEST {
            let setting = format_args!("interval {interval:?}");
            return Err(SettingError::out_of_range(setting, "use 1 ms or more"));
        }
        Ok(Self::from_settings(Settings { interval, ..self.settings }))
    }

    /// This sampler with another weight of the newest interval in the moving average; the default is
    /// 0.75. With 1 the past is forgotten at once.
    ///
    /// # Errors
    /// If the weight is not above 0 and at most 1.
    pub fn with_smoothing(self, weight: f64) -> Result<Self, SettingError> {
        if !(weight > 0.0 && weight <= 1.0) {
            let setting = format_args!("smoothing weight {weight}");
            return Err(SettingError::out_of_range(setting, "use a number above 0 and at most 1"));
        }
        Ok(Self::from_settings(Settings { smoothing: weight, ..self.settings }))
    }

    /// This sampler with rates from `min` to `max`, whatever the load; the default is 0.001 to 1.
    ///
    /// # Errors
    /// If not 0 <= `min` <= `max` <= 1, or `max` is 0.
    pub fn with_bounds(self, min: f64, max: f64) -> Result<Self, SettingError> {
        if !(0.0 <= min && min <= max && max <= 1.0 && max > 0.0) {
            return Err(SettingError::new(format_args!(
                "bounds {min} to {max} are no range of rates: use 0 <= min <= max <= 1 and max above 0"
            )));
        }
        Ok(Self::from_settings(Settings { bounds: (min, max), ..self.settings }))
    }

    /// This sampler with a rate of its own for so many operations; the default is 256. With 0 all
    /// operations share one rate.
    ///
    /// # Errors
    /// If there are more than 65,536.
    pub fn with_max_operations(self, count: usize) -> Result<Self, SettingError> {
        check_max_operations(count, Self::MOST_OPERATIONS)?;
        Ok(Self::from_settings(Settings { max_operations: count, ..self.settings }))
    }

    fn from_settings(settings: Settings) -> Self {
        let plan = Plan::new(
            settings.target * settings.interval.as_secs_f64(),
            settings.smoothing,
            settings.bounds,
        );
        Self {
            settings,
            operations: OperationTable::new(settings.max_operations),
            shared: Operation::new(&plan),
            together: Together::default(),
            plan,
            deadline: AtomicU64::new(0),
        }
    }

    /// The present rate of each operation that has one of its own, in the order of their names.
    #[must_use]
    pub fn rates(&self) -> Vec<(String, f64)> {
        let mut rates = self.operations.names(|operation| operation.rate(&self.plan));
        rates.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        rates
    }

    /// The present rate of the operations that share one.
    #[must_use]
    pub fn shared_rate(&self) -> f64 {
        self.shared.rate(&self.plan)
    }

    /// Whether a sample of the operation is below all ceilings.
    fn may_sample(&self, operation: &Operation) -> bool {
        operation.may_sample(&self.plan)
            && self.together.may_sample(self.operations.len(), &self.plan)
    }

    /// Begins the next interval, unless another caller does; only the one that does sets the rates.
    #[cold]
    fn end_interval(&self, deadline: u64, now: u64) {
        let interval = nanos(self.settings.interval);
        let next = now.saturating_add(interval);
        let mine =
            self.deadline.compare_exchange(deadline, next, Ordering::AcqRel, Ordering::Relaxed);
        if mine.is_err() || deadline == 0 {
            return;
        }
        self.together.end_interval();
        // Intervals in which no trace started are one long interval.
        let elapsed = now.saturating_sub(deadline.saturating_sub(interval));
        let intervals = elapsed as f64 / interval as f64;
        for operation in self.operations.operations().chain([&self.shared]) {
            operation.end_interval(intervals, &self.plan);
        }
        self.operations.make_room();
    }
}

impl Sampler for AdaptiveSampler {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let now = request.now.as_nanos();
        let deadline = self.deadline.load(Ordering::Acquire);
        if now >= deadline {
            self.end_interval(deadline, now);
        }
        let operation =
            self.operations.get_or_insert(request.name, &self.plan).unwrap_or(&self.shared);
        let threshold = operation.arrive(&self.plan);
        let result = SamplingResult::by_threshold(Some(threshold), request.randomness);
        if result.is_sampled() && !self.may_sample(operation) {
            return SamplingResult::by_threshold(None, request.randomness);
        }
        result
    }
}
