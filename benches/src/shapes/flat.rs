//! A root and its bare children, one after the other.

use fastrace::Span;
use fastrace::prelude::{LocalSpan, SpanContext};
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;
use tailtrace::{SpanGuard, Tracer};
use tracing::info_span;

pub fn tailtrace(tracer: &Tracer, spans: usize) {
    let root = tracer.start_span("root");
    for _ in 1..spans {
        drop(root.child("step"));
    }
}

/// The same below a span that goes on.
pub fn below(parent: &SpanGuard, spans: usize) {
    let root = parent.child("root");
    for _ in 1..spans {
        drop(root.child("step"));
    }
}

pub fn fastrace(root: SpanContext, spans: usize) -> Span {
    let root = Span::root("root", root);
    for _ in 1..spans {
        drop(Span::enter_with_parent("step", &root));
    }
    root
}

pub fn fastrace_local(root: SpanContext, spans: usize) -> Span {
    let root = Span::root("root", root);
    let guard = root.set_local_parent();
    for _ in 1..spans {
        drop(LocalSpan::enter_with_local_parent("step"));
    }
    drop(guard);
    root
}

pub fn opentelemetry(tracer: &SdkTracer, spans: usize) {
    let root = tracer.start_with_context("root", &Context::new());
    let parent = Context::new().with_span(root);
    for _ in 1..spans {
        drop(tracer.start_with_context("step", &parent));
    }
}

pub fn tracing(spans: usize) {
    let _root = info_span!("root").entered();
    for _ in 1..spans {
        drop(info_span!("step").entered());
    }
}
