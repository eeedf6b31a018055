mod promises;

use std::collections::HashMap;

use super::*;
use crate::kit::Random;
use crate::model::{Randomness, TraceId};
use crate::sampling::SamplingDecision;
use crate::time::Tick;

const SECOND: u64 = 1_000_000_000;

/// A sampler under a simulated load, with its own time and seeded randomness.
struct Simulation {
    sampler: AdaptiveSampler,
    now: u64,
    random: Random,
}

impl Simulation {
    fn new(sampler: AdaptiveSampler) -> Self {
        Self { sampler, now: SECOND, random: Random::seeded(42) }
    }

    fn ask(&self, name: &str) -> SamplingResult {
        let mut request = SamplingRequest::new(TraceId::new(), name, Tick::from_nanos(self.now));
        request.randomness = Randomness::from_bits(self.random.next_u64());
        self.sampler.should_sample(&request)
    }

    /// One second in which each operation's arrivals are evenly spread: how many were sampled.
    fn second(&mut self, load: &[(&str, u64)]) -> HashMap<String, u64> {
        let arrivals = load
            .iter()
            .flat_map(|(name, count)| (0..*count).map(move |n| (n * SECOND / count, *name)));
        let mut arrivals: Vec<(u64, &str)> = arrivals.collect();
        arrivals.sort_unstable();
        let start = self.now;
        let mut sampled = HashMap::new();
        for (at, name) in arrivals {
            self.now = start + at;
            *sampled.entry(name.to_owned()).or_default() += u64::from(self.ask(name).is_sampled());
        }
        self.now = start + SECOND;
        sampled
    }

    fn seconds(&mut self, count: usize, load: u64) -> Vec<u64> {
        let one = |_| self.second(&[("op", load)]).get("op").copied();
        (0..count).map(one).map(Option::unwrap_or_default).collect()
    }

    fn rate(&self, name: &str) -> f64 {
        let rates = self.sampler.rates();
        let found = rates.iter().find(|(known, _)| known == name);
        found.map(|(_, rate)| *rate).unwrap()
    }
}

fn simulation(target: f64) -> Simulation {
    Simulation::new(AdaptiveSampler::per_second(target).unwrap())
}

#[track_caller]
fn assert_near(sampled: u64, target: f64) {
    let deviation = (sampled as f64 - target).abs() / target;
    assert!(deviation <= 0.2, "{sampled} sampled, target {target}");
}

#[test]
fn after_a_jump_of_the_load_the_target_is_met_in_the_third_interval() {
    let mut simulation = simulation(500.0);
    for load in [5_000, 50_000, 5_000, 500, 50_000] {
        let sampled = simulation.seconds(3, load);
        assert_near(sampled[2], 500.0);
        for sampled in simulation.seconds(3, load) {
            assert_near(sampled, 500.0);
        }
    }
}

#[test]
fn a_jump_by_a_hundred_takes_no_longer() {
    let mut simulation = simulation(500.0);
    for load in [1_000, 100_000, 1_000] {
        let sampled = simulation.seconds(4, load);
        assert_near(sampled[2], 500.0);
        assert_near(sampled[3], 500.0);
    }
}

#[test]
fn a_burst_is_contained_before_its_interval_ends() {
    let mut simulation = simulation(100.0);
    // The first second: nothing is known yet, and a thousand times the target arrives.
    let first = simulation.seconds(1, 100_000)[0];
    assert!(first < 100 * 13, "{first} sampled of 100000");
}

#[test]
fn a_burst_lowers_the_rate_by_arrivals_and_not_by_what_was_sampled() {
    let [low, high] = [0, u64::MAX].map(|randomness| {
        let sampler = AdaptiveSampler::per_second(10.0).unwrap();
        let mut request = SamplingRequest::new(TraceId::new(), "op", Tick::from_nanos(1));
        request.randomness = Randomness::from_bits(randomness);
        (0..1_000).for_each(|_| drop(sampler.should_sample(&request)));
        sampler.rates()
    });
    assert!(high[0].1 < 0.1, "{high:?}");
    assert_eq!(low, high);
}

