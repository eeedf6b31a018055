//! Our propagators through OpenTelemetry's interface. The marks in comments are those of the checklist
//! of W3C's, B3's and Jaeger's rules.

mod baggage;
mod formats;
mod round_trip;
mod trace_context;

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::ShouldSample;

use super::release_line;
use crate::adapter::Propagator;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Header lines in their order, names in any case.
struct Lines<'a>(&'a [(&'a str, &'a str)]);

impl Lines<'_> {
    fn lines(&self, key: &str) -> Vec<&str> {
        let lines = self.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        lines.map(|(_, value)| *value).collect()
    }
}

impl Extractor for Lines<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.lines(key).first().copied()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    #[cfg(not(before_0_31))]
    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let lines = self.lines(key);
        if lines.is_empty() { None } else { Some(lines) }
    }
}

fn extract(lines: &[(&str, &str)]) -> Context {
    Propagator::default().extract_with_context(&Context::new(), &Lines(lines))
}

fn inject(context: &Context) -> HashMap<String, String> {
    inject_as(&Propagator::default(), context)
}

fn inject_as(propagator: &Propagator, context: &Context) -> HashMap<String, String> {
    let mut headers = HashMap::new();
    propagator.inject_context(context, &mut headers);
    headers
}

/// The context of a span that the SDK starts below another.
fn child(sampler: impl ShouldSample + 'static, parent: &Context) -> Context {
    let provider = release_line::builder(sampler, release_line::resource(Vec::new())).build();
    parent.with_span(provider.tracer("app").start_with_context("child", parent))
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

fn has_span(context: &Context) -> bool {
    context.span().span_context().is_valid()
}
