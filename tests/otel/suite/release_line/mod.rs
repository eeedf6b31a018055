//! What differs between the release lines of OpenTelemetry, as the tests need it.

mod exporter;

use std::time::Duration;

#[cfg(before_0_27)]
pub(crate) use opentelemetry::InstrumentationLibrary as Scope;
#[cfg(not(before_0_27))]
pub(crate) use opentelemetry::InstrumentationScope as Scope;
use opentelemetry::baggage::BaggageExt;
#[cfg(before_0_28)]
pub(crate) use opentelemetry::trace::TraceError as SdkError;
#[cfg(before_0_32)]
pub(crate) use opentelemetry::trace::{
    SamplingDecision as SdkSamplingDecision, SamplingResult as SdkSamplingResult,
};
use opentelemetry::{Context, Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
#[cfg(not(before_0_28))]
pub(crate) use opentelemetry_sdk::error::OTelSdkError as SdkError;
#[cfg(before_0_28)]
pub(crate) use opentelemetry_sdk::export::trace::{SpanData, SpanExporter};
#[cfg(not(before_0_28))]
use opentelemetry_sdk::trace::TracerProviderBuilder as Builder;
#[cfg(before_0_28)]
pub(crate) use opentelemetry_sdk::trace::{Builder, TracerProvider as SdkTracerProvider};
#[cfg(not(before_0_32))]
pub(crate) use opentelemetry_sdk::trace::{
    SamplingDecision as SdkSamplingDecision, SamplingResult as SdkSamplingResult,
};
#[cfg(not(before_0_28))]
pub(crate) use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use opentelemetry_sdk::trace::{ShouldSample, SpanProcessor};

use super::support::block_on;
pub(crate) use exporter::{LineExporter, TestExporter};

pub(crate) type SdkResult = Result<(), SdkError>;

// Errors.

#[cfg(before_0_28)]
pub(crate) fn failed(message: &str) -> SdkError {
    SdkError::from(message.to_owned())
}

#[cfg(not(before_0_28))]
pub(crate) fn failed(message: &str) -> SdkError {
    SdkError::InternalFailure(message.to_owned())
}

#[cfg(before_0_28)]
pub(crate) fn timed_out(limit: Duration) -> SdkError {
    SdkError::ExportTimedOut(limit)
}

#[cfg(not(before_0_28))]
pub(crate) fn timed_out(limit: Duration) -> SdkError {
    SdkError::Timeout(limit)
}

#[cfg(before_0_27)]
pub(crate) fn already_shut_down() -> SdkError {
    failed("already shut down")
}

#[cfg(all(before_0_28, not(before_0_27)))]
pub(crate) fn already_shut_down() -> SdkError {
    SdkError::TracerProviderAlreadyShutdown
}

#[cfg(not(before_0_28))]
pub(crate) fn already_shut_down() -> SdkError {
    SdkError::AlreadyShutdown
}

// Resources and scopes.

#[cfg(before_0_28)]
pub(crate) fn resource(attributes: Vec<KeyValue>) -> Resource {
    Resource::new(attributes)
}

#[cfg(not(before_0_28))]
pub(crate) fn resource(attributes: Vec<KeyValue>) -> Resource {
    Resource::builder_empty().with_attributes(attributes).build()
}

#[cfg(before_0_28)]
pub(crate) fn attribute_of(resource: &Resource, key: &'static str) -> Option<Value> {
    resource.get(Key::new(key))
}

#[cfg(not(before_0_28))]
pub(crate) fn attribute_of(resource: &Resource, key: &'static str) -> Option<Value> {
    resource.get(&Key::new(key))
}

#[cfg(before_0_27)]
pub(crate) fn set_scope(span: &mut SpanData, scope: Scope) {
    span.instrumentation_lib = scope;
}

#[cfg(not(before_0_27))]
pub(crate) fn set_scope(span: &mut SpanData, scope: Scope) {
    span.instrumentation_scope = scope;
}

#[cfg(before_0_27)]
pub(crate) fn scope_name(span: &SpanData) -> &str {
    &span.instrumentation_lib.name
}

#[cfg(not(before_0_27))]
pub(crate) fn scope_name(span: &SpanData) -> &str {
    span.instrumentation_scope.name()
}

#[cfg(before_0_31)]
pub(crate) fn set_parent_remote(_: &mut SpanData, _: bool) {}

#[cfg(not(before_0_31))]
pub(crate) fn set_parent_remote(span: &mut SpanData, is_remote: bool) {
    span.parent_span_is_remote = is_remote;
}

// Providers.

/// A builder with everything that the tests set.
#[cfg(before_0_27)]
pub(crate) fn builder(sampler: impl ShouldSample + 'static, of: Resource) -> Builder {
    let config = opentelemetry_sdk::trace::Config::default();
    SdkTracerProvider::builder().with_config(config.with_sampler(sampler).with_resource(of))
}

#[cfg(not(before_0_27))]
pub(crate) fn builder(sampler: impl ShouldSample + 'static, of: Resource) -> Builder {
    SdkTracerProvider::builder().with_sampler(sampler).with_resource(of)
}

/// A provider of a service.
pub(crate) fn provider_of(
    service: &'static str,
    sampler: impl ShouldSample + 'static,
    processor: impl SpanProcessor + 'static,
) -> SdkTracerProvider {
    let of = resource(vec![KeyValue::new("service.name", service)]);
    builder(sampler, of).with_span_processor(processor).build()
}

#[cfg(before_0_28)]
pub(crate) fn flush(provider: &SdkTracerProvider) -> SdkResult {
    provider.force_flush().into_iter().collect()
}

#[cfg(not(before_0_28))]
pub(crate) fn flush(provider: &SdkTracerProvider) -> SdkResult {
    provider.force_flush()
}

/// Ends a provider. The oldest lines do so when the last handle is gone, and tell nothing.
#[cfg(before_0_24)]
pub(crate) fn shut_down(provider: SdkTracerProvider) -> SdkResult {
    drop(provider);
    Ok(())
}

#[cfg(not(before_0_24))]
pub(crate) fn shut_down(provider: SdkTracerProvider) -> SdkResult {
    provider.shutdown()
}

/// Shuts a processor down within a time, if the line has one.
#[cfg(before_0_24)]
pub(crate) fn end_processor(processor: &mut impl SpanProcessor, _: Duration) -> SdkResult {
    processor.shutdown()
}

#[cfg(all(before_0_30, not(before_0_24)))]
pub(crate) fn end_processor(processor: &mut impl SpanProcessor, _: Duration) -> SdkResult {
    processor.shutdown()
}

#[cfg(not(before_0_30))]
pub(crate) fn end_processor(processor: &mut impl SpanProcessor, limit: Duration) -> SdkResult {
    processor.shutdown_with_timeout(limit)
}

pub(crate) fn flush_processor(processor: &impl SpanProcessor) -> SdkResult {
    processor.force_flush()
}

/// What a shutdown takes that is given this time.
#[cfg(before_0_30)]
pub(crate) fn shutdown_limit(_: Duration) -> Duration {
    Duration::from_secs(5)
}

#[cfg(not(before_0_30))]
pub(crate) fn shutdown_limit(limit: Duration) -> Duration {
    limit
}

#[cfg(before_0_28)]
pub(crate) fn with_batch(builder: Builder, exporter: impl SpanExporter + 'static) -> Builder {
    builder.with_batch_exporter(exporter, opentelemetry_sdk::runtime::Tokio)
}

#[cfg(not(before_0_28))]
pub(crate) fn with_batch(builder: Builder, exporter: impl SpanExporter + 'static) -> Builder {
    builder.with_batch_exporter(exporter)
}

/// Where a batch processor can be made.
#[cfg(before_0_28)]
pub(crate) fn where_batches_run(test: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    test();
}

#[cfg(not(before_0_28))]
pub(crate) fn where_batches_run(test: impl FnOnce()) {
    test();
}

#[cfg(before_0_32)]
pub(crate) fn boxed(sampler: opentelemetry_sdk::trace::Sampler) -> impl ShouldSample {
    sampler
}

#[cfg(not(before_0_32))]
pub(crate) fn boxed(sampler: opentelemetry_sdk::trace::Sampler) -> Box<dyn ShouldSample> {
    sampler.into()
}

// Carriers and baggage.

/// What a carrier can hold of these lines: older ones hand over one of each name.
#[cfg(before_0_31)]
pub(crate) fn carried<'a>(lines: Vec<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    let mut names = std::collections::HashSet::new();
    lines.into_iter().filter(|(name, _)| names.insert(name.to_lowercase())).collect()
}