#[test]
fn below_the_target_everything_is_sampled() {
    let mut simulation = simulation(50.0);
    assert_eq!(simulation.seconds(20, 49), [49; 20]);
    assert_eq!(simulation.rate("op"), 1.0);
}

#[test]
fn each_operation_is_held_at_the_target_by_itself() {
    let mut simulation = simulation(200.0);
    let load = [("busy", 40_000), ("usual", 2_000), ("rare", 5)];
    for _ in 0..3 {
        simulation.second(&load);
    }
    let sampled = simulation.second(&load);
    assert_near(sampled["busy"], 200.0);
    assert_near(sampled["usual"], 200.0);
    assert_eq!(sampled["rare"], 5);
    let rates = simulation.sampler.rates();
    let names: Vec<&str> = rates.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["busy", "rare", "usual"]);
    assert!((rates[0].1 - 0.005).abs() < 0.0001, "{rates:?}");
}

#[test]
fn many_operations_are_held_at_once() {
    let mut simulation = simulation(20.0);
    let names: Vec<String> = (0..200).map(|n| format!("GET /{n}")).collect();
    let load: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 100)).collect();
    for _ in 0..3 {
        simulation.second(&load);
    }
    let sampled = simulation.second(&load);
    assert_eq!(sampled.len(), 200);
    assert_near(sampled.values().sum(), 200.0 * 20.0);
}

#[test]
fn operations_above_the_limit_share_one_rate_and_one_target() {
    let sampler = AdaptiveSampler::per_second(300.0).unwrap().with_max_operations(1).unwrap();
    let mut simulation = Simulation::new(sampler);
    let load = [("first", 3_000), ("second", 3_000), ("third", 6_000)];
    simulation.ask("first");
    for _ in 0..3 {
        simulation.second(&load);
    }
    let sampled = simulation.second(&load);
    assert_near(sampled["first"], 300.0);
    assert_near(sampled["second"] + sampled["third"], 300.0);
    assert_eq!(simulation.sampler.rates().len(), 1);
    let shared = simulation.sampler.shared_rate();
    assert!((shared - 300.0 / 9_000.0).abs() < 0.001, "{shared}");
}

#[test]
fn a_hostile_number_of_names_costs_bounded_memory() {
    let simulation = simulation(1.0);
    for n in 0..100_000 {
        simulation.ask(&format!("GET /{n}"));
    }
    simulation.ask(&"long".repeat(100_000));
    let rates = simulation.sampler.rates();
    assert_eq!(rates.len(), 256);
    assert!(rates.iter().all(|(name, _)| name.len() < 20));
}

#[test]
fn an_operation_that_was_idle_is_sampled_in_full_again() {
    let mut simulation = simulation(10.0);
    simulation.seconds(5, 10_000);
    assert!(simulation.rate("op") < 0.0011);
    // No trace starts for a minute: the sampler notices only the real time that has passed.
    simulation.now += 60 * SECOND;
    simulation.ask("other");
    assert!(simulation.rate("op") > 0.02, "{}", simulation.rate("op"));
    // Others keep asking: the operation's own silence is noticed interval by interval.
    for _ in 0..3 {
        simulation.second(&[("other", 5)]);
    }
    assert_eq!(simulation.rate("op"), 1.0);
}

#[test]
fn an_operation_that_is_rare_is_not_taken_for_idle() {
    // One arrival in two seconds on average, ten times the target.
    let mut simulation = simulation(0.05);
    let mut sampled = 0;
    for _ in 0..4_000 {
        let comes = simulation.random.next_u64().is_multiple_of(2);
        let load = [("clock", 1), ("op", u64::from(comes))];
        sampled += simulation.second(&load).get("op").copied().unwrap_or(0);
    }
    assert!((150..300).contains(&sampled), "{sampled}, target 200");
}

