//! A shop that logs, and whose logs are sent by OpenTelemetry's bridge: nothing here is swapped.

use std::fmt::Write as _;

use opentelemetry::logs::AnyValue;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::SpanData;
use tracing::{error, info, instrument};

#[path = "../../shared/tree.rs"]
mod tree;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The bridge, which gives the current trace to each record.
pub fn bridge(
    records: &InMemoryLogExporter,
) -> OpenTelemetryTracingBridge<SdkLoggerProvider, SdkLogger> {
    let logs = SdkLoggerProvider::builder().with_simple_exporter(records.clone()).build();
    OpenTelemetryTracingBridge::new(&logs)
}

#[instrument]
pub fn order(id: u32) {
    info!("taken");
    charge();
}

#[instrument]
fn charge() {
    error!("card declined");
}

/// The spans, and the span of each record.
pub fn told(spans: &[SpanData], records: &InMemoryLogExporter) -> Result<String> {
    let mut text = tree::tree(spans);
    for log in records.get_emitted_logs()? {
        let Some(AnyValue::String(body)) = log.record.body() else { continue };
        let ids = log.record.trace_context().map(|ids| (ids.trace_id, ids.span_id));
        let span = spans.iter().find(|span| {
            Some((span.span_context.trace_id(), span.span_context.span_id())) == ids
        });
        let span = span.map_or("no span", |span| &span.name);
        writeln!(text, "{body} in {span}")?;
    }
    Ok(text)
}