#[cfg(not(before_0_31))]
pub(crate) fn carried<'a>(lines: Vec<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    lines
}

/// The context with this baggage and no other; some lines add it to what is there, and fail to clear it.
#[cfg(before_0_29)]
pub(crate) fn with_baggage<const N: usize>(context: &Context, members: [KeyValue; N]) -> Context {
    context.with_cleared_baggage().with_baggage(members)
}

#[cfg(not(before_0_29))]
pub(crate) fn with_baggage<const N: usize>(context: &Context, members: [KeyValue; N]) -> Context {
    context.with_baggage(members)
}

// Exporters.

pub(crate) fn export(exporter: &mut impl SpanExporter, batch: Vec<SpanData>) -> SdkResult {
    block_on(exporter.export(batch))
}

#[cfg(before_0_28)]
pub(crate) fn flush_exporter(exporter: &mut impl SpanExporter) -> SdkResult {
    block_on(exporter.force_flush())
}

#[cfg(not(before_0_28))]
pub(crate) fn flush_exporter(exporter: &mut impl SpanExporter) -> SdkResult {
    exporter.force_flush()
}

/// Ends an exporter, which tells what came of it, if the line lets it.
#[cfg(before_0_28)]
pub(crate) fn end_exporter(exporter: &mut impl SpanExporter, _: Duration) -> Option<SdkResult> {
    exporter.shutdown();
    None
}

#[cfg(all(before_0_30, not(before_0_28)))]
pub(crate) fn end_exporter(exporter: &mut impl SpanExporter, _: Duration) -> Option<SdkResult> {
    Some(exporter.shutdown())
}

#[cfg(not(before_0_30))]
pub(crate) fn end_exporter(exporter: &mut impl SpanExporter, limit: Duration) -> Option<SdkResult> {
    Some(exporter.shutdown_with_timeout(limit))
}
