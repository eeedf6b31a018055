//! Every way in which senders, the exporting thread and those who wait can take turns.
//!
//! `RUSTFLAGS="--cfg tailtrace_loom" cargo test --release --lib loom_`

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::thread;

use super::channel::{BatchOutcome, Channel, Job, PauseEnd, QueuedTrace};
use super::drain::{Drain, DrainKind};
use super::ledger_entry::LedgerEntry;
use super::queue::{Bounds, Offer};
use super::queued_batch::WaitingTrace;
use super::waiter::Waiter;
use crate::export::{Batch, Batching};
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
    channels: Vec<Arc<Channel>>,
    ledger: Arc<Ledger>,
}

impl World {
    fn new(channels: usize, traces: usize, batching: Batching) -> Self {
        let ledger = Arc::new(Ledger::default());
        let clock: Clock = ManualClock::new().clock();
        let bounds = Bounds { traces, bytes: 1000 };
        let channel = |_| {
            let clock = clock.clone();
            let ledger = Arc::clone(&ledger);
            Arc::new(Channel::new(Arc::from("x"), bounds, batching, clock, ledger))
        };
        Self { channels: (0..channels).map(channel).collect(), ledger }
    }

    /// Whatever is pushed is the same trace: only the account of it matters here.
    fn send(channels: &[Arc<Channel>], ledger: &Ledger, error: bool) {
        let offer = Offer { spans: SPANS as usize, bytes: 10, error, is_part: false };
        for (channel, ledger_entry) in
            channels.iter().zip(LedgerEntry::issue(ledger, SPANS, channels.len()))
        {
            let trace = WaitingTrace::Whole(empty_trace());
            let queued = QueuedTrace { trace, ledger_entry };
            channel.push([(queued, offer)], channel.clock.now());
        }
    }

    fn sender(&self, error: bool) -> thread::JoinHandle<()> {
        let channels = self.channels.clone();
        let ledger = Arc::clone(&self.ledger);
        thread::spawn(move || Self::send(&channels, &ledger, error))
    }

    fn workers(&self) -> Vec<thread::JoinHandle<()>> {
        let channels = self.channels.iter().map(Arc::clone);
        channels.map(|channel| thread::spawn(move || work(&channel))).collect()
    }

    /// Nothing is in motion: every span must stand in exactly one column.
    fn check(&self, sent: u64) {
        let stats = self.ledger.counters();
        assert_eq!(stats.queued, 0);
        assert_eq!(stats.exported + stats.failed(), sent * SPANS);
    }
}

fn empty_trace() -> Trace {
    Trace::new(TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap())
}

/// What the exporting thread does with an exporter that always succeeds.
fn work(channel: &Channel) {
    loop {
        match channel.next() {
            Job::Send(batch) => {
                assert!(!batch.unpack().is_empty());
                channel.settle(BatchOutcome::Sent { rejected: 0 });
            }
            Job::Flush => channel.flushed(None),
            Job::Stop => return channel.end(None),
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
        World::send(&world.channels, &world.ledger, true);
        let outcome = Drain::start(&world.channels, DrainKind::Flush).wait(LONG);
        assert!(outcome.in_time);
        assert_eq!(outcome.report.left, 0);
        assert!(world.ledger.counters().exported >= SPANS);
        sender.join().unwrap();
        let outcome = Drain::start(&world.channels, DrainKind::Shutdown).wait(LONG);
        assert!(outcome.in_time && outcome.report.dropped() == 0);
        world.check(2);
        assert_eq!(world.ledger.counters().exported, 2 * SPANS);
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
            if let Job::Send(batch) = world.channels[0].next() {
                taken += batch.unpack().len();
                world.channels[0].settle(BatchOutcome::Sent { rejected: 0 });
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
        assert!(matches!(world.channels[0].next(), Job::Send(batch) if batch.traces.len() == 2));
        world.channels[0].settle(BatchOutcome::Sent { rejected: 0 });
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
        let outcome = Drain::start(&world.channels, DrainKind::Shutdown).wait(LONG);
        assert!(outcome.in_time);
        assert_eq!(outcome.report.left, 0);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        world.check(2);
    });
}

#[test]
fn loom_a_batch_given_up_while_it_arrives_is_counted_once() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        World::send(&world.channels, &world.ledger, false);
        let flush = Drain::start(&world.channels, DrainKind::Flush);
        let workers = world.workers();
        let channel = Arc::clone(&world.channels[0]);
        let ender = thread::spawn(move || channel.end(None));
        // The flush ends, whether the batch or the end of the channel comes first.
        let outcome = flush.wait(LONG);
        let report = outcome.report;
        assert_eq!(report.sent + report.dropped_by(Reason::ShutdownDeadline), SPANS);
        ender.join().unwrap();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        world.check(1);
    });
}

#[test]
fn loom_what_was_accepted_before_a_retry_is_counted_once_when_the_channel_ends() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        World::send(&world.channels, &world.ledger, false);
        let channel = Arc::clone(&world.channels[0]);
        assert!(matches!(channel.next(), Job::Send(_)));
        let ender = thread::spawn({
            let channel = Arc::clone(&channel);
            move || channel.end(None)
        });
        // Nothing is left: the peer has accepted all of it before the try failed.
        assert!(channel.retry(Batch::default(), 0).is_none());
        ender.join().unwrap();
        let report = channel.since(&channel.stop(&Waiter::new(1))).0;
        assert_eq!(report.left, 0);
        world.check(1);
    });
}

#[test]
fn loom_a_wait_between_two_tries_ends_when_a_flush_waits_for_the_batch() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        let channel = Arc::clone(&world.channels[0]);
        let mut urgency = channel.urgency();
        let asker = thread::spawn({
            let channel = Arc::clone(&channel);
            move || drop(Drain::start(&[channel], DrainKind::Flush))
        });
        assert_eq!(channel.pause(LONG, false, &mut urgency), PauseEnd::Urged);
        asker.join().unwrap();
        let ender = thread::spawn({
            let channel = Arc::clone(&channel);
            move || channel.end(None)
        });
        assert_eq!(channel.pause(LONG, true, &mut urgency), PauseEnd::Abandoned);
        ender.join().unwrap();
    });
}

#[test]
fn loom_two_exporters_settle_a_trace_once() {
    check(|| {
        let world = World::new(2, 9, Batching::immediate());
        World::send(&world.channels, &world.ledger, false);
        let workers = world.workers();
        let channel = Arc::clone(&world.channels[1]);
        channel.end(None);
        let outcome = Drain::start(&world.channels[..1], DrainKind::Shutdown).wait(LONG);
        assert!(outcome.in_time);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        world.check(1);
        assert_eq!(world.ledger.counters().exported, SPANS);
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
fn loom_an_exporter_that_never_answers_is_abandoned_when_its_channel_ends() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        let channel = Arc::clone(&world.channels[0]);
        let ender = thread::spawn(move || channel.end(None));
        assert_eq!(block_on(world.channels[0].unless_abandoned(pending::<()>())), None);
        ender.join().unwrap();
    });
}

#[test]
fn loom_a_future_that_waits_for_a_shutdown_is_woken() {
    check(|| {
        let world = World::new(1, 9, Batching::immediate());
        World::send(&world.channels, &world.ledger, false);
        let drain = Drain::start(&world.channels, DrainKind::Shutdown);
        let workers = world.workers();
        let outcome = block_on(drain.ended());
        assert_eq!(outcome.report.sent, SPANS);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}
