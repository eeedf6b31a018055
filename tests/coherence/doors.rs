//! Spans of `tracing` and of OpenTelemetry's SDK take part as those of the native tracer do.

use tailtrace::TraceId;
use tailtrace::coherence::MemoryBus;

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
    takes_part(|service, id| drop(service.root("part", id)));
}

#[test]
#[cfg(feature = "layer")]
fn the_layer_takes_part() {
    use tailtrace::{SpanId, TraceContext, TraceSpanExt};
    use tracing_subscriber::layer::SubscriberExt;

    takes_part(|service, id| {
        let subscriber = tracing_subscriber::registry().with(service.pipeline.layer());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("part");
            let _ = span.set_parent(TraceContext::new(id, SpanId::new()).remote());
            span.in_scope(|| {});
        });
    });
}

#[test]
#[cfg(feature = "otel")]
fn the_span_processor_takes_part() {
    use std::cell::RefCell;

    use opentelemetry::trace::{
        Span as _, SpanContext, TraceContextExt, TraceFlags, TraceState, Tracer as _,
        TracerProvider as _,
    };
    use opentelemetry::{Context, trace};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tailtrace::otel::{HeadSampler, TailSpanProcessor};

    // A provider that goes ends its pipeline.
    let providers = RefCell::new(Vec::new());
    takes_part(|service, id| {
        let provider = SdkTracerProvider::builder()
            .with_sampler(HeadSampler::new(&service.pipeline))
            .with_span_processor(TailSpanProcessor::new(&service.pipeline))
            .build();
        let caller = SpanContext::new(
            trace::TraceId::from_bytes(id.to_bits().to_be_bytes()),
            trace::SpanId::from(7),
            TraceFlags::default(),
            true,
            TraceState::default(),
        );
        let context = Context::new().with_remote_span_context(caller);
        provider.tracer("shop").start_with_context("part", &context).end();
        providers.borrow_mut().push(provider);
    });
}
