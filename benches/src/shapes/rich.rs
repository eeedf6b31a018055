//! A root and its children, each with five tags (three short texts, a number, a flag) and a log entry.
//!
//! Texts belong to a request, as in a program; a library that wants to own them copies them. Where a
//! library has a way to say several tags at once, it is used.

use fastrace::prelude::{LocalSpan, SpanContext};
use fastrace::{Event, Span};
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use std::borrow::Cow;
use tailtrace::{LogLevel, SpanGuard, Tracer};
use tracing::span::EnteredSpan;
use tracing::{info, info_span};

/// What the tags tell.
pub struct Request {
    method: String,
    route: String,
    host: String,
    order: i64,
    is_cached: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            route: "/orders/{id}".to_owned(),
            host: "shop.example".to_owned(),
            order: 4711,
            is_cached: true,
        }
    }
}

pub fn tailtrace(tracer: &Tracer, request: &Request, spans: usize) {
    let root = tracer.start_span("root");
    describe(&root, request);
    for _ in 1..spans {
        describe(&root.child("step"), request);
    }
}

pub(super) fn describe(span: &SpanGuard, request: &Request) {
    span.set_tag("http.request.method", &request.method);
    span.set_tag("http.route", &request.route);
    span.set_tag("server.address", &request.host);
    span.set_tag("order.id", request.order);
    span.set_tag("cache.hit", request.is_cached);
    span.log(LogLevel::Info, "query done");
}

fn properties(request: &Request) -> [(&'static str, Cow<'static, str>); 5] {
    [
        ("http.request.method", request.method.clone().into()),
        ("http.route", request.route.clone().into()),
        ("server.address", request.host.clone().into()),
        ("order.id", request.order.to_string().into()),
        ("cache.hit", if request.is_cached { "true" } else { "false" }.into()),
    ]
}

pub fn fastrace(root: SpanContext, request: &Request, spans: usize) -> Span {
    let root = describe_fastrace(Span::root("root", root), request);
    for _ in 1..spans {
        drop(describe_fastrace(Span::enter_with_parent("step", &root), request));
    }
    root
}

pub(super) fn describe_fastrace(span: Span, request: &Request) -> Span {
    let span = span.with_properties(|| properties(request));
    span.add_event(Event::new("query done"));
    span
}

pub fn fastrace_local(root: SpanContext, request: &Request, spans: usize) -> Span {
    let root = Span::root("root", root).with_properties(|| properties(request));
    root.add_event(Event::new("query done"));
    let guard = root.set_local_parent();
    for _ in 1..spans {
        let _span =
            LocalSpan::enter_with_local_parent("step").with_properties(|| properties(request));
        LocalSpan::add_event(Event::new("query done"));
    }
    drop(guard);
    root
}

pub fn opentelemetry(tracer: &SdkTracer, request: &Request, spans: usize) {
    let mut root = tracer.start_with_context("root", &Context::new());
    describe_opentelemetry(&mut root, request);
    let parent = Context::new().with_span(root);
    for _ in 1..spans {
        describe_opentelemetry(&mut tracer.start_with_context("step", &parent), request);
    }
}

pub(super) fn describe_opentelemetry(span: &mut opentelemetry_sdk::trace::Span, request: &Request) {
    span.set_attributes([
        KeyValue::new("http.request.method", request.method.clone()),
        KeyValue::new("http.route", request.route.clone()),
        KeyValue::new("server.address", request.host.clone()),
        KeyValue::new("order.id", request.order),
        KeyValue::new("cache.hit", request.is_cached),
    ]);
    span.add_event("query done", Vec::new());
}

/// With the macros of `tracing`; one of the texts is formatted, as `%` asks for.
pub fn tracing(request: &Request, spans: usize) {
    let _root = step(request);
    for _ in 1..spans {
        drop(step(request));
    }
}

/// The same, each span the only child of the one before.
pub fn tracing_deep(request: &Request, spans: usize) {
    if spans > 0 {
        let _step = step(request);
        tracing_deep(request, spans - 1);
    }
}

fn step(request: &Request) -> EnteredSpan {
    let step = info_span!(
        "step",
        http.request.method = request.method,
        http.route = request.route,
        server.address = %request.host,
        order.id = request.order,
        cache.hit = request.is_cached,
    );
    let step = step.entered();
    info!("query done");
    step
}

/// The same below `parent`, whatever the thread is in; `None` makes a root.
pub(super) fn span(parent: Option<tracing::span::Id>, request: &Request) -> tracing::Span {
    let step = info_span!(
        parent: parent,
        "step",
        http.request.method = request.method,
        http.route = request.route,
        server.address = %request.host,
        order.id = request.order,
        cache.hit = request.is_cached,
    );
    step.in_scope(|| info!("query done"));
    step
}
