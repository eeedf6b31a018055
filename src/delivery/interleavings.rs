//! Every way in which senders, the exporting thread and those who wait can take turns.
//!
//! `RUSTFLAGS="--cfg tailtrace_loom" cargo test --release --lib loom_`

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::thread;

use super::drain::{Ask, Drain};
use super::lane::{Job, Lane, Outcome, Pause};
use super::queue::{Bounds, Offer};
use super::ticket::Ticket;
use crate::export::Batching;
use crate::kit::sync::{Condvar, Mutex, lock, wait_while};
use crate::ledger::{Ledger, Reason};
use crate::model::TraceId;
use crate::time::{Clock, ManualClock};
use crate::trace::Trace;

const SPANS: u64 = 10;
const LONG: Duration = Duration::from_secs(1);

/// Runs `model` in every interleaving with at most three preemptions.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

struct World {
    lanes: Vec<Arc<Lane>>,
    ledger: Arc<Ledger>,
}

impl World {
    fn new(lanes: usize, traces: usize, batching: Batching) -> Self {
        let ledger = Arc::new(Ledger::default());
        let clock: Clock = ManualClock::new().clock();
        let bounds = Bounds { traces, bytes: 1000 };
        let lane = |_| {
            let (clock, ledger) = (clock.clone(), Arc::clone(&ledger));
            Arc::new(Lane::new(Arc::from("x"), bounds, batching, clock, ledger))
        };
        Self { lanes: (0..lanes).map(lane).collect(), ledger }
    }

    /// Whatever is pushed is the same trace: only the account of it matters here.
    fn send(lanes: &[Arc<Lane>], ledger: &Ledger, error: bool) {
        let offer = Offer { spans: SPANS as usize, bytes: 10, error };
        for (lane, ticket) in lanes.iter().zip(Ticket::issue(ledger, SPANS, lanes.len())) {
            lane.push(empty_trace(), ticket, offer, lane.clock.now());
        }
    }

    fn sender(&self, error: bool) -> thread::JoinHandle<()> {
        let (lanes, ledger) = (self.lanes.clone(), Arc::clone(&self.ledger));
        thread::spawn(move || Self::send(&lanes, &ledger, error))
    }

    fn workers(&self) -> Vec<thread::JoinHandle<()>> {
        let lanes = self.lanes.iter().map(Arc::clone);
        lanes.map(|lane| thread::spawn(move || work(&lane))).collect()
    }

    /// Nothing is in motion: every span must stand in exactly one column.
    fn check(&self, sent: u64) {
        let stats = self.ledger.snapshot(0, 0);
        assert_eq!(stats.queued, 0);
        assert_eq!(stats.exported + stats.failed(), sent * SPANS);
    }
}

fn empty_trace() -> Trace {
    Trace::new(TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap())
}

/// What the exporting thread does with an exporter that always succeeds.
fn work(lane: &Lane) {
    loop {
        match lane.next() {
            Job::Send(batch) => {
                assert!(!batch.is_empty());
                lane.settle(Outcome::Sent { rejected: 0 });
            }
            Job::Flush => lane.flushed(None),
            Job::Stop => return lane.end(None),
            Job::Quit => return,
        }
    }
}

