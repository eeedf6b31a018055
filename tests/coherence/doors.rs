//! Spans of `tracing` and of OpenTelemetry's SDK take part as those of the native tracer do.
//!
//! A trace that runs and is known to be kept tells whom it calls from then on, whoever made its spans.

use std::collections::HashMap;

use tailtrace::coherence::MemoryBus;
use tailtrace::{TraceContext, TraceId};

use crate::parts;
use crate::world::{Service, meet};

/// A service hears that another kept a trace, of which it has a part in the ring, and one that comes later.
fn takes_part(part: impl Fn(&Service, TraceId)) {
    let bus = MemoryBus::new();
    let shop = Service::start("shop", &bus);
    let bank = Service::start("bank", &bus);
    meet(&[&shop, &bank]);
    let id = TraceId::new();
    part(&shop, id);
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.kept_from_ring > before.kept_from_ring);
    part(&shop, id);
    assert_eq!(shop.exported(), [["part"], ["part"]]);
    assert!(shop.memory.traces().iter().all(|trace| trace.kept_by() == "Errors of bank"));
    assert_eq!(shop.stats().kept_when_they_came, before.kept_when_they_came + 1);
}

#[test]
fn the_native_tracer_takes_part() {
    takes_part(parts::native);
}

#[test]
#[cfg(feature = "layer")]
fn the_layer_takes_part() {
    takes_part(parts::layer);
}

#[test]
#[cfg(feature = "otel")]
fn the_span_processor_takes_part() {
    let providers = parts::sdk::Providers::default();
    takes_part(|service, id| providers.part(service, id));
}

/// A service with a running trace hears that another kept it: what `call` tells a callee before and after that.
fn hints(begin: impl FnOnce(&Service, TraceId, &mut dyn FnMut())) {
    let bus = MemoryBus::new();
    let (shop, bank) = (Service::start("shop", &bus), Service::start("bank", &bus));
    meet(&[&shop, &bank]);
    let id = TraceId::new();
    begin(&shop, id, &mut || {
        let before = shop.stats();
        bank.keep(id);
        shop.wait(|now| now.kept_while_running > before.kept_while_running);
    });
}

/// The sampled flag of a `traceparent`.
fn is_sampled(headers: &HashMap<String, String>) -> bool {
    headers["traceparent"].ends_with("-01") || headers["traceparent"].ends_with("-03")
}

#[test]
fn a_native_span_tells_whom_it_calls_that_its_trace_is_kept() {
    hints(|service, id, hear| {
        let running = service.root("running", id);
        // As a task that was handed the context does.
        let handed_on = running.context();
        let call = |context: &TraceContext| {
            let mut headers = HashMap::new();
            service.pipeline.tracer().inject_context(context, &mut headers);
            is_sampled(&headers)
        };
        assert!(!call(&running.context()) && !call(&handed_on));
        hear();
        assert!(call(&running.context()) && call(&handed_on));
        assert!(!call(&handed_on.remote()), "that is the word of a caller");
    });
}

#[test]
#[cfg(feature = "layer")]
fn a_span_of_the_layer_tells_whom_it_calls_that_its_trace_is_kept() {
    use tailtrace::{SpanId, TraceSpanExt};
    use tracing_subscriber::layer::SubscriberExt;

    hints(|service, id, hear| {
        let subscriber = tracing_subscriber::registry().with(service.pipeline.layer());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("running");
            let _ = span.set_parent(TraceContext::new(id, SpanId::new()).remote());
            let _entered = span.enter();
            let is_sampled = || span.context().is_some_and(|context| context.is_sampled());
            assert!(!is_sampled());
            hear();
            assert!(is_sampled());
        });
    });
}

#[test]
#[cfg(feature = "otel")]
fn spans_of_the_sdk_tell_whom_they_call_that_their_trace_is_kept() {
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::{TraceContextExt, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::propagation::TraceContextPropagator;

    hints(|service, id, hear| {
        let provider = parts::sdk::provider(service);
        let tracer = provider.tracer("shop");
        let running = tracer.start_with_context("running", &parts::sdk::called(id));
        let running = parts::sdk::called(id).with_span(running);
        // As instrumented clients do: a span of its own for the call.
        let call = || {
            let call = running.with_span(tracer.start_with_context("call", &running));
            let mut headers = HashMap::new();
            TraceContextPropagator::new().inject_context(&call, &mut headers);
            (is_sampled(&headers), headers["tracestate"].contains("th:"))
        };
        assert_eq!(call(), (false, false));
        hear();
        // How likely that was is not known.
        assert_eq!(call(), (true, false));
    });
}

#[test]
#[cfg(feature = "otel")]
fn a_propagator_that_knows_the_pipeline_tells_for_a_span_that_was_there_before() {
    use opentelemetry::trace::{TraceContextExt, Tracer as _, TracerProvider as _};

    propagator_hints(|service, called| {
        let provider = parts::sdk::provider(service);
        called.with_span(provider.tracer("shop").start_with_context("running", called))
    });
    propagator_hints(|service, called| {
        let provider = tailtrace::otel::TracerProvider::new(&service.pipeline);
        called.with_span(provider.tracer("shop").start_with_context("running", called))
    });
}

#[test]
#[cfg(all(feature = "layer", feature = "otel"))]
fn a_propagator_that_knows_the_pipeline_tells_for_a_span_that_was_entered_before() {
    use tailtrace::otel::share_context;
    use tailtrace::{SpanId, TraceSpanExt};
    use tracing_subscriber::layer::SubscriberExt;

    hints(|service, id, hear| {
        share_context(&service.pipeline);
        let subscriber = tracing_subscriber::registry().with(service.pipeline.layer());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("running");
            let _ = span.set_parent(TraceContext::new(id, SpanId::new()).remote());
            let _entered = span.enter();
            tells_from_then_on(service, &opentelemetry::Context::current(), hear);
        });
    });
}

#[cfg(feature = "otel")]
fn propagator_hints(
    begin: impl FnOnce(&Service, &opentelemetry::Context) -> opentelemetry::Context,
) {
    hints(|service, id, hear| {
        let running = begin(service, &parts::sdk::called(id));
        tells_from_then_on(service, &running, hear);
    });
}

/// A propagator that knows the pipeline tells whom the running span calls, once it did `hear` that its trace is kept.
#[cfg(feature = "otel")]
fn tells_from_then_on(service: &Service, running: &opentelemetry::Context, hear: &mut dyn FnMut()) {
    use opentelemetry::propagation::TextMapPropagator;
    use tailtrace::otel::Propagator;

    let call = |propagator: Propagator| {
        let mut headers = HashMap::new();
        propagator.inject_context(running, &mut headers);
        is_sampled(&headers)
    };
    let knowing = || Propagator::default().with_hints_of(&service.pipeline);
    assert!(!call(knowing()));
    hear();
    assert!(call(knowing()) && !call(Propagator::default()));
}
