//! What is tried again and what is not.

use super::*;
use crate::delivery::{FlushError, ShutdownError};
use crate::ledger::Reason;
use crate::time::ManualClock;

const HOUR: Duration = Duration::from_secs(3600);

/// Waits that no test could sit through.
fn slow() -> DeliveryConfig {
    DeliveryConfig {
        retry: Retry {
            initial: HOUR,
            max: HOUR,
            jitter: 0.0,
            budget: HOUR * 24,
            ..Retry::default()
        },
        ..DeliveryConfig::default()
    }
}

#[test]
fn what_fails_twice_arrives_at_the_third_try() {
    let (exporter, heard) = Scripted::new([Step::down(), Step::down()]);
    let bench = Bench::one(quick(), exporter);
    bench.send(&trace(4));
    bench.delivery.flush(LONG).unwrap();
    let tries = [Event::Export(4), Event::Export(4), Event::Export(4), Event::Flush];
    assert_eq!(heard.so_far(), tries);
    assert_eq!((bench.stats().exported, bench.stats().failed()), (4, 0));
}

#[test]
fn what_is_refused_is_not_tried_again() {
    let refused = Step::Fail(ExportError::permanent("400"));
    let (exporter, heard) = Scripted::new([refused]);
    let bench = Bench::one(quick(), exporter);
    let error = {
        bench.send(&trace(4));
        heard.next();
        bench.send(&trace(2));
        bench.delivery.shutdown(LONG, 0)
    };
    assert_eq!(heard.next(), Event::Export(2));
    assert_eq!(bench.stats().dropped_by(Reason::Refused), 4);
    assert_eq!(bench.stats().exported, 2);
    // Whether the refusal fell into the call is a race; that it is never hidden is not.
    if let Err(error) = error {
        assert!(matches!(error, ShutdownError::Lost { .. }), "{error}");
    }
}

#[test]
fn a_flush_during_which_spans_are_lost_is_not_ok() {
    let (hold, blocked) = Step::block();
    let refused = Step::Fail(ExportError::permanent("400"));
    let (exporter, heard) = Scripted::new([blocked, refused]);
    let bench = Bench::one(quick(), exporter);
    bench.send(&trace(1));
    heard.next();
    bench.send(&trace(7));
    let error = std::thread::scope(|scope| {
        let flush = scope.spawn(|| bench.delivery.flush(LONG));
        // Lets the second batch go once the flush has begun.
        while bench.delivery.channels[0].urgency() == 0 {
            std::thread::yield_now();
        }
        drop(hold);
        flush.join().unwrap().unwrap_err()
    });
    assert!(matches!(error, FlushError::Lost { .. }), "{error}");
    let report = error.report();
    assert_eq!((report.sent, report.dropped_by(Reason::Refused)), (1, 7));
    let told = error.to_string();
    assert!(told.contains("1 spans sent, 7 dropped (7 refused by the exporter), 0 left"), "{told}");
}

#[test]
fn the_part_of_a_batch_that_is_rejected_is_not_tried_again() {
    let partial = Step::Fail(ExportError::partial(3, "too old"));
    let (exporter, heard) = Scripted::new([partial]);
    let bench = Bench::one(quick(), exporter);
    bench.send(&trace(10));
    assert_eq!(heard.next(), Event::Export(10));
    bench.delivery.shutdown(LONG, 0).ok();
    assert_eq!(heard.next(), Event::Shutdown);
    let stats = bench.stats();
    assert_eq!((stats.exported, stats.dropped_by(Reason::Refused)), (7, 3));
}

#[test]
fn more_rejected_spans_than_there_were_are_the_whole_batch() {
    let partial = Step::Fail(ExportError::partial(u64::MAX, "nonsense"));
    let (exporter, _heard) = Scripted::new([partial]);
    let bench = Bench::one(quick(), exporter);
    bench.send(&trace(10));
    bench.delivery.shutdown(LONG, 0).ok();
    assert_eq!(bench.stats().dropped_by(Reason::Refused), 10);
}

#[test]
fn when_the_budget_is_used_up_the_batch_is_lost_and_the_next_one_tried() {
    let (exporter, heard) = Scripted::new([Step::down()]);
    let once = Retry { budget: Duration::ZERO, ..Retry::default() };
    let config = DeliveryConfig { retry: once, ..DeliveryConfig::default() };
    let bench = Bench::one(config, exporter);
    bench.send(&trace(4));
    assert_eq!(heard.next(), Event::Export(4));
    bench.send(&trace(2));
    bench.delivery.shutdown(LONG, 0).ok();
    let stats = bench.stats();
    assert_eq!((stats.exported, stats.dropped_by(Reason::RetriesExhausted)), (2, 4));
}

