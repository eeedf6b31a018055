//! Our head and our tail behind `tracing-opentelemetry` of the newest line. The crates of older lines run
//! the same test.

#[path = "../../shared/tests/tracing_opentelemetry.rs"]
mod tracing_opentelemetry;

use tailtrace::otel as adapter;

/// Providers as the newest line has them.
mod suite {
    pub(crate) mod release_line {
        use opentelemetry_sdk::Resource;
        use opentelemetry_sdk::error::OTelSdkResult;
        use opentelemetry_sdk::trace::{SdkTracerProvider, ShouldSample, SpanProcessor};

        pub(crate) fn provider_of(
            service: &'static str,
            sampler: impl ShouldSample + 'static,
            processor: impl SpanProcessor + 'static,
        ) -> SdkTracerProvider {
            SdkTracerProvider::builder()
                .with_sampler(sampler)
                .with_span_processor(processor)
                .with_resource(Resource::builder_empty().with_service_name(service).build())
                .build()
        }

        pub(crate) fn flush(provider: &SdkTracerProvider) -> OTelSdkResult {
            provider.force_flush()
        }
    }
}
