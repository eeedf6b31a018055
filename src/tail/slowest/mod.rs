//! Keep what is slow for its kind.

mod latencies;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use self::latencies::Latencies;
use super::{TailPolicy, Verdict};
use crate::kit::fork::PerProcess;
use crate::kit::unwind_safe::lock;
use crate::model::SettingError;
use crate::model::setting::check_max_operations;
use crate::trace::TraceView;

/// Keeps traces that are slower than a running percentile of their own operation.
///
/// Use it where no fixed limit is right: what is slow for a search is normal for an export. Of each
/// operation (the name of the local root) it keeps about `1 - percentile` of the traces, the slowest.
///
/// - A trace is kept when it took longer than the percentile of those before it, and the difference
///   can be told: durations within about 3 % of each other count as equal, as do all below 1 µs and
///   all above 19 hours. What is no slower than the percentile is never kept. A constant latency thus
///   keeps nothing, and many equal ones keep less than their share.
/// - Nothing is kept of an operation until it was seen 100 times ([`with_warm_up`](Self::with_warm_up)).
/// - The past counts for half after every 10,000 traces of the operation, so that the percentile
///   follows a service that became slower or faster. Percentiles beyond 0.999 are coarse: they rest
///   on the ten slowest of those traces.
/// - The first 256 operations ([`with_max_operations`](Self::with_max_operations)) have a percentile
///   of their own, all others share one. Put identifiers into tags, not into names.
///
/// **Cost.** The trace's duration, a hash of the root's name and a short lock per operation; about
/// 2.3 kB of memory for each operation. As it learns from every trace, combinators always ask it,
/// except about those dropped on purpose before.
///
/// The verdict says that every such trace is kept. OpenTelemetry: the collector has no such policy.
///
/// ```
/// use tailtrace::tail::Slowest;
/// use tailtrace::{Errors, TailSampler};
/// let tail = TailSampler::new().keep(Errors).keep(Slowest::percentile(0.99)?);
/// # let _ = tail;
/// assert_eq!(
///     Slowest::percentile(99.0).unwrap_err().to_string(),
///     "percentile 99 is out of range: use a number between 0 and 1, such as 0.99",
/// );
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
pub struct Slowest {
    percentile: f64,
    warm_up: u32,
    max_operations: usize,
    hasher: RandomState,
    known: PerProcess<KnownLatencies>,
}

/// What was learned so far. A process that is forked off learns anew.
struct KnownLatencies {
    /// By the hash of the name, which takes the same room for every name.
    operations: RwLock<HashMap<u64, Mutex<Latencies>>>,
    others: Mutex<Latencies>,
}

impl KnownLatencies {
    /// With all the room there will ever be: nothing is allocated under the lock.
    fn new(percentile: f64, max_operations: usize) -> Self {
        Self {
            operations: RwLock::new(HashMap::with_capacity(max_operations)),
            others: Mutex::new(Latencies::new(percentile)),
        }
    }
}

impl Slowest {
    /// How many operations can be told apart at most.
    const MOST_OPERATIONS: usize = 4096;

    /// The longest warm-up.
    const LONGEST_WARM_UP: u32 = Latencies::WINDOW / 2;

    /// Keeps what is slower than `percentile` of its operation: 0.99 keeps the slowest hundredth.
    ///
    /// # Errors
    /// If the percentile is not a number above 0 and below 1.
    pub fn percentile(percentile: f64) -> Result<Self, SettingError> {
        if !(percentile > 0.0 && percentile < 1.0) {
            return Err(SettingError::out_of_range(
                format_args!("percentile {percentile}"),
                "use a number between 0 and 1, such as 0.99",
            ));
        }
        Self {
            percentile,
            warm_up: 100,
            max_operations: 0,
            hasher: RandomState::new(),
            known: PerProcess::new(KnownLatencies::new(percentile, 0)),
        }
        .with_max_operations(256)
    }

    /// Keeps nothing of an operation before it was seen so often; the default is 100.
    ///
    /// # Errors
    /// If that is more than 10,000 times.
    pub fn with_warm_up(mut self, traces: u32) -> Result<Self, SettingError> {
        if traces > Self::LONGEST_WARM_UP {
            return Err(SettingError::out_of_range(
                format_args!("warm-up of {traces} traces"),
                format_args!("use {} or fewer", Self::LONGEST_WARM_UP),
            ));
        }
        self.warm_up = traces;
        Ok(self)
    }

    /// Tells so many operations apart; the default is 256. With 0 all of them share one percentile.
    ///
    /// # Errors
    /// If there are more than 4,096.
    pub fn with_max_operations(mut self, count: usize) -> Result<Self, SettingError> {
        check_max_operations(count, Self::MOST_OPERATIONS)?;
        self.max_operations = count;
        self.known = PerProcess::new(KnownLatencies::new(self.percentile, count));
        Ok(self)
    }

    /// Whether a trace of the operation that took so long is slow; learns from it.
    fn observe(&self, operation: &str, duration: Duration) -> bool {
        let name = self.hasher.hash_one(operation);
        self.observe_known(name, duration).unwrap_or_else(|| {
            self.make_known(name);
            let known = self.observe_known(name, duration);
            known.unwrap_or_else(|| self.observe_one(&self.known().others, duration))
        })
    }

