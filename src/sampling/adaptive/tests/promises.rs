//! What holds for any settings, any load and any number of threads.

use proptest::prelude::*;

use super::*;

#[test]
fn threads_may_ask_at_once() {
    let sampler = AdaptiveSampler::per_second(10.0).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let sampler = &sampler;
            scope.spawn(move || {
                let random = Random::seeded(seed);
                for n in 0..20_000 {
                    let now = Tick::from_nanos(n * SECOND / 1_000);
                    let mut request = SamplingRequest::new(TraceId::new(), "op", now);
                    request.randomness = Randomness::from_bits(random.next_u64());
                    drop(sampler.should_sample(&request));
                }
            });
        }
    });
    let (_, rate) = &sampler.rates()[0];
    assert!((0.001..=1.0).contains(rate), "{rate}");
}

#[test]
fn what_is_no_setting_is_refused_by_its_value() {
    let sampler = || AdaptiveSampler::per_second(1.0).unwrap();
    let refusals = [
        (AdaptiveSampler::per_second(0.0), " 0 "),
        (AdaptiveSampler::per_second(f64::NAN), "NaN"),
        (AdaptiveSampler::per_second(f64::INFINITY), "inf"),
        (sampler().with_interval(Duration::from_micros(7)), "7µs"),
        (sampler().with_smoothing(0.0), " 0 "),
        (sampler().with_smoothing(1.25), "1.25"),
        (sampler().with_bounds(0.5, 0.25), "0.5 to 0.25"),
        (sampler().with_bounds(0.5, 2.0), "0.5 to 2"),
        (sampler().with_bounds(-1.0, 1.0), "-1 to 1"),
        (sampler().with_bounds(0.0, 0.0), "0 to 0"),
        (sampler().with_bounds(f64::NAN, 1.0), "NaN to 1"),
        (sampler().with_max_operations(70_000), "70000"),
    ];
    for (refusal, named) in refusals {
        let error = refusal.unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

fn bounds() -> impl Strategy<Value = (f64, f64)> {
    (0.0..=1.0_f64, 0.0001..=1.0_f64).prop_map(|(one, other)| (one.min(other), one.max(other)))
}

proptest! {
    #[test]
    fn no_rate_ever_leaves_the_bounds_and_no_decision_contradicts_its_threshold(
        target in 1e-3..1e6_f64,
        smoothing in 0.01..=1.0_f64,
        (min, max) in bounds(),
        steps in prop::collection::vec((0..6_u8, 0..5_000_000_000_u64, 1..200_u32, any::<u64>()), 1..60),
    ) {
        let sampler = AdaptiveSampler::per_second(target)
            .and_then(|sampler| sampler.with_smoothing(smoothing))
            .and_then(|sampler| sampler.with_bounds(min, max))
            .and_then(|sampler| sampler.with_max_operations(4))
            .unwrap();
        let mut now = 0;
        for (operation, gap, arrivals, randomness) in steps {
            now += gap;
            let name = operation.to_string();
            let mut request = SamplingRequest::new(TraceId::new(), &name, Tick::from_nanos(now));
            request.randomness = Randomness::from_bits(randomness);
            for _ in 0..arrivals {
                let result = sampler.should_sample(&request);
                prop_assert_ne!(result.decision, SamplingDecision::Drop);
                if let Some(threshold) = result.threshold {
                    prop_assert!(threshold.accepts(request.randomness));
                    prop_assert!((min - 1e-15..=max + 1e-15).contains(&threshold.probability()));
                }
                prop_assert_eq!(result.is_sampled(), result.threshold.is_some());
            }
            for (name, rate) in sampler.rates().into_iter().chain([(String::new(), sampler.shared_rate())]) {
                prop_assert!((min..=max).contains(&rate), "{name} at {rate}");
            }
        }
    }
}
