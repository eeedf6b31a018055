//! What differs between the release lines of OpenTelemetry.
//!
//! Where a name has moved, or a call is made in another way, the rest of the folder uses the names of this
//! file. The newest line sets none of the cfgs `before_0_M`.

use std::borrow::Cow;
use std::time::Duration;

#[cfg(not(before_0_29))]
use opentelemetry::StringValue;
#[cfg(before_0_29)]
use opentelemetry::Value;
use opentelemetry::baggage::Baggage;
#[cfg(not(before_0_29))]
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::Extractor;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;

#[cfg(before_0_27)]
pub(super) use opentelemetry::InstrumentationLibrary as Scope;
#[cfg(not(before_0_27))]
pub(super) use opentelemetry::InstrumentationScope as Scope;
#[cfg(before_0_28)]
pub(super) use opentelemetry::trace::TraceError as SdkError;
#[cfg(before_0_32)]
pub(super) use opentelemetry::trace::{
    SamplingDecision as SdkSamplingDecision, SamplingResult as SdkSamplingResult,
};
#[cfg(not(before_0_28))]
pub(super) use opentelemetry_sdk::error::OTelSdkError as SdkError;
#[cfg(before_0_28)]
pub(super) use opentelemetry_sdk::export::trace::{SpanData, SpanExporter};
#[cfg(not(before_0_32))]
pub(super) use opentelemetry_sdk::trace::{
    SamplingDecision as SdkSamplingDecision, SamplingResult as SdkSamplingResult,
};
#[cfg(not(before_0_28))]
pub(super) use opentelemetry_sdk::trace::{SpanData, SpanExporter};

pub(super) type SdkResult = Result<(), SdkError>;

/// How long a shutdown may take where the line gives no time, or 5 ns as 0.30 and 0.31 do.
pub(super) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(before_0_28)]
pub(super) fn timed_out(limit: Duration) -> SdkError {
    SdkError::ExportTimedOut(limit)
}

#[cfg(not(before_0_28))]
pub(super) fn timed_out(limit: Duration) -> SdkError {
    SdkError::Timeout(limit)
}

#[cfg(before_0_27)]
pub(super) fn already_shut_down() -> SdkError {
    failed("already shut down".to_owned())
}

#[cfg(all(before_0_28, not(before_0_27)))]
pub(super) fn already_shut_down() -> SdkError {
    SdkError::TracerProviderAlreadyShutdown
}

#[cfg(not(before_0_28))]
pub(super) fn already_shut_down() -> SdkError {
    SdkError::AlreadyShutdown
}

#[cfg(before_0_28)]
pub(super) fn failed(message: String) -> SdkError {
    SdkError::from(message)
}

#[cfg(not(before_0_28))]
pub(super) fn failed(message: String) -> SdkError {
    SdkError::InternalFailure(message)
}

/// Whether the next call would fail in the same way: an exporter that timed out would only take longer,
/// and one that was shut down stays so.
#[cfg(before_0_27)]
pub(super) fn is_final(error: &SdkError) -> bool {
    matches!(error, SdkError::ExportTimedOut(_))
}

#[cfg(all(before_0_28, not(before_0_27)))]
pub(super) fn is_final(error: &SdkError) -> bool {
    matches!(error, SdkError::ExportTimedOut(_) | SdkError::TracerProviderAlreadyShutdown)
}

#[cfg(not(before_0_28))]
pub(super) fn is_final(error: &SdkError) -> bool {
    matches!(error, SdkError::Timeout(_) | SdkError::AlreadyShutdown)
}

/// Gives an exporter the resource of the next spans.
#[cfg(before_0_24)]
pub(super) fn set_resource<E: SpanExporter>(_: &mut E, _: &Resource) {}

#[cfg(not(before_0_24))]
pub(super) fn set_resource<E: SpanExporter>(exporter: &mut E, resource: &Resource) {
    exporter.set_resource(resource);
}

/// Writes the resource into the spans, on lines whose exporters read it there.
#[cfg(before_0_24)]
pub(super) fn set_span_resources(spans: &mut [SpanData], resource: &Resource) {
    for span in spans {
        span.resource = Cow::Owned(resource.clone());
    }
}

#[cfg(not(before_0_24))]
pub(super) fn set_span_resources(_: &mut [SpanData], _: &Resource) {}

/// The resource that stands in a span; `None` on lines whose spans hold none.
#[cfg(before_0_24)]
pub(super) fn span_resource(span: &SpanData) -> Option<&Resource> {
    Some(&span.resource)
}

#[cfg(not(before_0_24))]
pub(super) fn span_resource(_: &SpanData) -> Option<&Resource> {
    None
}

/// Flushes an exporter.
#[cfg(before_0_28)]
pub(super) async fn flush<E: SpanExporter>(exporter: &mut E) -> SdkResult {
    exporter.force_flush().await
}

#[cfg(not(before_0_28))]
pub(super) async fn flush<E: SpanExporter>(exporter: &mut E) -> SdkResult {
    exporter.force_flush()
}

/// Shuts an exporter down.
#[cfg(before_0_28)]
pub(super) async fn shut_down<E: SpanExporter>(exporter: &mut E) -> SdkResult {
    exporter.shutdown();
    Ok(())
}