    fn known(&self) -> &KnownLatencies {
        self.known.get(|| KnownLatencies::new(self.percentile, self.max_operations))
    }

    /// `None` for an operation that is new and for which there is room.
    fn observe_known(&self, name: u64, duration: Duration) -> Option<bool> {
        let KnownLatencies { operations, others } = self.known();
        let operations = operations.read().unwrap_or_else(PoisonError::into_inner);
        match operations.get(&name) {
            Some(latencies) => Some(self.observe_one(latencies, duration)),
            None if operations.len() < self.max_operations => None,
            None => Some(self.observe_one(others, duration)),
        }
    }

    fn observe_one(&self, latencies: &Mutex<Latencies>, duration: Duration) -> bool {
        let mut latencies = lock(latencies);
        let is_slow = latencies.total() >= self.warm_up && latencies.is_slow(duration);
        latencies.record(duration);
        is_slow
    }

    fn make_known(&self, name: u64) {
        // Allocated before the lock is taken and, if another thread was faster, freed after it.
        let mut fresh = Some(Mutex::new(Latencies::new(self.percentile)));
        let mut operations =
            self.known().operations.write().unwrap_or_else(PoisonError::into_inner);
        if operations.len() < self.max_operations
            && let Entry::Vacant(vacant) = operations.entry(name)
            && let Some(fresh) = fresh.take()
        {
            vacant.insert(fresh);
        }
        drop(operations);
    }
}

impl TailPolicy for Slowest {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let slow = |name| self.observe(name, trace.duration());
        let root = trace.root();
        Verdict::keep_if(root.is_some_and(|root| slow(root.operation_name())))
    }

    fn is_self_contained(&self) -> bool {
        true
    }
}

impl fmt::Debug for Slowest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slowest")
            .field("percentile", &self.percentile)
            .field("warm_up", &self.warm_up)
            .field("max_operations", &self.max_operations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::test_traces;

    fn policy() -> Slowest {
        Slowest::percentile(0.9).unwrap().with_warm_up(10).unwrap()
    }

    fn keeps(policy: &Slowest, name: &'static str, millis: u64) -> bool {
        let trace = test_traces::trace(0, name, millis, Duration::ZERO);
        policy.evaluate(&trace.view()).is_keep()
    }

    #[test]
    fn each_operation_is_compared_with_itself() {
        let policy = policy();
        for _ in 0..20 {
            assert!(!keeps(&policy, "search", 5));
            assert!(!keeps(&policy, "export", 1000));
        }
        assert!(keeps(&policy, "search", 100));
        assert!(!keeps(&policy, "export", 100));
    }

    #[test]
    fn nothing_is_kept_before_the_warm_up() {
        let policy = policy();
        assert!((1..=10_u64).all(|step| !keeps(&policy, "work", step * step)));
        assert!(keeps(&policy, "work", 121));
    }

    #[test]
    fn a_constant_latency_keeps_nothing() {
        let policy = policy();
        assert!((0..1000).all(|_| !keeps(&policy, "work", 20)));
    }

    #[test]
    fn operations_beyond_the_limit_share_one_percentile() {
        let policy = policy().with_max_operations(1).unwrap();
        for _ in 0..10 {
            keeps(&policy, "first", 1000);
            keeps(&policy, "second", 10);
        }
        assert!(keeps(&policy, "third", 20), "slow beside the second");
        assert!(!keeps(&policy, "first", 1000), "it has its own");
        assert_eq!(policy.known().operations.read().unwrap().len(), 1);
    }

    #[test]
    fn without_an_operation_of_its_own_everything_is_one() {
        let policy = policy().with_max_operations(0).unwrap();
        (0..10).for_each(|_| assert!(!keeps(&policy, "one", 10)));
        assert!(keeps(&policy, "other", 20));
    }

    #[test]
    fn a_trace_without_spans_teaches_nothing() {
        let policy = policy();
        let empty = crate::trace::Trace::new(crate::model::TraceId::new());
        assert!(!policy.evaluate(&empty.view()).is_keep());
        assert!(policy.known().operations.read().unwrap().is_empty());
    }

    #[test]
    fn what_is_no_setting_is_refused_with_the_value() {
        for percentile in [0.0, 1.0, -0.5, 99.0, f64::NAN] {
            let error = Slowest::percentile(percentile).unwrap_err();
            assert!(error.to_string().contains(&percentile.to_string()), "{error}");
        }
        assert!(
            policy().with_warm_up(10_000).is_ok() && policy().with_max_operations(4096).is_ok()
        );
        let error = policy().with_warm_up(10_001).unwrap_err();
        assert_eq!(
            error.to_string(),
            "warm-up of 10001 traces is out of range: use 10000 or fewer"
        );
        let error = policy().with_max_operations(5_000).unwrap_err();
        assert_eq!(
            error.to_string(),
            "limit of 5000 operations is out of range: use 4096 or fewer"
        );
    }
}
