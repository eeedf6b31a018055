//! Exporters of OpenTelemetry behind our pipelines.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::Batch;
use tailtrace::ledger::Reason;
use tailtrace::model::Resource;
use tailtrace::testing::{span, trace};
use tailtrace::{
    AlwaysOn, Exporter, FixedRateSampler, Pipeline, Span, SpanId, Trace, TraceContext, TraceId,
};

use tokio::sync::Notify;

use super::release_line::{self, LineExporter, SdkResult, SpanData, TestExporter};
use super::support::{LONG, Seen, Sink, block_on};
use crate::adapter::OtelExporter;

fn pipeline(exporter: impl Exporter + 'static) -> Pipeline {
    let builder = Pipeline::builder("shop").with_sampler(AlwaysOn).with_exporter(exporter);
    builder.start().unwrap()
}

fn many(spans: usize) -> Trace {
    let mut made = Trace::new(TraceId::new());
    for _ in 0..spans {
        let context = TraceContext::new(made.trace_id(), SpanId::new());
        made.add_span(Span::new("one of many", context));
    }
    made.finish();
    made
}

fn sizes(seen: &Seen) -> Vec<usize> {
    seen.calls.lock().unwrap().iter().map(|(_, spans)| spans.len()).collect()
}

#[test]
fn what_is_kept_arrives_with_its_service_its_flag_and_its_threshold() {
    let (sink, seen) = Sink::new();
    let pipeline = Pipeline::builder("shop")
        .with_sampler(FixedRateSampler::new(1.0).unwrap())
        .with_exporter(OtelExporter::new(sink))
        .start()
        .unwrap();
    let order = pipeline.tracer().start_span("order");
    drop(order.child("pay"));
    drop(order);
    pipeline.shutdown(LONG).unwrap();
    let spans = seen.spans();
    assert_eq!(seen.names(), ["order", "pay"]);
    assert_eq!(spans[1].parent_span_id, spans[0].span_context.span_id());
    assert!(spans.iter().all(|span| span.span_context.is_sampled()));
    assert_eq!(spans[0].span_context.trace_state().header(), "ot=th:0");
    assert_eq!(seen.calls.lock().unwrap()[0].0, "shop");
    assert_eq!(pipeline.stats().exported, 2);
}

#[test]
fn members_of_other_systems_leave_once_unless_told_otherwise() {
    for only_root in [true, false] {
        let (sink, seen) = Sink::new();
        let exporter = OtelExporter::new(sink).with_foreign_trace_state_on_root_only(only_root);
        let pipeline = pipeline(exporter);
        let mut caller = TraceContext::new(TraceId::new(), SpanId::new());
        caller.trace_state = "vendor=1,ot=th:0".parse().unwrap();
        caller.is_remote = true;
        let order = pipeline.tracer().start_span_with_context("order", caller);
        drop(order.child("pay"));
        drop(order);
        pipeline.shutdown(LONG).unwrap();
        let spans = seen.spans();
        let headers: Vec<_> =
            spans.iter().map(|span| span.span_context.trace_state().header()).collect();
        let inner = if only_root { "ot=th:0" } else { &*headers[0] };
        assert_eq!(headers.len(), 2);
        assert!(headers[0].contains("vendor=1"));
        assert_eq!(headers[1], inner);
    }
}

#[test]
fn a_flush_and_a_shutdown_reach_the_exporter() {
    let (sink, seen) = Sink::new();
    let pipeline = pipeline(OtelExporter::new(sink));
    pipeline.flush(LONG).unwrap();
    assert_eq!(seen.flushes.load(Ordering::Relaxed), 1);
    assert_eq!(seen.shutdowns.load(Ordering::Relaxed), 0);
    pipeline.shutdown(LONG).unwrap();
    assert_eq!(seen.shutdowns.load(Ordering::Relaxed), 1);
}

#[test]
fn a_batch_is_split_by_resource_and_each_is_told_once() {
    let (sink, seen) = Sink::new();
    let exporter = OtelExporter::new(sink);
    let of = |service: &str, name| trace(span(name)).with_resource(Resource::new(service));
    let batch = [of("a", "1"), of("b", "2"), of("a", "3")];
    block_on(exporter.export(Batch::from(&batch[..]))).unwrap();
    block_on(exporter.export(Batch::from([of("b", "4")]))).unwrap();
    let calls = seen.calls.lock().unwrap();
    let calls: Vec<(&str, Vec<&str>)> = calls
        .iter()
        .map(|(service, spans)| {
            (service.as_str(), spans.iter().map(|span| span.name.as_ref()).collect())
        })
        .collect();
    assert_eq!(calls, [("a", vec!["1", "3"]), ("b", vec!["2"]), ("b", vec!["4"])]);
    assert_eq!(seen.resources.load(Ordering::Relaxed), 2);
}

