//! What becomes of traces, at one exporter and at several.

use super::*;
use crate::delivery::{DeliveryReport, FlushError, ShutdownError};
use crate::ledger::Reason;
use crate::time::ManualClock;

#[test]
fn a_trace_leaves_at_once_when_the_exporter_likes_it_so() {
    let (exporter, heard) = Scripted::new([]);
    let bench = Bench::one(quick(), exporter);
    bench.send(&trace(3));
    assert_eq!(heard.next(), Event::Export(3));
}

#[test]
fn a_batch_leaves_when_its_oldest_trace_has_waited_long_enough() {
    let (exporter, heard) = Scripted::new([]);
    let aged = Batching { max_age: Duration::from_millis(1), ..Batching::default() };
    let config = DeliveryConfig { batching: Some(aged), ..quick() };
    let bench = Bench::one(config, exporter);
    bench.send(&trace(1));
    assert_eq!(heard.next(), Event::Export(1));
}

fn patient() -> DeliveryConfig {
    let batching = Batching { max_spans: 10, max_age: Duration::MAX, ..Batching::default() };
    DeliveryConfig { batching: Some(batching), ..quick() }
}

#[test]
fn a_full_batch_leaves_and_the_rest_waits_for_a_flush() {
    let (exporter, heard) = Scripted::new([]);
    let clock = ManualClock::new();
    let bench = Bench::with_clock(patient(), vec![Box::new(exporter)], clock.clock());
    for _ in 0..3 {
        bench.send(&trace(4));
    }
    assert_eq!(heard.next(), Event::Export(8));
    let report = bench.delivery.flush(LONG).unwrap();
    assert_eq!(report.left, 0);
    assert_eq!(heard.so_far(), [Event::Export(4), Event::Flush]);
    assert_eq!((bench.stats().exported, bench.stats().queued), (12, 0));
}

#[test]
fn a_flush_ends_though_traces_keep_coming() {
    /// Sends another trace from within each export, so that the queue is never empty.
    struct Endless(Arc<Mutex<Option<Arc<Bench>>>>);

    #[async_trait]
    impl Exporter for Endless {
        async fn export(&self, _: Batch) -> Result<(), ExportError> {
            let bench = lock(&self.0).clone();
            if let Some(bench) = bench {
                bench.send(&trace(1));
            }
            Ok(())
        }

        fn batching(&self) -> Batching {
            Batching::immediate()
        }
    }

    let slot = Arc::new(Mutex::new(None));
    let exporter = Endless(Arc::clone(&slot));
    let bench = Arc::new(Bench::new(quick(), vec![Box::new(exporter)]));
    *lock(&slot) = Some(Arc::clone(&bench));
    bench.send(&trace(1));
    assert!(bench.delivery.flush(LONG).unwrap().sent >= 1);
    *lock(&slot) = None;
}

#[test]
fn one_trace_that_is_larger_than_a_batch_goes_alone() {
    let (exporter, heard) = Scripted::new([]);
    let bench = Bench::one(patient(), exporter);
    bench.send(&trace(1));
    bench.send(&trace(50));
    bench.send(&trace(1));
    bench.delivery.shutdown(LONG, 0).unwrap();
    let sizes = [Event::Export(1), Event::Export(50), Event::Export(1)];
    assert_eq!(heard.so_far()[..3], sizes);
}

#[test]
fn a_shutdown_sends_flushes_and_lets_go_in_this_order() {
    let (exporter, heard) = Scripted::new([]);
    let bench = Bench::one(patient(), exporter);
    bench.send(&trace(2));
    let report = bench.delivery.shutdown(LONG, 0).unwrap();
    assert_eq!((report.sent, report.dropped(), report.left), (2, 0, 0));
    let order = [Event::Export(2), Event::Shutdown, Event::Dropped];
    assert_eq!(heard.so_far(), order);
}

#[test]
fn a_second_shutdown_has_nothing_to_do() {
    let (exporter, heard) = Scripted::new([]);
    let bench = Bench::one(quick(), exporter);
    bench.delivery.shutdown(LONG, 0).unwrap();
    assert_eq!(heard.so_far(), [Event::Shutdown, Event::Dropped]);
    let nothing = DeliveryReport::default();
    assert_eq!(bench.delivery.shutdown(LONG, 0).unwrap(), nothing);
    assert_eq!(bench.delivery.flush(LONG).unwrap(), nothing);
}

#[test]
fn what_is_sent_after_the_shutdown_is_counted_as_lost() {
    let (exporter, _heard) = Scripted::new([]);
    let bench = Bench::one(quick(), exporter);
    bench.delivery.shutdown(LONG, 0).unwrap();
    bench.send(&trace(5));
    assert_eq!(bench.stats().dropped_by(Reason::ShutdownDeadline), 5);
}

#[test]
fn without_an_exporter_everything_is_refused() {
    let bench = Bench::new(quick(), Vec::new());
    bench.send(&trace(5));
    assert_eq!(bench.stats().dropped_by(Reason::Refused), 5);
    assert!(bench.delivery.shutdown(LONG, 0).is_ok());
}

#[test]
fn a_panic_costs_the_batch_in_flight_and_nothing_else() {
    let (exporter, _heard) = Scripted::new([Step::Panic]);
    let bench = Bench::one(patient(), exporter);
    for _ in 0..3 {
        bench.send(&trace(10));
    }
    // The panic may come before the flush begins, which then has nothing to complain about.
    if let Err(error) = bench.delivery.flush(LONG) {
        assert!(matches!(error, FlushError::Lost { .. }), "{error}");
    }
    let stats = bench.stats();
    assert_eq!(stats.dropped_by(Reason::ExporterPanicked), 10);
    assert_eq!((stats.exported, stats.panics), (20, 1));
}

