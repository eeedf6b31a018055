//! How many traces a second may be announced, or accepted.
//!
//! A budget that admitted each second's first traces would admit other ones in each service, and then few traces would
//! be whole: with half of them admitted, 30 of 100 in a simulation of 40 services, and 60 when all services choose by
//! the traces' places in an order that they share. So a budget raises the least place that it admits until the rate fits.

use std::time::Duration;

use crate::model::Randomness;
use crate::time::Tick;

const WINDOW: Duration = Duration::from_secs(1);
/// One more than the highest place.
const ALL: u64 = 1 << 56;

/// Admits the traces of the highest places, about as many a second as it may, and never more in one window of a second.
#[derive(Debug)]
pub(super) struct Budget {
    per_second: u64,
    window_began: Tick,
    /// How many of the 2^56 places are admitted: the highest.
    share: u64,
    /// What may still be admitted in this window.
    left: u64,
    /// What may still be admitted in this window before the share is halved.
    left_at_share: u64,
    /// What was asked for in this window.
    asked: u64,
}

impl Budget {
    pub(super) fn new(per_second: u64) -> Self {
        let mut budget = Self {
            per_second,
            window_began: Tick::default(),
            share: ALL,
            left: 0,
            left_at_share: 0,
            asked: 0,
        };
        budget.refill();
        budget
    }

    /// Whether a trace is admitted; counts it.
    pub(super) fn admit(&mut self, place: Randomness, now: Tick) -> bool {
        let passed = now.since(self.window_began);
        if passed >= WINDOW {
            self.begin_window(now, passed);
        }
        self.asked += 1;
        if self.left == 0 || place.bits() < ALL - self.share {
            return false;
        }
        self.left -= 1;
        self.left_at_share = self.left_at_share.saturating_sub(1);
        if self.left_at_share == 0 {
            // At a pace that fits the window, all of it goes on.
            if !self.fits_at_this_pace(now) {
                self.share /= 2;
            }
            // Each level may use half of what is left, so that the last one is not reached.
            self.left_at_share = self.left.div_ceil(2);
        }
        true
    }

    fn fits_at_this_pace(&self, now: Tick) -> bool {
        let admitted = u128::from(self.per_second - self.left);
        admitted * WINDOW.as_nanos()
            <= u128::from(self.per_second) * now.since(self.window_began).as_nanos()
    }

    fn begin_window(&mut self, now: Tick, passed: Duration) {
        self.share = if passed >= 2 * WINDOW || self.asked <= self.per_second {
            ALL
        } else {
            // A tenth less than fits: rates waver, and a share that is halved within the window is coarser.
            let fits =
                u128::from(self.per_second) * u128::from(ALL) * 9 / (10 * u128::from(self.asked));
            u64::try_from(fits).unwrap_or(ALL).min(ALL)
        };
        self.window_began = now;
        self.asked = 0;
        self.refill();
    }

    fn refill(&mut self) {
        self.left = self.per_second;
        // With a share that was made for the rate, the whole budget but a tenth is expected to be used.
        let part = if self.share == ALL { self.per_second / 2 } else { self.per_second };
        self.left_at_share = part.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::Random;
    use std::collections::HashSet;

    fn at(millis: u64) -> Tick {
        Tick::from_nanos((10_000 + millis) * 1_000_000)
    }

    /// Asks for `rate` traces a second, for `seconds`; what was admitted.
    fn run(budget: &mut Budget, traces: &[Randomness], rate: usize) -> HashSet<Randomness> {
        let admit = |(index, one): (usize, &Randomness)| {
            budget.admit(*one, at((index * 1_000 / rate) as u64)).then_some(*one)
        };
        traces.iter().enumerate().filter_map(admit).collect()
    }

    fn traces(count: usize) -> Vec<Randomness> {
        let random = Random::seeded(5);
        (0..count).map(|_| Randomness::from_bits(random.next_u64())).collect()
    }

    #[test]
    fn what_fits_is_admitted() {
        let traces = traces(400);
        assert_eq!(run(&mut Budget::new(200), &traces, 100).len(), 400);
    }

    #[test]
    fn a_steady_rate_just_below_the_budget_is_admitted() {
        let traces = traces(3_600);
        assert_eq!(run(&mut Budget::new(1_000), &traces, 900).len(), 3_600);
    }

    #[test]
    fn no_second_admits_more_than_the_budget_and_a_storm_uses_most_of_it() {
        let traces = traces(200_000);
        let mut budget = Budget::new(1_000);
        let admitted = run(&mut budget, &traces, 20_000).len();
        assert!((6_000..=10_000).contains(&admitted), "{admitted} in ten seconds");
    }

    #[test]
    fn services_with_other_orders_and_rates_choose_the_same_traces() {
        let all = traces(100_000);
        let mut other: Vec<Randomness> = all.to_vec();
        // The same traces of each second come in another order.
        other.chunks_mut(10_000).for_each(<[Randomness]>::reverse);
        let one = run(&mut Budget::new(1_000), &all, 10_000);
        let two = run(&mut Budget::new(1_000), &other, 10_000);
        let both = one.intersection(&two).count();
        let fewer = one.len().min(two.len());
        assert!(both * 10 > fewer * 8, "{both} of {} and {}", one.len(), two.len());
    }

    #[test]
    fn a_budget_of_one_a_second_admits_some_in_every_storm() {
        let admitted = run(&mut Budget::new(1), &traces(10_000), 100).len();
        assert!((30..=100).contains(&admitted), "{admitted} in 100 seconds");
    }

    #[test]
    fn a_budget_of_none_admits_none() {
        assert!(run(&mut Budget::new(0), &traces(10), 1).is_empty());
    }

    #[test]
    fn after_a_storm_all_is_admitted_again() {
        let mut budget = Budget::new(100);
        run(&mut budget, &traces(50_000), 10_000);
        assert!(budget.admit(Randomness::from_bits(0), at(60_000)));
    }
}
