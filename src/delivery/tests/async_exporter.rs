//! The exporter that gives another one a queue of its own.

use tokio::runtime::Builder;

use super::*;
use crate::delivery::{AsyncExporter, FlushError, ShutdownError};

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

/// Lets the other futures of this thread run while `future` is not ready.
async fn briefly<F: Future>(future: F) -> Option<F::Output> {
    tokio::time::timeout(Duration::from_millis(5), future).await.ok()
}

#[test]
fn it_returns_at_once_though_the_exporter_inside_is_blocked() {
    let (hold, blocked) = Step::block();
    let (inner, heard) = Scripted::new([blocked]);
    let exporter = AsyncExporter::with_config(inner, quick());
    block_on(async {
        exporter.export(Batch::from([trace(3)])).await.unwrap();
        assert_eq!(heard.next(), Event::Export(3));
        exporter.export(Batch::from([trace(4)])).await.unwrap();
        // The runtime is not blocked, or no time limit could end these.
        assert!(briefly(exporter.flush()).await.is_none());
        drop(hold);
        exporter.flush().await.unwrap();
        exporter.shutdown().await.unwrap();
    });
    assert_eq!((exporter.lost(), exporter.queued_spans()), (0, 0));
    let order = [Event::Export(4), Event::Flush, Event::Shutdown, Event::Dropped];
    assert_eq!(heard.so_far(), order);
}

#[test]
fn a_shutdown_that_is_dropped_gives_up_what_still_waits() {
    let (inner, heard) = Scripted::new([Step::Pending]);
    let exporter = AsyncExporter::with_config(inner, quick());
    block_on(async {
        exporter.export(Batch::from([trace(3)])).await.unwrap();
        assert_eq!(heard.next(), Event::Export(3));
        exporter.export(Batch::from([trace(4)])).await.unwrap();
        assert!(briefly(exporter.shutdown()).await.is_none());
    });
    assert_eq!((exporter.lost(), exporter.queued_spans()), (7, 0));
    assert_eq!(heard.next(), Event::Dropped);
}

#[test]
fn what_finds_its_queue_full_is_told_to_the_caller() {
    let (hold, blocked) = Step::block();
    let (inner, heard) = Scripted::new([blocked]);
    let config = DeliveryConfig { max_queued_traces: 1, ..quick() };
    let exporter = AsyncExporter::with_config(inner, config);
    block_on(async {
        exporter.export(Batch::from([trace(1)])).await.unwrap();
        assert_eq!(heard.next(), Event::Export(1));
        let error = exporter.export(Batch::from([trace(2), trace(3)])).await.unwrap_err();
        assert_eq!(error.rejected_spans(), Some(3));
        drop(hold);
        exporter.flush().await.unwrap();
    });
    assert_eq!(exporter.lost(), 3);
}

#[test]
fn what_it_loses_makes_the_flush_fail() {
    let (hold, blocked) = Step::block();
    let refused = Step::Fail(ExportError::permanent("400"));
    let (inner, heard) = Scripted::new([blocked, refused]);
    let exporter = AsyncExporter::with_config(inner, quick());
    block_on(async {
        exporter.export(Batch::from([trace(3)])).await.unwrap();
        assert_eq!(heard.next(), Event::Export(3));
        exporter.export(Batch::from([trace(4)])).await.unwrap();
        let mut flush = exporter.flush();
        assert!(briefly(&mut flush).await.is_none());
        drop(hold);
        let error = flush.await.unwrap_err();
        assert!(error.to_string().contains("4 refused by the exporter"), "{error}");
    });
    assert_eq!(exporter.lost(), 4);
}

#[test]
fn behind_a_delivery_it_is_an_exporter_like_any_other() {
    let (inner, heard) = Scripted::new([Step::down()]);
    let inner = AsyncExporter::with_config(inner, quick());
    assert_eq!(inner.name(), "scripted");
    let bench = Bench::new(quick(), vec![Box::new(inner)]);
    bench.send(&trace(5));
    bench.delivery.shutdown(LONG, 0).unwrap();
    assert_eq!(bench.stats().exported, 5);
    let order = [Event::Export(5), Event::Export(5), Event::Shutdown, Event::Dropped];
    assert_eq!(heard.so_far(), order);
}

#[test]
fn who_cannot_await_waits_for_a_time_at_most() {
    let (hold, blocked) = Step::block();
    let (inner, heard) = Scripted::new([blocked]);
    let exporter = AsyncExporter::with_config(inner, quick());
    block_on(exporter.export(Batch::from([trace(3)]))).unwrap();
    assert_eq!(heard.next(), Event::Export(3));
    let late = exporter.flush_within(Duration::from_millis(1)).unwrap_err();
    assert!(matches!(late, FlushError::TimedOut { .. }) && late.report().left == 3, "{late}");
    drop(hold);
    assert_eq!(exporter.flush_within(LONG).unwrap().left, 0);
    exporter.shutdown_within(LONG).unwrap();
    assert_eq!(heard.so_far(), [Event::Flush, Event::Shutdown, Event::Dropped]);
}

#[test]
fn a_shutdown_that_takes_too_long_gives_up_what_still_waits() {
    let (inner, heard) = Scripted::new([Step::Pending]);
    let exporter = AsyncExporter::with_config(inner, quick());
    block_on(exporter.export(Batch::from([trace(3)]))).unwrap();
    assert_eq!(heard.next(), Event::Export(3));
    let late = exporter.shutdown_within(Duration::from_millis(1)).unwrap_err();
    assert!(matches!(late, ShutdownError::TimedOut { .. }), "{late}");
    assert_eq!((exporter.lost(), exporter.queued_spans()), (3, 0));
}