#[cfg(all(before_0_30, not(before_0_28)))]
pub(super) async fn shut_down<E: SpanExporter>(exporter: &mut E) -> SdkResult {
    exporter.shutdown()
}

#[cfg(not(before_0_30))]
pub(super) async fn shut_down<E: SpanExporter>(exporter: &mut E) -> SdkResult {
    exporter.shutdown_with_timeout(SHUTDOWN_TIMEOUT)
}

/// The library that made a span.
#[cfg(before_0_27)]
pub(super) fn scope(span: &SpanData) -> &Scope {
    &span.instrumentation_lib
}

#[cfg(not(before_0_27))]
pub(super) fn scope(span: &SpanData) -> &Scope {
    &span.instrumentation_scope
}

/// The library's name, its version and the schema of its attributes.
#[cfg(before_0_27)]
pub(super) fn scope_names(scope: &Scope) -> (&str, Option<&str>, Option<&str>) {
    (&scope.name, scope.version.as_deref(), scope.schema_url.as_deref())
}

#[cfg(not(before_0_27))]
pub(super) fn scope_names(scope: &Scope) -> (&str, Option<&str>, Option<&str>) {
    (scope.name(), scope.version(), scope.schema_url())
}

/// The library's own attributes.
#[cfg(before_0_27)]
pub(super) fn scope_attributes(scope: &Scope) -> impl Iterator<Item = &KeyValue> {
    scope.attributes.iter()
}

#[cfg(not(before_0_27))]
pub(super) fn scope_attributes(scope: &Scope) -> impl Iterator<Item = &KeyValue> {
    scope.attributes()
}

/// A resource of these attributes alone.
#[cfg(before_0_28)]
pub(super) fn resource(attributes: Vec<KeyValue>, schema_url: Option<String>) -> Resource {
    match schema_url {
        Some(url) => Resource::from_schema_url(attributes, url),
        None => Resource::new(attributes),
    }
}

#[cfg(not(before_0_28))]
pub(super) fn resource(attributes: Vec<KeyValue>, schema_url: Option<String>) -> Resource {
    let empty = Resource::builder_empty();
    match schema_url {
        Some(url) => empty.with_schema_url(attributes, url).build(),
        None => empty.with_attributes(attributes).build(),
    }
}

/// Whether the span's parent is in another process, as far as the line tells.
#[cfg(before_0_31)]
pub(super) fn is_parent_remote(_: &SpanData) -> bool {
    false
}

#[cfg(not(before_0_31))]
pub(super) fn is_parent_remote(span: &SpanData) -> bool {
    span.parent_span_is_remote
}

/// Says whether the span's parent is in another process, as far as the line tells.
#[cfg(before_0_31)]
pub(super) fn set_parent_remote(_: &mut SpanData, _: bool) {}

#[cfg(not(before_0_31))]
pub(super) fn set_parent_remote(span: &mut SpanData, is_remote: bool) {
    span.parent_span_is_remote = is_remote;
}

/// A context without a span in which telemetry is suppressed, on lines that have that.
#[cfg(before_0_30)]
pub(super) fn suppressed_context() -> Context {
    Context::new()
}

#[cfg(not(before_0_30))]
pub(super) fn suppressed_context() -> Context {
    Context::new().with_telemetry_suppressed()
}

/// Whether telemetry is suppressed in a context.
#[cfg(before_0_30)]
pub(super) fn is_suppressed(_: &Context) -> bool {
    false
}

#[cfg(not(before_0_30))]
pub(super) fn is_suppressed(context: &Context) -> bool {
    context.is_telemetry_suppressed()
}

/// The lines of a header; older lines of OpenTelemetry know of one.
#[cfg(before_0_31)]
pub(super) fn header_lines<'a>(carrier: &'a dyn Extractor, name: &str) -> Vec<&'a str> {
    carrier.get(name).into_iter().collect()
}

#[cfg(not(before_0_31))]
pub(super) fn header_lines<'a>(carrier: &'a dyn Extractor, name: &str) -> Vec<&'a str> {
    carrier.get_all(name).unwrap_or_default()
}

/// The context with this baggage alone. Older lines would add it to the baggage that is there.
#[cfg(before_0_29)]
pub(super) fn with_baggage(context: &Context, baggage: Baggage) -> Context {
    context.with_value(baggage)
}

#[cfg(not(before_0_29))]
pub(super) fn with_baggage(context: &Context, baggage: Baggage) -> Context {
    context.with_baggage(baggage)
}

/// The text of a baggage member's value; on older lines a value may be of another kind.
#[cfg(before_0_29)]
pub(super) fn baggage_text(value: &Value) -> Cow<'_, str> {
    value.as_str()
}

#[cfg(not(before_0_29))]
pub(super) fn baggage_text(value: &StringValue) -> Cow<'_, str> {
    Cow::Borrowed(value.as_str())
}

/// Whether the baggage has a member of this name.
#[cfg(before_0_24)]
pub(super) fn has_member(baggage: &Baggage, name: &str) -> bool {
    baggage.get(name.to_owned()).is_some()
}

#[cfg(not(before_0_24))]
pub(super) fn has_member(baggage: &Baggage, name: &str) -> bool {
    baggage.get(name).is_some()
}