#[test]
fn panics_of_every_other_method_are_caught_too() {
    struct Hostile(Scripted);

    #[async_trait]
    impl Exporter for Hostile {
        async fn export(&self, batch: Batch) -> Result<(), ExportError> {
            self.0.export(batch).await
        }
        async fn flush(&self) -> Result<(), ExportError> {
            self.0.flush().await
        }
        async fn shutdown(&self) -> Result<(), ExportError> {
            self.0.shutdown().await
        }
        fn name(&self) -> Cow<'static, str> {
            panic!("name")
        }
        fn batching(&self) -> Batching {
            panic!("batching")
        }
    }

    impl Drop for Hostile {
        fn drop(&mut self) {
            panic!("drop")
        }
    }

    let (exporter, _heard) = Scripted::new([]);
    let exporter = exporter.on_flush(Step::Panic).on_shutdown(Step::Panic);
    let bench = Bench::new(quick(), vec![Box::new(Hostile(exporter))]);
    bench.send(&trace(1));
    let error = bench.delivery.flush(LONG).unwrap_err();
    assert!(matches!(error, FlushError::Exporter { .. }), "{error}");
    bench.send(&trace(1));
    let error = bench.delivery.shutdown(LONG, 0).unwrap_err();
    assert!(matches!(error, ShutdownError::Exporter { .. }), "{error}");
    assert_eq!(error.report().dropped(), 0);
    assert_eq!((bench.stats().exported, bench.stats().panics), (2, 4));
}

#[test]
fn a_flush_that_the_exporter_refuses_is_not_ok() {
    let (exporter, _heard) = Scripted::new([]);
    let full = ExportError::permanent("disk full");
    let bench = Bench::one(quick(), exporter.on_flush(Step::Fail(full)));
    let error = bench.delivery.flush(LONG).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("`scripted`") && told.contains("disk full"), "{told}");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "disk full");
}

#[test]
fn a_full_queue_refuses_the_newest_and_keeps_errors() {
    let (hold, blocked) = Step::block();
    let (exporter, heard) = Scripted::new([blocked]);
    let config = DeliveryConfig { max_queued_traces: 2, ..quick() };
    let bench = Bench::one(config, exporter);
    bench.send(&trace(1));
    assert_eq!(heard.next(), Event::Export(1));
    // The exporter is busy: of these only two may wait.
    bench.send(&trace(2));
    bench.send(&trace(4));
    bench.send(&trace(8));
    assert_eq!(bench.stats().dropped_by(Reason::QueueFull), 8);
    bench.send(&failed(16));
    assert_eq!(bench.stats().dropped_by(Reason::QueueFull), 10);
    drop(hold);
    assert!(bench.delivery.flush(LONG).is_ok());
    assert_eq!(bench.stats().exported, 21);
}

#[test]
fn a_trace_that_is_larger_than_the_queue_leaves_in_parts_and_a_second_as_far_as_it_fits() {
    let (hold, blocked) = Step::block();
    let (exporter, heard) = Scripted::new([blocked]);
    let config = DeliveryConfig { max_queued_bytes: trace(10).bytes(), ..quick() };
    let bench = Bench::one(config, exporter);
    bench.send(&trace(1));
    assert_eq!(heard.next(), Event::Export(1));
    bench.send(&failed(100));
    bench.send(&trace(100));
    drop(hold);
    bench.delivery.flush(LONG).unwrap();
    let stats = bench.stats();
    let lost = stats.dropped_by(Reason::QueueFull);
    assert_eq!(stats.exported + lost, 201);
    assert!((80..100).contains(&lost), "of the second {lost} had no room");
}

#[test]
fn a_span_that_is_larger_than_the_queue_is_refused() {
    let (exporter, _heard) = Scripted::new([]);
    let config = DeliveryConfig { max_queued_bytes: trace(1).bytes() - 1, ..quick() };
    let bench = Bench::one(config, exporter);
    bench.send(&trace(1));
    bench.delivery.flush(LONG).unwrap();
    assert_eq!(bench.stats().dropped_by(Reason::QueueFull), 1);
}

#[test]
fn an_exporter_that_is_stuck_costs_the_other_nothing() {
    let (hold, blocked) = Step::block();
    let (stuck, at_stuck) = Scripted::new([blocked]);
    let (well, at_well) = Scripted::new([]);
    let config = DeliveryConfig { max_queued_traces: 1, ..patient() };
    let bench = Bench::new(config, vec![Box::new(stuck), Box::new(well)]);
    bench.send(&trace(10));
    assert_eq!(at_stuck.next(), Event::Export(10));
    assert_eq!(at_well.next(), Event::Export(10));
    for _ in 0..4 {
        bench.send(&trace(10));
        assert_eq!(at_well.next(), Event::Export(10));
    }
    // The stuck one holds one trace and queues another: three found its queue full.
    let error = bench.delivery.shutdown(Duration::from_millis(10), 0).unwrap_err();
    assert!(matches!(error, ShutdownError::TimedOut { .. }));
    assert_eq!(error.report().dropped_by(Reason::ShutdownDeadline), 20);
    let stats = bench.stats();
    assert_eq!((stats.exported, stats.failed(), stats.missed), (50, 0, 50));
    drop(hold);
}