#[test]
fn loom_a_flush_ends_and_takes_everything_sent_before_it() {
    check(|| {
        let world = World::new(1, 9, Batching::default());
        let workers = world.workers();
        let sender = world.sender(false);
        World::send(&world.lanes, &world.ledger, true);
        let ending = Drain::begin(&world.lanes, Ask::Flush).wait(LONG);
        assert!(ending.in_time);
        assert_eq!(ending.report.left, 0);
        assert!(world.ledger.snapshot(0, 0).exported >= SPANS);
        sender.join().unwrap();
        let ending = Drain::begin(&world.lanes, Ask::Shutdown).wait(LONG);
        assert!(ending.in_time && ending.report.dropped() == 0);
        world.check(2);
        assert_eq!(world.ledger.snapshot(0, 0).exported, 2 * SPANS);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn loom_no_push_is_slept_through() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        let senders = [world.sender(false), world.sender(true)];
        // Blocks for ever, which the checker reports, if a push fails to wake it.
        let mut taken = 0;
        while taken < 2 {
            if let Job::Send(batch) = world.lanes[0].next() {
                taken += batch.len();
                world.lanes[0].settle(Outcome::Sent { rejected: 0 });
            }
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        world.check(2);
    });
}

#[test]
fn loom_a_full_batch_wakes_the_thread() {
    check(|| {
        let two = Batching { max_spans: 2 * SPANS as usize, ..Batching::default() };
        let world = World::new(1, 9, two);
        let senders = [world.sender(false), world.sender(true)];
        assert!(matches!(world.lanes[0].next(), Job::Send(batch) if batch.len() == 2));
        world.lanes[0].settle(Outcome::Sent { rejected: 0 });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        world.check(2);
    });
}

#[test]
fn loom_what_a_shutdown_meets_is_sent_or_counted_as_lost() {
    check(|| {
        let world = World::new(1, 1, Batching::immediate());
        let workers = world.workers();
        let senders = [world.sender(false), world.sender(true)];
        let ending = Drain::begin(&world.lanes, Ask::Shutdown).wait(LONG);
        assert!(ending.in_time);
        assert_eq!(ending.report.left, 0);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        world.check(2);
    });
}

#[test]
fn loom_a_batch_given_up_while_it_arrives_is_counted_once() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        World::send(&world.lanes, &world.ledger, false);
        let flush = Drain::begin(&world.lanes, Ask::Flush);
        let workers = world.workers();
        let lane = Arc::clone(&world.lanes[0]);
        let ender = thread::spawn(move || lane.end(None));
        // Whoever waits is freed, whichever comes first.
        let ending = flush.wait(LONG);
        let report = ending.report;
        assert_eq!(report.sent + report.dropped_by(Reason::ShutdownDeadline), SPANS);
        ender.join().unwrap();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        world.check(1);
    });
}

#[test]
fn loom_a_wait_between_two_tries_ends_when_somebody_waits_for_the_batch() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        let lane = Arc::clone(&world.lanes[0]);
        let mut urgency = lane.urgency();
        let asker = thread::spawn({
            let lane = Arc::clone(&lane);
            move || drop(Drain::begin(&[lane], Ask::Flush))
        });
        assert_eq!(lane.pause(LONG, false, &mut urgency), Pause::Urged);
        asker.join().unwrap();
        let ender = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.end(None)
        });
        assert_eq!(lane.pause(LONG, true, &mut urgency), Pause::Abandoned);
        ender.join().unwrap();
    });
}

#[test]
fn loom_two_exporters_settle_a_trace_once() {
    check(|| {
        let world = World::new(2, 9, Batching::immediate());
        World::send(&world.lanes, &world.ledger, false);
        let workers = world.workers();
        let lane = Arc::clone(&world.lanes[1]);
        lane.end(None);
        let ending = Drain::begin(&world.lanes[..1], Ask::Shutdown).wait(LONG);
        assert!(ending.in_time);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        world.check(1);
        assert_eq!(world.ledger.snapshot(0, 0).exported, SPANS);
    });
}

/// Blocks a thread of the checker on a future.
struct Bell {
    rung: Mutex<bool>,
    ring: Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *lock(&self.rung) = true;
        self.ring.notify_one();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let bell = Arc::new(Bell { rung: Mutex::new(false), ring: Condvar::new() });
    let waker = Waker::from(Arc::clone(&bell));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let rung = wait_while(&bell.ring, lock(&bell.rung), LONG, |rung| !*rung);
        drop(rung);
        *lock(&bell.rung) = false;
    }
}

#[test]
fn loom_an_exporter_that_never_answers_is_let_go_when_its_lane_ends() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        let lane = Arc::clone(&world.lanes[0]);
        let ender = thread::spawn(move || lane.end(None));
        assert_eq!(block_on(world.lanes[0].unless_abandoned(pending::<()>())), None);
        ender.join().unwrap();
    });
}

#[test]
fn loom_a_future_that_waits_for_a_shutdown_is_woken() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        World::send(&world.lanes, &world.ledger, false);
        let drain = Drain::begin(&world.lanes, Ask::Shutdown);
        let workers = world.workers();
        let ending = block_on(drain.ended());
        assert_eq!(ending.report.sent, SPANS);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}
