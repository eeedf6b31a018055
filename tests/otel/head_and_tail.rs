//! The head sampler and the tail processor inside of the SDK.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::trace::{Span as _, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::trace::{TraceFlags, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use tailtrace::ledger::Reason;
use tailtrace::model::Limits;
use tailtrace::record::RecordLimits;
use tailtrace::{
    Errors, Exporter, InMemoryExporter, Pipeline, TailPolicy, TailSampler, TraceView, Verdict,
};

use crate::adapter::{HeadSampler, OtelExporter, TailSpanProcessor};
use crate::suite::support::{LONG, Sink, block_on};

fn pipeline(tail: impl TailPolicy + 'static, exporter: impl Exporter + 'static) -> Pipeline {
    Pipeline::builder("suite").with_tail(tail).with_exporter(exporter).start().unwrap()
}

fn provider(pipeline: &Pipeline) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(HeadSampler::new(pipeline))
        .with_span_processor(TailSpanProcessor::new(pipeline))
        .build()
}

/// A set-up that keeps what fails.
fn errors() -> (Pipeline, SdkTracerProvider, InMemoryExporter) {
    let memory = InMemoryExporter::new();
    let pipeline = pipeline(TailSampler::new().keep(Errors), memory.clone());
    let provider = provider(&pipeline);
    (pipeline, provider, memory)
}

fn failed(provider: &SdkTracerProvider) -> Span {
    let mut span = provider.tracer("suite").start("failed");
    span.set_status(Status::error("it broke"));
    span
}

#[track_caller]
fn assert_balanced(pipeline: &Pipeline) {
    let stats = pipeline.stats();
    assert!(stats.balances() && stats.live == 0, "{stats}");
}

/// Ends a span in the way that locks it meanwhile.
fn end_locked(span: Span) {
    let context = Context::current_with_span(span);
    let _inside = context.clone().attach();
    context.span().end();
}

/// Runs what could wait for itself.
#[track_caller]
fn comes_to_an_end(work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let worker = thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    let timed_out = Err(mpsc::RecvTimeoutError::Timeout);
    assert_ne!(is_done.recv_timeout(LONG), timed_out, "it waits for itself");
    worker.join().unwrap();
}

/// A processor that does something when a span ends.
struct AtEnd<F>(F);

impl<F> fmt::Debug for AtEnd<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtEnd")
    }
}