/// Fact: an exporter that remembers its resource mixes services up when two tasks take turns badly.
#[test]
fn every_span_keeps_its_resource_though_several_export_at_once() {
    let (sink, seen) = Sink::new();
    let exporter = Arc::new(OtelExporter::new(sink));
    thread::scope(|scope| {
        for service in ["a", "b", "c"] {
            let exporter = Arc::clone(&exporter);
            scope.spawn(move || {
                let batch = [trace(span(service)).with_resource(Resource::new(service))];
                for _ in 0..100 {
                    block_on(exporter.export(Batch::from(&batch[..]))).unwrap();
                }
            });
        }
    });
    let calls = seen.calls.lock().unwrap();
    assert_eq!(calls.len(), 300);
    for (service, spans) in calls.iter() {
        assert_eq!(*service, spans[0].name);
    }
}

#[test]
fn a_large_trace_goes_in_portions() {
    let (sink, seen) = Sink::new();
    let exporter = OtelExporter::new(sink);
    block_on(exporter.export(Batch::from([many(1), many(1100)]))).unwrap();
    assert_eq!(sizes(&seen), [512, 512, 77]);
}

#[test]
fn a_trace_of_much_text_goes_in_smaller_portions() {
    let (sink, seen) = Sink::new();
    let mut made = many(0);
    for _ in 0..100 {
        let mut large = Span::new("large", TraceContext::new(made.trace_id(), SpanId::new()));
        for number in 0..10 {
            large.set_tag(format!("tag {number}"), "x".repeat(10_000));
        }
        made.add_span(large);
    }
    block_on(OtelExporter::new(sink).export(Batch::from([made]))).unwrap();
    let sizes = sizes(&seen);
    assert_eq!(sizes.iter().sum::<usize>(), 100);
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size <= 20), "{sizes:?}");
}

#[test]
fn nothing_makes_no_call() {
    let (sink, seen) = Sink::new();
    block_on(OtelExporter::new(sink).export(Batch::from([many(0)]))).unwrap();
    assert!(seen.calls.lock().unwrap().is_empty());
}

#[test]
fn a_failure_is_final_and_told_with_its_cause() {
    for error in [
        release_line::failed("no peer"),
        release_line::timed_out(Duration::from_secs(3)),
        release_line::already_shut_down(),
    ] {
        let text = error.to_string();
        let (sink, _) = Sink::failing(vec![error]);
        let failed = block_on(OtelExporter::new(sink).export(Batch::from([many(2)]))).unwrap_err();
        assert!(!failed.is_retryable() && failed.rejected_spans().is_none());
        assert!(failed.to_string().contains(&text), "{failed}");
        assert_eq!(std::error::Error::source(&failed).unwrap().to_string(), text);
    }
}

#[test]
fn a_portion_that_fails_costs_its_own_spans() {
    let (sink, seen) = Sink::failing(vec![release_line::failed("bad span")]);
    let failed = block_on(OtelExporter::new(sink).export(Batch::from([many(1000)]))).unwrap_err();
    assert_eq!((failed.rejected_spans(), sizes(&seen)), (Some(512), vec![488]));
}

#[test]
fn after_a_timeout_the_other_portions_are_not_tried() {
    let (sink, seen) = Sink::failing(vec![release_line::timed_out(LONG)]);
    let failed = block_on(OtelExporter::new(sink).export(Batch::from([many(1000)]))).unwrap_err();
    assert!(!failed.is_retryable() && seen.calls.lock().unwrap().is_empty());
}

#[test]
fn an_exporter_that_panics_costs_its_batch_and_exports_the_next() {
    #[derive(Debug)]
    struct PanicsOnce(AtomicBool, LineExporter<Sink>);

    impl TestExporter for PanicsOnce {
        async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
            assert!(self.0.swap(true, Ordering::Relaxed), "no words");
            TestExporter::export(&self.1, batch).await
        }
    }

    let (sink, seen) = Sink::new();
    let pipeline =
        pipeline(OtelExporter::new(LineExporter::new(PanicsOnce(AtomicBool::new(false), sink))));
    drop(pipeline.tracer().start_span("lost"));
    assert!(pipeline.flush(LONG).is_err());
    drop(pipeline.tracer().start_span("sent"));
    pipeline.shutdown(LONG).unwrap();
    assert_eq!(seen.names(), ["sent"]);
    assert_eq!(pipeline.stats().dropped_by(Reason::ExporterPanicked), 1);
}

