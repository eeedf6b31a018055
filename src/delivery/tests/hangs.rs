//! Exporters that never answer.

use super::*;
use crate::delivery::{FlushError, ShutdownError};
use crate::ledger::Reason;

const SHORT: Duration = Duration::from_millis(20);

/// Sends a trace that hangs and one that waits behind it.
fn stuck(step: Step) -> (Bench, Heard) {
    let (exporter, heard) = Scripted::new([step]);
    let bench = Bench::one(quick(), exporter);
    bench.send(&trace(4));
    assert_eq!(heard.next(), Event::Export(4));
    bench.send(&trace(2));
    (bench, heard)
}

fn the_deadline_is_kept(bench: &Bench) {
    let error = bench.delivery.flush(SHORT).unwrap_err();
    let FlushError::TimedOut { report, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((report.sent, report.dropped(), report.left), (0, 0, 6));
    let error = bench.delivery.shutdown(SHORT, 0).unwrap_err();
    let ShutdownError::TimedOut { report, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((report.sent, report.left), (0, 0));
    assert_eq!(report.dropped_by(Reason::ShutdownDeadline), 6);
    assert_eq!(bench.stats().dropped_by(Reason::ShutdownDeadline), 6);
    assert_eq!(bench.stats().queued, 0);
}

#[test]
fn a_future_that_is_never_ready_does_not_hold_up_a_shutdown_and_its_thread_ends() {
    let (bench, heard) = stuck(Step::Pending);
    the_deadline_is_kept(&bench);
    assert_eq!(heard.next(), Event::Dropped);
}

#[test]
fn a_thread_that_is_blocked_does_not_hold_up_a_shutdown() {
    let (hold, blocked) = Step::block();
    let (bench, heard) = stuck(blocked);
    the_deadline_is_kept(&bench);
    assert_eq!(heard.so_far(), []);
    // What arrives after all has been counted: it is not counted again.
    drop(hold);
    assert_eq!(heard.next(), Event::Dropped);
    assert_eq!(bench.stats().exported, 0);
}

#[test]
fn a_flush_that_gave_up_leaves_what_waits_to_be_sent() {
    let (hold, blocked) = Step::block();
    let (bench, _heard) = stuck(blocked);
    assert!(bench.delivery.flush(SHORT).is_err());
    drop(hold);
    bench.delivery.flush(LONG).unwrap();
    assert_eq!(bench.stats().exported, 6);
}

#[test]
fn an_exporter_that_hangs_in_its_own_flush_does_not_hold_up_anybody() {
    let (exporter, heard) = Scripted::new([]);
    let exporter = exporter.on_flush(Step::Pending).on_shutdown(Step::Pending);
    let bench = Bench::one(quick(), exporter);
    bench.send(&trace(4));
    let error = bench.delivery.flush(SHORT).unwrap_err();
    assert!(matches!(error, FlushError::TimedOut { .. }), "{error}");
    let error = bench.delivery.shutdown(SHORT, 0).unwrap_err();
    assert!(matches!(error, ShutdownError::TimedOut { .. }), "{error}");
    assert_eq!(error.report().dropped(), 0);
    assert_eq!(bench.stats().exported, 4);
    assert_eq!(heard.next(), Event::Export(4));
    assert_eq!(heard.next(), Event::Flush);
    assert_eq!(heard.next(), Event::Dropped);
}

#[test]
fn a_flush_of_the_exporter_that_takes_too_long_is_ended() {
    let (exporter, _heard) = Scripted::new([]);
    let config = DeliveryConfig { export_timeout: Duration::from_millis(1), ..quick() };
    let bench = Bench::one(config, exporter.on_flush(Step::Pending));
    let error = bench.delivery.flush(LONG).unwrap_err();
    assert!(matches!(error, FlushError::Exporter { .. }), "{error}");
    bench.delivery.flush(LONG).unwrap();
}

#[test]
fn a_shutdown_that_gives_up_frees_those_who_wait_for_a_flush() {
    let (hold, blocked) = Step::block();
    let (bench, _heard) = stuck(blocked);
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| bench.delivery.flush(LONG));
        while bench.delivery.channels[0].urgency() == 0 {
            std::thread::yield_now();
        }
        assert!(bench.delivery.shutdown(Duration::ZERO, 0).is_err());
        let error = flush.join().unwrap().unwrap_err();
        assert!(matches!(error, FlushError::Lost { .. }), "{error}");
    });
    drop(hold);
}

#[test]
fn dropping_it_ends_the_threads_and_counts_what_waited() {
    let (Bench { delivery, ledger }, heard) = stuck(Step::Pending);
    drop(delivery);
    assert_eq!(heard.next(), Event::Dropped);
    let stats = ledger.counters();
    assert_eq!(stats.dropped_by(Reason::ShutdownDeadline), 6);
    assert!(stats.balances());
}