impl<F: Fn() + Send + Sync> SpanProcessor for AtEnd<F> {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {
        (self.0)();
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a_trace_that_fails_leaves_as_sampled_and_no_other_leaves() {
    let (sink, seen) = Sink::new();
    let (beside, seen_beside) = Sink::new();
    let pipeline = pipeline(TailSampler::new().keep(Errors), OtelExporter::new(sink));
    let provider = SdkTracerProvider::builder()
        .with_sampler(HeadSampler::new(&pipeline))
        .with_span_processor(TailSpanProcessor::new(&pipeline))
        .with_simple_exporter(beside)
        .build();
    let tracer = provider.tracer("suite");
    for fails in [true, false] {
        tracer.in_span("root", |context| {
            assert!(!context.span().span_context().is_sampled(), "the tail has not decided");
            tracer.in_span("child", |context| {
                assert!(context.span().is_recording());
                if fails {
                    context.span().set_status(Status::error("it broke"));
                }
            });
        });
    }
    provider.force_flush().unwrap();
    let (names, spans) = (seen.names(), seen.spans());
    assert_eq!((names.len(), names.contains(&"root".to_owned())), (2, true));
    for span in spans {
        assert_eq!(span.span_context.trace_flags(), TraceFlags::SAMPLED);
        assert_eq!(span.span_context.trace_state().get("ot"), None, "every such trace is kept");
    }
    assert!(
        seen_beside.names().is_empty(),
        "spans that are only recorded are not exported elsewhere"
    );
    assert_balanced(&pipeline);
}

#[test]
fn a_span_may_start_while_its_parent_in_a_refused_trace_is_being_ended() {
    comes_to_an_end(|| {
        let pipeline = Pipeline::builder("suite")
            .with_tail(TailSampler::new().keep(Errors))
            .with_limits(RecordLimits::default().with_live_traces(1))
            .with_exporter(InMemoryExporter::new())
            .start()
            .unwrap();
        let whole = Arc::new(OnceLock::<SdkTracerProvider>::new());
        let (own, is_inside) = (Arc::clone(&whole), AtomicBool::new(false));
        let trace_once = move || {
            if !is_inside.swap(true, Ordering::AcqRel) {
                own.get().unwrap().tracer("suite").start("inner").end();
                is_inside.store(false, Ordering::Release);
            }
        };
        let provider = SdkTracerProvider::builder()
            .with_sampler(HeadSampler::new(&pipeline))
            .with_span_processor(AtEnd(trace_once))
            .with_span_processor(TailSpanProcessor::new(&pipeline))
            .build();
        whole.set(provider.clone()).unwrap();
        let tracer = provider.tracer("suite");
        let roots: Vec<Span> = (0..16).map(|_| tracer.start("root")).collect();
        roots.into_iter().for_each(end_locked);
        assert_balanced(&pipeline);
    });
}

#[test]
fn a_policy_may_trace_into_another_pipeline() {
    comes_to_an_end(|| {
        let (other, inner, _) = errors();
        let tracer = inner.tracer("suite");
        let tail = move |_: &TraceView<'_>| {
            tracer.start("inner").end();
            Verdict::pass()
        };
        let outer = pipeline(tail, InMemoryExporter::new());
        end_locked(provider(&outer).tracer("suite").start("outer"));
        assert_balanced(&outer);
        assert_balanced(&other);
        assert_eq!(other.stats().started, 1);
    });
}

#[test]
fn a_policy_may_flush_and_end_what_asks_it() {
    let deeds: [fn(&Pipeline, &SdkTracerProvider); 5] = [
        |pipeline, _| drop(pipeline.flush(LONG)),
        |pipeline, _| drop(pipeline.shutdown(LONG)),
        |_, provider| drop(provider.force_flush()),
        |_, provider| drop(provider.shutdown()),
        |_, provider| provider.tracer("suite").in_span("its own work", |_| {}),
    ];
    for deed in deeds {
        comes_to_an_end(move || {
            let whole = Arc::new(OnceLock::<(Pipeline, SdkTracerProvider)>::new());
            let own = Arc::clone(&whole);
            let tail = move |_: &TraceView<'_>| {
                let (pipeline, provider) = own.get().unwrap();
                deed(pipeline, provider);
                Verdict::keep()
            };
            let pipeline = pipeline(tail, InMemoryExporter::new());
            let provider = provider(&pipeline);
            whole.set((pipeline.clone(), provider.clone())).unwrap();
            end_locked(provider.tracer("suite").start("root"));
            let _ = (provider.force_flush(), provider.shutdown());
            assert_balanced(&pipeline);
        });
    }
}

#[test]
fn a_span_that_ends_after_its_provider_was_shut_down_is_accounted_for() {
    let (pipeline, provider, memory) = errors();
    let span = failed(&provider);
    let _ = provider.shutdown();
    drop(span);
    assert_balanced(&pipeline);
    assert_eq!(memory.span_count(), 0);
}

#[test]
fn pipeline_and_provider_may_go_in_any_order() {
    let (pipeline, provider, memory) = errors();
    let span = failed(&provider);
    drop(pipeline);
    drop(span);
    provider.force_flush().unwrap();
    assert_eq!(memory.span_count(), 1, "the provider keeps the pipeline running");
    drop(failed(&provider));
    drop(provider);
    assert_eq!(memory.span_count(), 2, "and ends it");

    let (pipeline, provider, memory) = errors();
    let span = failed(&provider);
    drop(provider);
    drop(span);
    pipeline.flush(LONG).unwrap();
    assert_eq!(memory.span_count(), 1, "a span keeps its provider");
    assert_balanced(&pipeline);
}

