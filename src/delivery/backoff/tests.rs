//! When batches are tried again.

use super::*;
use proptest::prelude::*;

fn at(millis: u64) -> Tick {
    Tick::from_nanos(millis * 1_000_000)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn plain() -> Retry {
    Retry { jitter: 0.0, ..Retry::default() }
}

#[test]
fn waits_double_up_to_the_longest() {
    let mut backoff = Backoff::new(plain(), at(0));
    let waits: Vec<RetryDecision> = (0..8).map(|_| backoff.failed(at(0), at(0), None, 0)).collect();
    let expected = [100, 200, 400, 800, 1600, 3200, 4_000, 4_000];
    assert_eq!(waits, expected.map(|millis| RetryDecision::Wait(ms(millis))));
}

#[test]
fn the_time_of_a_try_counts_for_the_wait_behind_it() {
    let mut backoff = Backoff::new(plain(), at(0));
    assert_eq!(backoff.failed(at(0), at(30), None, 0), RetryDecision::Wait(ms(70)));
    assert_eq!(backoff.failed(at(100), at(10_100), None, 0), RetryDecision::Wait(ms(0)));
    assert_eq!(backoff.failed(at(10_100), at(10_100), None, 0), RetryDecision::Wait(ms(400)));
    let asked = Some(Duration::from_secs(2));
    let decision = backoff.failed(at(10_500), at(11_500), asked, 0);
    assert_eq!(decision, RetryDecision::WaitAsAsked(ms(2_000)), "it asked when it answered");
}

#[test]
fn full_jitter_spreads_a_wait_from_zero_to_its_whole() {
    let shortest = Backoff::new(Retry::default(), at(0)).failed(at(0), at(0), None, u64::MAX);
    let longest = Backoff::new(Retry::default(), at(0)).failed(at(0), at(0), None, 0);
    assert_eq!(longest, RetryDecision::Wait(ms(100)));
    assert!(matches!(shortest, RetryDecision::Wait(wait) if wait < Duration::from_micros(1)));
}

#[test]
fn the_peer_is_left_alone_for_as_long_as_it_asks_but_not_beyond_30_seconds() {
    let mut backoff = Backoff::new(Retry::default(), at(0));
    let mut ask = |seconds| backoff.failed(at(0), at(0), Some(Duration::from_secs(seconds)), 0);
    assert_eq!(ask(7), RetryDecision::WaitAsAsked(ms(7_000)));
    assert_eq!(ask(86_400), RetryDecision::WaitAsAsked(ms(30_000)));
}

#[test]
fn the_last_try_is_made_when_the_budget_ends() {
    let mut backoff = Backoff::new(plain(), at(0));
    assert_eq!(backoff.failed(at(299_950), at(299_950), None, 0), RetryDecision::Wait(ms(50)));
    assert_eq!(backoff.failed(at(300_000), at(300_000), None, 0), RetryDecision::GiveUp);
}

#[test]
fn a_wait_that_the_budget_does_not_cover_is_not_begun_when_the_peer_asked_for_it() {
    let mut backoff = Backoff::new(plain(), at(0));
    let asked = Some(Duration::from_secs(20));
    assert_eq!(backoff.failed(at(290_000), at(290_000), asked, 0), RetryDecision::GiveUp);
}

#[test]
fn without_a_budget_a_batch_is_tried_once() {
    let once = Retry { budget: Duration::ZERO, ..Retry::default() };
    assert_eq!(Backoff::new(once, at(5)).failed(at(5), at(5), None, 0), RetryDecision::GiveUp);
}

#[test]
fn a_batch_of_which_some_was_accepted_has_its_whole_budget_again() {
    let mut backoff = Backoff::new(plain(), at(0));
    for _ in 0..9 {
        backoff.failed(at(0), at(0), None, 0);
    }
    backoff.progressed(at(299_000));
    assert_eq!(backoff.failed(at(300_000), at(300_000), None, 0), RetryDecision::Wait(ms(100)));
    assert_eq!(backoff.failed(at(599_000), at(599_000), None, 0), RetryDecision::GiveUp);
}

#[test]
fn urging_starts_again_from_the_shortest_wait_and_keeps_the_budget() {
    let mut backoff = Backoff::new(plain(), at(0));
    for _ in 0..9 {
        backoff.failed(at(0), at(0), None, 0);
    }
    backoff.urge();
    assert_eq!(backoff.failed(at(0), at(0), None, 0), RetryDecision::Wait(ms(100)));
    assert_eq!(backoff.failed(at(300_000), at(300_000), None, 0), RetryDecision::GiveUp);
}

/// Every wait is taken to its end, as a peer that stays down makes it happen.
fn simulate(retry: Retry, mut random: impl FnMut() -> u64) -> (u32, Tick) {
    let mut backoff = Backoff::new(retry, at(0));
    let mut now = at(0);
    let mut tries = 1;
    while let RetryDecision::Wait(wait) = backoff.failed(now, now, None, random()) {
        assert!(wait <= retry.max);
        now = now.after(wait);
        tries += 1;
    }
    (tries, now)
}

#[test]
fn an_outage_of_300_seconds_is_outlasted() {
    let (tries, end) = simulate(plain(), || 0);
    assert_eq!(end, at(300_000));
    assert!((75..90).contains(&tries), "{tries} tries");
}

proptest! {
    #[test]
    fn no_setting_waits_beyond_its_budget_or_panics(
        initial in 1_u64..10_000_000_000,
        max in 1_000_000_u64..100_000_000_000,
        multiplier in any::<f64>(),
        jitter in any::<f64>(),
        budget in 0_u64..1_000_000_000,
        seed in any::<u64>(),
    ) {
        let retry = Retry {
            initial: Duration::from_nanos(initial),
            max: Duration::from_nanos(max),
            multiplier,
            jitter,
            budget: Duration::from_nanos(budget),
        };
        let mut backoff = Backoff::new(retry, at(0));
        let mut now = at(0);
        let mut random = seed;
        for _ in 0..100 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match backoff.failed(now, now, None, random) {
                RetryDecision::Wait(wait) => {
                    prop_assert!(wait <= retry.max);
                    now = now.after(wait);
                    prop_assert!(now <= at(0).after(retry.budget));
                }
                other => {
                    prop_assert_eq!(other, RetryDecision::GiveUp);
                    prop_assert_eq!(now, at(0).after(retry.budget));
                    break;
                }
            }
        }
    }
}
