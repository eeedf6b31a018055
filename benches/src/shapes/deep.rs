//! Bare spans, each the only child of the one before; they end from the inside out.

use fastrace::Span;
use fastrace::prelude::{LocalSpan, SpanContext};
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;
use tailtrace::{SpanGuard, Tracer};
use tracing::info_span;

pub fn tailtrace(tracer: &Tracer, spans: usize) {
    fn below(parent: &SpanGuard, spans: usize) {
        if spans > 0 {
            below(&parent.child("step"), spans - 1);
        }
    }
    below(&tracer.start_span("root"), spans - 1);
}

pub fn fastrace(root: SpanContext, spans: usize) -> Span {
    fn below(parent: &Span, spans: usize) {
        if spans > 0 {
            below(&Span::enter_with_parent("step", parent), spans - 1);
        }
    }
    let root = Span::root("root", root);
    below(&root, spans - 1);
    root
}

pub fn fastrace_local(root: SpanContext, spans: usize) -> Span {
    fn below(spans: usize) {
        if spans > 0 {
            let _span = LocalSpan::enter_with_local_parent("step");
            below(spans - 1);
        }
    }
    let root = Span::root("root", root);
    let guard = root.set_local_parent();
    below(spans - 1);
    drop(guard);
    root
}

pub fn opentelemetry(tracer: &SdkTracer, spans: usize) {
    fn below(tracer: &SdkTracer, parent: &Context, spans: usize) {
        if spans > 0 {
            let span = tracer.start_with_context("step", parent);
            below(tracer, &parent.with_span(span), spans - 1);
        }
    }
    let root = tracer.start_with_context("root", &Context::new());
    below(tracer, &Context::new().with_span(root), spans - 1);
}

pub fn tracing(spans: usize) {
    fn below(spans: usize) {
        if spans > 0 {
            let _step = info_span!("step").entered();
            below(spans - 1);
        }
    }
    let _root = info_span!("root").entered();
    below(spans - 1);
}