#[test]
fn an_answer_that_takes_too_long_is_a_failure_that_is_tried_again() {
    let (exporter, heard) = Scripted::new([Step::Pending]);
    let config = DeliveryConfig { export_timeout: Duration::from_millis(1), ..quick() };
    let bench = Bench::one(config, exporter);
    bench.send(&trace(4));
    bench.delivery.flush(LONG).unwrap();
    assert_eq!(heard.so_far(), [Event::Export(4), Event::Export(4), Event::Flush]);
}

#[test]
fn a_flush_does_not_wait_for_the_time_of_the_next_try() {
    let (exporter, heard) = Scripted::new([Step::down()]);
    let bench = Bench::one(slow(), exporter);
    bench.send(&trace(4));
    assert_eq!(heard.next(), Event::Export(4));
    bench.delivery.flush(LONG).unwrap();
    assert_eq!(bench.stats().exported, 4);
}

#[test]
fn a_shutdown_does_not_wait_for_the_time_of_the_next_try() {
    let (exporter, heard) = Scripted::new([Step::down()]);
    let bench = Bench::one(slow(), exporter);
    bench.send(&trace(4));
    assert_eq!(heard.next(), Event::Export(4));
    bench.delivery.shutdown(LONG, 0).unwrap();
    assert_eq!(bench.stats().exported, 4);
}

#[test]
fn a_peer_that_asked_for_time_is_given_it_and_the_batch_is_counted_at_the_deadline() {
    let busy = Step::Busy { message: "429", wait: Some(Duration::from_secs(30)) };
    let (exporter, heard) = Scripted::new([busy]);
    let bench = Bench::one(slow(), exporter);
    bench.send(&trace(4));
    assert_eq!(heard.next(), Event::Export(4));
    let error = bench.delivery.shutdown(Duration::from_millis(20), 0).unwrap_err();
    assert!(matches!(error, ShutdownError::TimedOut { .. }), "{error}");
    assert_eq!(bench.stats().dropped_by(Reason::ShutdownDeadline), 4);
    assert_eq!(heard.next(), Event::Dropped);
}

#[test]
fn what_comes_while_a_batch_is_tried_again_waits_behind_it() {
    let (exporter, heard) = Scripted::new([Step::down()]);
    let bench = Bench::one(slow(), exporter);
    bench.send(&trace(1));
    assert_eq!(heard.next(), Event::Export(1));
    bench.send(&trace(2));
    bench.send(&trace(3));
    assert_eq!(bench.stats().queued, 6);
    bench.delivery.flush(LONG).unwrap();
    assert_eq!(heard.so_far(), [Event::Export(1), Event::Export(5), Event::Flush]);
}

#[test]
fn who_waits_in_vain_hears_what_the_exporter_said_last() {
    let busy = Step::Busy { message: "503 from collector", wait: Some(HOUR) };
    let (exporter, heard) = Scripted::new([busy]);
    let bench = Bench::one(slow(), exporter);
    bench.send(&trace(4));
    assert_eq!(heard.next(), Event::Export(4));
    // The answer may be on its way yet when a short flush ends.
    let error = loop {
        let error = bench.delivery.flush(Duration::from_millis(1)).unwrap_err();
        if matches!(&error, FlushError::TimedOut { last_error: Some(_), .. }) {
            break error.to_string();
        }
    };
    assert!(error.ends_with("; `scripted`: 503 from collector"), "{error}");
    let error = bench.delivery.shutdown(Duration::from_millis(1), 0).unwrap_err();
    assert!(error.to_string().ends_with("; `scripted`: 503 from collector"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "`scripted`: 503 from collector");
}

#[test]
fn who_hears_of_a_loss_hears_what_the_exporter_said_about_it() {
    let refused = Step::Fail(ExportError::permanent("400: bad tenant"));
    let (exporter, _heard) = Scripted::new([refused]);
    let config = DeliveryConfig { batching: Some(Batching::default()), ..quick() };
    let bench = Bench::with_clock(config, vec![Box::new(exporter)], ManualClock::new().clock());
    bench.send(&trace(4));
    let error = bench.delivery.flush(LONG).unwrap_err();
    assert!(matches!(error, FlushError::Lost { .. }), "{error}");
    assert!(error.to_string().ends_with("; `scripted`: 400: bad tenant"), "{error}");
}

#[test]
fn an_error_that_is_over_is_not_told_of_other_losses() {
    let refused = Step::Fail(ExportError::permanent("400"));
    let (hold, blocked) = Step::block();
    let (exporter, heard) = Scripted::new([refused, Step::Accept, blocked]);
    let bench = Bench::one(quick(), exporter);
    for spans in 1..=3 {
        bench.send(&trace(spans));
        assert_eq!(heard.next(), Event::Export(spans));
    }
    let error = bench.delivery.shutdown(Duration::from_millis(1), 0).unwrap_err();
    assert!(matches!(error, ShutdownError::TimedOut { last_error: None, .. }), "{error:?}");
    drop(hold);
}
