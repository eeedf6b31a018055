//! A part of a trace, made by each of the ways in: a local root called `part`, whose caller did not sample.

use tailtrace::TraceId;

use crate::world::Service;

pub(crate) fn native(service: &Service, id: TraceId) {
    drop(service.root("part", id));
}

#[cfg(feature = "layer")]
pub(crate) fn layer(service: &Service, id: TraceId) {
    use tailtrace::{SpanId, TraceContext, TraceSpanExt};
    use tracing_subscriber::layer::SubscriberExt;

    let subscriber = tracing_subscriber::registry().with(service.pipeline.layer());
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("part");
        let _ = span.set_parent(TraceContext::new(id, SpanId::new()).remote());
        span.in_scope(|| {});
    });
}

/// OpenTelemetry's SDK in front of a pipeline.
#[cfg(feature = "otel")]
pub(crate) mod sdk {
    use std::cell::RefCell;

    use opentelemetry::Context;
    use opentelemetry::trace::{
        self, Span as _, SpanContext, TraceContextExt, TraceFlags, TraceState, Tracer as _,
        TracerProvider as _,
    };
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tailtrace::TraceId;
    use tailtrace::otel::{HeadSampler, TailSpanProcessor};

    use crate::world::Service;

    /// Providers that stay: one that goes ends its pipeline.
    #[derive(Default)]
    pub(crate) struct Providers(RefCell<Vec<SdkTracerProvider>>);

    impl Providers {
        pub(crate) fn part(&self, service: &Service, id: TraceId) {
            let provider = provider(service);
            provider.tracer("shop").start_with_context("part", &called(id)).end();
            self.0.borrow_mut().push(provider);
        }
    }
    pub(crate) fn provider(service: &Service) -> SdkTracerProvider {
        SdkTracerProvider::builder()
            .with_sampler(HeadSampler::new(&service.pipeline))
            .with_span_processor(TailSpanProcessor::new(&service.pipeline))
            .build()
    }

    /// What a caller sent that did not sample.
    pub(crate) fn called(id: TraceId) -> Context {
        let caller = SpanContext::new(
            trace::TraceId::from_bytes(id.to_bits().to_be_bytes()),
            trace::SpanId::from(7),
            TraceFlags::default(),
            true,
            TraceState::default(),
        );
        Context::new().with_remote_span_context(caller)
    }
}
