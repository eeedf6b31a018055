//! A limit for the process that stripes draw on without asking each other.

use std::sync::atomic::Ordering;

use crate::kit::sync::AtomicIsize;

/// Below this a limit is handed out one by one, so that it is exact.
const EXACT_BELOW: usize = 1024;

/// A limit of which each stripe holds a share. A share grows and shrinks by a thousandth of the limit, so that
/// stripes rarely touch what they have in common.
///
/// The shares together stay within the limit, but for what was [added](Self::add) beyond it. A limit is reached a
/// little early where other stripes hold some of it in store: at most three thousandths each.
#[derive(Debug)]
pub(super) struct Quota {
    limit: usize,
    step: usize,
    /// What no share has; below zero when more was added than the limit allows.
    // Relaxed: it guards no other memory. Each share is guarded by the lock of its stripe.
    left: AtomicIsize,
}

/// The part of a [`Quota`] that a stripe holds.
#[derive(Debug, Default)]
pub(super) struct Share {
    used: usize,
    /// What it may use without asking.
    granted: usize,
}

impl Share {
    /// How much of it is used.
    pub(super) const fn used(&self) -> usize {
        self.used
    }
}

impl Quota {
    pub(super) fn new(limit: usize) -> Self {
        Self::with_step(limit, limit / EXACT_BELOW)
    }

    /// A limit that is drawn in steps of this size, for what may end a little below it.
    pub(super) fn with_step(limit: usize, step: usize) -> Self {
        let limit = limit.min(isize::MAX as usize);
        Self { limit, step: step.max(1), left: AtomicIsize::new(limit.cast_signed()) }
    }

    /// How much there is at most.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Takes `count` for a share if the limit allows it.
    #[inline]
    pub(super) fn claim(&self, share: &mut Share, count: usize) -> bool {
        if share.granted - share.used < count && !self.grant(share, count) {
            return false;
        }
        share.used += count;
        true
    }

    #[cold]
    fn grant(&self, share: &mut Share, count: usize) -> bool {
        let least = (count - (share.granted - share.used)).cast_signed();
        let mut left = self.left.load(Ordering::Relaxed);
        while left >= least {
            let taken = least.max(self.step.cast_signed()).min(left);
            let new = left - taken;
            match self.left.compare_exchange(left, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    share.granted += taken.cast_unsigned();
                    return true;
                }
                Err(now) => left = now,
            }
        }
        false
    }

    /// Takes `count` for a share whether or not the limit allows it.
    #[inline]
    pub(super) fn add(&self, share: &mut Share, count: usize) {
        share.used += count;
        if share.used > share.granted {
            self.grant_beyond(share);
        }
    }

    #[cold]
    fn grant_beyond(&self, share: &mut Share) {
        let missing = share.used - share.granted;
        let wanted = missing.max(self.step);
        let before = self.left.fetch_sub(wanted.cast_signed(), Ordering::Relaxed);
        share.granted += wanted;
        // Close to the limit no more is taken than is needed.
        if before < wanted.cast_signed() {
            self.return_unused(share, 0);
        }
    }

    /// Gives `count` back.
    #[inline]
    pub(super) fn give_back(&self, share: &mut Share, count: usize) {
        debug_assert!(share.used >= count, "what is given back was taken");
        share.used = share.used.saturating_sub(count);
        let unused = share.granted - share.used;
        if self.step == 1 || self.is_exhausted() {
            self.return_unused(share, 0);
        } else if unused >= 3 * self.step {
            self.return_unused(share, self.step);
        }
    }

    /// Returns what a share does not use, but for what is kept in store.
    #[cold]
    fn return_unused(&self, share: &mut Share, kept: usize) {
        let returned = (share.granted - share.used).saturating_sub(kept);
        share.granted -= returned;
        self.left.fetch_add(returned.cast_signed(), Ordering::Relaxed);
    }

    /// How much the shares hold, used or in store.
    pub(super) fn taken(&self) -> usize {
        let left = self.left.load(Ordering::Relaxed);
        usize::try_from(self.limit.cast_signed() - left).unwrap_or(0)
    }

    /// Whether nothing is left for a share that asks.
    #[inline]
    pub(super) fn is_exhausted(&self) -> bool {
        self.left.load(Ordering::Relaxed) <= 0
    }

    /// Whether more was added than the limit allows.
    #[inline]
    pub(super) fn is_exceeded(&self) -> bool {
        self.left.load(Ordering::Relaxed) < 0
    }
}

#[cfg(all(test, not(tailtrace_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_shares_and_what_is_left_make_up_the_limit(
            limit in 0_usize..5_000,
            steps in prop::collection::vec((0_usize..3, 0_usize..4, 0_usize..300), 0..200),
        ) {
            let quota = Quota::new(limit);
            let mut shares: [Share; 3] = Default::default();
            for (share, kind, count) in steps {
                let used: usize = shares.iter().map(Share::used).sum();
                let share = &mut shares[share];
                match kind {
                    0 => quota.add(share, count),
                    1 => quota.give_back(share, count.min(share.used())),
                    _ => {
                        let before = quota.left.load(Ordering::Relaxed);
                        let taken = quota.claim(share, count);
                        let left = quota.left.load(Ordering::Relaxed);
                        prop_assert!(left >= 0 || left == before, "a claim exceeds no limit");
                        // What others hold in store is all that may be missing.
                        let spare = 2 * 3 * quota.step;
                        prop_assert!(taken || used + count + spare > limit || limit >= 1024);
                        prop_assert!(taken || limit >= 1024 || used + count > limit);
                        prop_assert!(!taken || limit >= 1024 || used + count <= limit || count == 0);
                    }
                }
                let used: usize = shares.iter().map(Share::used).sum();
                let granted: usize = shares.iter().map(|share| share.granted).sum();
                let left = quota.left.load(Ordering::Relaxed);
                prop_assert_eq!(granted.cast_signed() + left, limit.cast_signed());
                prop_assert_eq!(quota.is_exceeded(), left < 0);
                prop_assert!(used <= limit || quota.is_exceeded());
                prop_assert!(shares.iter().all(|share| share.used <= share.granted));
            }
        }
    }
}

#[cfg(all(test, tailtrace_loom))]
mod interleavings {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    #[test]
    fn loom_two_stripes_never_hold_more_than_the_limit() {
        loom::model(|| {
            let quota = Arc::new(Quota::new(2));
            let other = Arc::clone(&quota);
            let two = |quota: &Quota| {
                let mut share = Share::default();
                let taken = usize::from(quota.claim(&mut share, 1))
                    + usize::from(quota.claim(&mut share, 1));
                (taken, share)
            };
            let thread = thread::spawn(move || two(&other));
            let (here, mut share) = two(&quota);
            let (there, _other_share) = thread.join().unwrap();
            assert_eq!(here + there, 2);
            quota.give_back(&mut share, here);
            assert!(!quota.is_exceeded());
            assert_eq!(quota.claim(&mut share, here.max(1)), here > 0);
        });
    }
}
