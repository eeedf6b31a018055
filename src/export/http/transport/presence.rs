//! Whether a peer is there, which a request that it does not answer cannot tell.
//!
//! A peer that hung and is back answers new connections, and not what it was sent before: a request that waits for its
//! time limit would hold delivery up long after the peer is well. So a request that is not answered soon is joined by
//! probes, each an empty request on a connection of its own. A peer that answers a probe and did not answer the one
//! before is back, and what it has not answered by then it has forgotten. One that answers every probe is only slow:
//! the request keeps its whole time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

/// How long a request is silent before each probe.
const SILENCE: Duration = Duration::from_secs(2);

/// How long a probe may take. With a silence before it and the grace behind it, a peer that is back is noticed in less
/// than 5 s.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// How long a request may take to be answered after all by a peer that is back.
const GRACE: Duration = Duration::from_millis(500);

/// What is known of one peer, from one request to the next. A clone shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    // Each alone: no other memory depends on its value.
    is_away: Arc<AtomicBool>,
    /// Whether a request ends where the peer is away, because its spans can wait elsewhere.
    gives_up: Arc<AtomicBool>,
}

/// How a request ended that was watched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Watched<R> {
    Answered(R),
    /// The peer is back, and has forgotten it.
    Forgotten,
    /// The peer answers nothing, and the request was given up.
    Away,
}

/// What comes first of two.
enum First<A, B> {
    One(A),
    Other(B),
}

impl Presence {
    /// The peer answered, or did not when it was asked. Returns whether it is back.
    pub(super) fn note(&self, answered: bool) -> bool {
        let was_away = self.is_away.swap(!answered, Ordering::Relaxed);
        was_away && answered
    }

    /// Lets requests end as soon as the peer does not answer a probe either.
    #[cfg(feature = "spool")]
    pub(super) fn give_up_when_away(&self) {
        self.gives_up.store(true, Ordering::Relaxed);
    }

    /// Waits for a request, with a probe now and then.
    ///
    /// `sleep` is the only clock. A probe says whether the peer answered.
    pub(super) async fn watch<R, P, S>(
        &self,
        request: impl Future<Output = R>,
        mut probe: impl FnMut() -> P,
        sleep: impl Fn(Duration) -> S,
    ) -> Watched<R>
    where
        P: Future<Output = bool>,
        S: Future<Output = ()>,
    {
        let mut request = pin!(request);
        loop {
            if let First::One(answer) = first(request.as_mut(), sleep(SILENCE)).await {
                return Watched::Answered(answer);
            }
            let asked = first(probe(), sleep(PROBE_LIMIT));
            let answered = match first(request.as_mut(), asked).await {
                First::One(answer) => return Watched::Answered(answer),
                First::Other(First::One(answered)) => answered,
                First::Other(First::Other(())) => false,
            };
            if self.note(answered) {
                return match first(request.as_mut(), sleep(GRACE)).await {
                    First::One(answer) => Watched::Answered(answer),
                    First::Other(()) => Watched::Forgotten,
                };
            }
            if !answered && self.gives_up.load(Ordering::Relaxed) {
                return Watched::Away;
            }
        }
    }
}

/// Waits for either; the first one goes before where both are ready.
async fn first<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> First<A, B> {
    let mut one = pin!(one);
    let mut other = pin!(other);
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = one.as_mut().poll(context) {
            return Poll::Ready(First::One(output));
        }
        other.as_mut().poll(context).map(First::Other)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::pending;
    use std::task::{Context, Waker};

    use proptest::prelude::*;

    use super::*;

    /// Milliseconds that pass when everything waits.
    #[derive(Default)]
    struct World {
        now: Cell<u64>,
        due: RefCell<Vec<u64>>,
    }

    impl World {
        async fn until(&self, time: u64) {
            self.due.borrow_mut().push(time);
            std::future::poll_fn(|_| {
                if self.now.get() >= time { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }

        async fn sleep(&self, wait: Duration) {
            self.until(self.now.get() + wait.as_millis() as u64).await;
        }

        fn run<R>(&self, work: impl Future<Output = R>) -> R {
            let mut work = pin!(work);
            loop {
                let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                if let Poll::Ready(output) = polled {
                    return output;
                }
                let now = self.now.get();
                let next = self.due.borrow().iter().copied().filter(|due| *due > now).min();
                self.now.set(next.expect("it ends"));
            }
        }

        /// Sends requests of 10 s to a peer that hangs until `back`, from `start` on; when one is answered, and how
        /// many probes it took.
        fn resume(&self, presence: &Presence, start: u64, back: u64) -> (u64, usize) {
            self.now.set(start);
            let probes = Cell::new(0);
            self.run(async {
                loop {
                    // A peer forgets what it was sent while it hung.
                    let answer = async || {
                        if self.now.get() < back {
                            pending::<()>().await;
                        }
                        self.until(self.now.get() + 10).await;
                    };
                    let probe = || async {
                        probes.set(probes.get() + 1);
                        answer().await;
                        true
                    };
                    let request = presence.watch(answer(), probe, |wait| self.sleep(wait));
                    let limit = self.sleep(Duration::from_secs(10));
                    if let First::One(Watched::Answered(())) = first(request, limit).await {
                        return (self.now.get(), probes.get());
                    }
                }
            })
        }
    }

    proptest! {
        #[test]
        fn a_peer_that_hung_has_the_next_request_within_5_seconds(
            start in 0_u64..20_000,
            outage in 2_100_u64..400_000,
        ) {
            let back = start + outage;
            let (resumed, probes) = World::default().resume(&Presence::default(), start, back);
            prop_assert!(resumed <= back + 5_000, "{} ms", resumed - back);
            prop_assert!(probes as u64 <= 1 + (resumed - start) / 2_000, "it is left alone");
        }
    }

    #[test]
    fn a_peer_that_is_only_slow_has_all_the_time_of_a_request() {
        let world = World::default();
        let presence = Presence::default();
        presence.note(false);
        let slow =
            || presence.watch(world.until(9_000), || async { true }, |wait| world.sleep(wait));
        assert_eq!(world.run(slow()), Watched::Forgotten, "it may have forgotten the request");
        world.now.set(0);
        assert_eq!(world.run(slow()), Watched::Answered(()));
        assert_eq!(world.now.get(), 9_000);
    }

    #[test]
    fn a_request_that_is_answered_soon_asks_for_no_probe() {
        let world = World::default();
        let no_probe = || async { unreachable!() };
        let watched = Presence::default();
        let request = watched.watch(world.until(1_900), no_probe, |wait| world.sleep(wait));
        assert_eq!(world.run(request), Watched::Answered(()));
    }

    #[test]
    fn a_peer_that_answers_after_all_when_it_is_back_is_heard() {
        let world = World::default();
        let presence = Presence::default();
        presence.note(false);
        let request =
            presence.watch(world.until(2_300), || async { true }, |wait| world.sleep(wait));
        assert_eq!(world.run(request), Watched::Answered(()));
    }
    #[cfg(feature = "spool")]
    #[test]
    fn a_request_whose_spans_can_wait_elsewhere_ends_when_the_peer_is_away() {
        let world = World::default();
        let presence = Presence::default();
        presence.give_up_when_away();
        let request = presence.watch(pending::<()>(), pending, |wait| world.sleep(wait));
        assert_eq!(world.run(request), Watched::Away);
        assert_eq!(world.now.get(), 4_000);
    }
}
