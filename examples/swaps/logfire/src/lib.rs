//! A shop under logfire, which makes the provider and takes processors: nothing here is swapped.

use std::time::Duration;

use logfire::config::{LogfireConfigBuilder, SendToLogfire};
use opentelemetry::trace::{Span as _, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tracing::{field::Empty, info_span};

#[path = "../../shared/tree.rs"]
mod tree;
pub use tree::tree;

/// What the shop asks of logfire.
pub fn logfire() -> LogfireConfigBuilder {
    logfire::configure()
        .send_to_logfire(SendToLogfire::No)
        .with_service_name("shop")
        .with_console(None)
        .with_additional_span_processor(Tenant)
}

/// A processor of the shop's own, as logfire's are: it adds to local roots when they start.
#[derive(Debug)]
struct Tenant;

impl SpanProcessor for Tenant {
    fn on_start(&self, span: &mut Span, parent: &Context) {
        if !parent.has_active_span() {
            span.set_attribute(KeyValue::new("tenant", "acme"));
        }
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Takes an order, and one that fails. logfire sends events as log records, so it is the span that says so.
pub fn visit() {
    info_span!("visit").in_scope(|| {
        for id in [7, 13] {
            logfire::span!("order {id}", id = id).in_scope(|| charge(id));
        }
    });
}

fn charge(id: i64) {
    let charge = info_span!("charge", otel.status_code = Empty);
    let _entered = charge.enter();
    if id == 13 {
        logfire::error!("card declined");
        charge.record("otel.status_code", "ERROR");
    }
}