#[test]
fn a_shutdown_from_two_sides_accounts_for_every_span() {
    let (pipeline, provider, memory) = errors();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let tracer = provider.tracer("suite");
                while !is_over.load(Ordering::Relaxed) {
                    let context = Context::current_with_span(failed(&provider));
                    let child = tracer.start_with_context("child", &context);
                    drop(context);
                    drop(child);
                }
            });
        }
        let one = scope.spawn(|| provider.shutdown());
        let _ = (pipeline.shutdown(LONG), one.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
    });
    assert_balanced(&pipeline);
    assert_eq!(pipeline.stats().exported, memory.span_count() as u64);
}

#[test]
fn times_that_cannot_be_true_cost_nothing_but_themselves() {
    let (pipeline, provider, memory) = errors();
    let (before, after) = (UNIX_EPOCH - Duration::from_secs(1 << 33), Duration::from_secs(1 << 40));
    let after = UNIX_EPOCH + after;
    let tracer = provider.tracer("suite");
    for (start, end) in [(after, before), (before, after), (after, after), (before, before)] {
        let mut span = tracer.span_builder("failed").with_start_time(start).start(&tracer);
        span.set_status(Status::error("it broke"));
        span.add_event_with_timestamp("said", before, Vec::new());
        span.end_with_timestamp(end);
    }
    provider.force_flush().unwrap();
    assert_eq!(memory.span_count(), 4);
    assert_balanced(&pipeline);
}

#[test]
fn all_text_of_a_span_counts_for_the_memory_of_its_trace() {
    let places: [fn(&mut Span, String); 5] = [
        |span, text| span.update_name(text),
        |span, text| span.set_status(Status::error(text)),
        |span, text| span.set_attribute(KeyValue::new("key", text)),
        |span, text| span.set_attribute(KeyValue::new(text, 1)),
        |span, text| span.add_event(text, Vec::new()),
    ];
    // Else each text is cut to less than the trace may have.
    let uncut = Limits::default().with_text_bytes(u32::MAX).with_value_bytes(u32::MAX);
    let limits = RecordLimits::default().with_bytes_per_trace(1024 * 1024).with_span(uncut);
    let pipeline = Pipeline::builder("suite")
        .with_tail(TailSampler::new().keep(Errors))
        .with_limits(limits)
        .with_exporter(InMemoryExporter::new())
        .start()
        .unwrap();
    let provider = provider(&pipeline);
    for (place, write) in (1..).zip(places) {
        let mut span = failed(&provider);
        write(&mut span, "x".repeat(4 * 1024 * 1024));
        span.end();
        assert_eq!(pipeline.stats().dropped_by(Reason::BytesPerTrace), place);
    }
    assert_balanced(&pipeline);
}

#[test]
fn a_pipeline_that_records_nothing_records_no_spans_of_the_sdk() {
    let pipeline = Pipeline::builder("suite").with_recording(false).start().unwrap();
    let head = provider(&pipeline);
    assert!(!failed(&head).is_recording());
    // A sampler of the SDK's knows of nothing.
    let tail = TailSpanProcessor::new(&pipeline);
    drop(failed(&SdkTracerProvider::builder().with_span_processor(tail).build()));
    let stats = pipeline.stats();
    assert_eq!((stats.started, stats.sampled_out), (2, 2), "{stats}");
}

#[test]
fn a_span_may_end_with_its_thread() {
    thread_local! {
        static HELD: RefCell<Option<Span>> = const { RefCell::new(None) };
    }
    let (pipeline, provider, memory) = errors();
    let span = failed(&provider);
    thread::spawn(|| HELD.set(Some(span))).join().unwrap();
    provider.force_flush().unwrap();
    assert_eq!(memory.span_count(), 1);
    assert_balanced(&pipeline);
}

#[test]
fn a_flush_and_a_shutdown_may_be_waited_for_on_the_only_thread_of_a_runtime() {
    block_on(async {
        let (_, provider, memory) = errors();
        drop(failed(&provider));
        provider.force_flush().unwrap();
        assert_eq!(memory.span_count(), 1);
        provider.shutdown().unwrap();
    });
}