#[test]
fn an_exporter_may_block_and_may_use_the_runtime() {
    #[derive(Debug)]
    struct Demanding(LineExporter<Sink>);

    impl TestExporter for Demanding {
        async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
            // What blocking HTTP clients do: it panics where a runtime is being driven.
            block_on(async {});
            // What asynchronous HTTP clients do: it needs the sockets of a runtime.
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
            let address = listener.as_ref().unwrap().local_addr().unwrap();
            tokio::net::TcpStream::connect(address).await.unwrap();
            TestExporter::export(&self.0, batch).await
        }
    }

    let (sink, seen) = Sink::new();
    let pipeline = pipeline(OtelExporter::new(LineExporter::new(Demanding(sink))));
    drop(pipeline.tracer().start_span("order"));
    pipeline.shutdown(LONG).unwrap();
    assert_eq!(seen.names(), ["order"]);
}

/// Older lines have no way to say so; what a pipeline can do there is tested with the span processor.
#[cfg(not(before_0_30))]
#[test]
fn what_the_exporter_does_is_not_traced_by_opentelemetry() {
    use std::sync::Mutex;

    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

    use super::release_line::SdkTracerProvider;

    #[derive(Debug)]
    struct Traced(SdkTracerProvider, Arc<Mutex<Vec<bool>>>);

    impl TestExporter for Traced {
        async fn export(&self, _: Vec<SpanData>) -> SdkResult {
            let span = self.0.tracer("client").start("POST /v1/traces");
            self.1.lock().unwrap().push(span.is_recording());
            Ok(())
        }
    }

    let recorded = Arc::new(Mutex::new(Vec::new()));
    let provider = SdkTracerProvider::builder().build();
    assert!(provider.tracer("app").start("order").is_recording());
    let exporter = OtelExporter::new(LineExporter::new(Traced(provider, Arc::clone(&recorded))));
    block_on(exporter.export(Batch::from([many(1)]))).unwrap();
    assert_eq!(*recorded.lock().unwrap(), [false]);
}

#[test]
fn an_export_that_nobody_waits_for_any_more_leaves_the_exporter_whole() {
    #[derive(Debug)]
    struct Waits(Arc<[Notify; 2]>, LineExporter<Sink>);

    impl TestExporter for Waits {
        async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
            let [began, go] = &*self.0;
            began.notify_one();
            go.notified().await;
            TestExporter::export(&self.1, batch).await
        }
    }

    let signals = Arc::new([Notify::new(), Notify::new()]);
    let (sink, seen) = Sink::new();
    let exporter = OtelExporter::new(LineExporter::new(Waits(Arc::clone(&signals), sink)));
    block_on(async {
        let mut export = exporter.export(Batch::from([trace(span("slow"))]));
        let mut began = pin!(signals[0].notified());
        poll_fn(|context| {
            assert!(export.as_mut().poll(context).is_pending());
            began.as_mut().poll(context)
        })
        .await;
        drop(export);
        signals[1].notify_one();
        exporter.flush().await.unwrap();
    });
    assert_eq!(
        (seen.names(), seen.resources.load(Ordering::Relaxed)),
        (vec!["slow".to_owned()], 0)
    );
}

#[test]
fn of_a_batch_that_takes_too_long_the_portions_that_arrived_are_not_lost() {
    #[derive(Debug)]
    struct StopsAfterOne(LineExporter<Sink>, AtomicBool);

    impl TestExporter for StopsAfterOne {
        async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
            if self.1.swap(true, Ordering::Relaxed) {
                return std::future::pending().await;
            }
            TestExporter::export(&self.0, batch).await
        }
    }

    let (sink, seen) = Sink::new();
    let stops = OtelExporter::new(LineExporter::new(StopsAfterOne(sink, AtomicBool::new(false))));
    let config = DeliveryConfig::default().with_export_timeout(Duration::from_secs(1));
    let pipeline = Pipeline::builder("shop")
        .with_sampler(AlwaysOn)
        .with_exporter(stops)
        .with_delivery(config)
        .start()
        .unwrap();
    let root = pipeline.tracer().start_span("root");
    (1..600).for_each(|_| drop(root.child("part")));
    drop(root);
    assert!(pipeline.flush(LONG).is_err());
    assert_eq!(sizes(&seen), [512]);
    let stats = pipeline.stats();
    assert_eq!((stats.exported, stats.dropped_by(Reason::RetriesExhausted)), (512, 88));
}

#[test]
fn outside_of_any_runtime_it_works_for_exporters_that_need_none() {
    let (sink, seen) = Sink::new();
    let exporter = OtelExporter::new(sink);
    let export = catch_unwind(AssertUnwindSafe(|| {
        let mut export = exporter.export(Batch::default());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        export.as_mut().poll(&mut context).is_ready()
    }));
    assert!(export.unwrap());
    assert!(seen.names().is_empty());
}