#[test]
fn missed_intervals_count_as_one_long_one() {
    let mut simulation = simulation(10.0);
    // A thousand arrivals in one second, but the next comes ten seconds after the first.
    simulation.seconds(1, 1_000);
    simulation.now += 9 * SECOND;
    simulation.ask("op");
    assert!((simulation.rate("op") - 0.1).abs() < 1e-9);
}

#[test]
fn the_bounds_hold_at_any_load() {
    let sampler = AdaptiveSampler::per_second(10.0).unwrap().with_bounds(0.01, 0.5).unwrap();
    let mut simulation = Simulation::new(sampler);
    simulation.seconds(3, 100_000);
    assert_eq!(simulation.rate("op"), 0.01);
    simulation.seconds(5, 1);
    assert_eq!(simulation.rate("op"), 0.5);
}

#[test]
fn a_smaller_smoothing_weight_follows_more_slowly() {
    let rate_after = |weight| {
        let sampler = AdaptiveSampler::per_second(100.0).unwrap();
        let mut simulation = Simulation::new(sampler.with_smoothing(weight).unwrap());
        simulation.seconds(4, 1_000);
        simulation.seconds(1, 10_000);
        simulation.ask("op");
        simulation.rate("op")
    };
    let [at_once, default, slow] = [1.0, 0.75, 0.1].map(rate_after);
    assert!((at_once - 0.01).abs() < 1e-4, "{at_once}");
    assert!(at_once < default && default < slow, "{default} {slow}");
}

#[test]
fn a_longer_interval_waits_longer() {
    let sampler = AdaptiveSampler::per_second(10.0).unwrap();
    let sampler = sampler.with_interval(Duration::from_secs(10)).unwrap();
    let mut simulation = Simulation::new(sampler);
    assert_eq!(simulation.seconds(2, 99), [99, 99]);
    simulation.seconds(8, 99);
    simulation.ask("op");
    let rate = simulation.rate("op");
    assert!((rate - 10.0 / 99.0).abs() < 0.001, "{rate}");
}

#[test]
fn operations_that_callers_made_up_give_their_places_back_when_they_are_quiet() {
    let mut simulation = simulation(10.0);
    (0..1_000).for_each(|n| drop(simulation.ask(&format!("GET /{n}"))));
    let load = [("checkout", 1_000), ("/health", 1)];
    let names = |simulation: &Simulation| -> Vec<String> {
        simulation.sampler.rates().into_iter().map(|(name, _)| name).collect()
    };
    simulation.second(&load);
    assert_eq!(names(&simulation).len(), 256);
    (0..15).for_each(|_| drop(simulation.second(&load)));
    assert_eq!(names(&simulation), ["/health", "checkout"]);
    for _ in 0..3 {
        simulation.second(&load);
    }
    let sampled = simulation.second(&load);
    assert_near(sampled["checkout"], 10.0);
    assert_eq!(sampled["/health"], 1);
}

#[test]
fn an_operation_that_is_heard_keeps_its_place_and_its_rate_among_made_up_ones() {
    let sampler = AdaptiveSampler::per_second(10.0).unwrap().with_max_operations(8).unwrap();
    let mut simulation = Simulation::new(sampler);
    for second in 0..100 {
        let sampled =
            simulation.second(&[("checkout", 1_000), ("rare", u64::from(second % 5 == 0))]);
        assert!(second < 3 || sampled["checkout"] <= 20, "{sampled:?}");
        (0..20).for_each(|n| drop(simulation.ask(&format!("GET /{second}/{n}"))));
        assert!(simulation.sampler.rates().len() <= 8);
        assert!(simulation.rate("rare") > 0.99);
    }
}

#[test]
fn where_there_are_places_nothing_is_forgotten() {
    let mut simulation = simulation(10.0);
    simulation.seconds(3, 1_000);
    (0..60).for_each(|_| drop(simulation.second(&[("other", 1)])));
    assert_eq!(simulation.sampler.rates().len(), 2);
}
