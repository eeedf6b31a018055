//! Requests that are served at the same time by tasks of tokio, which hop from thread to thread.
//!
//! Each has a root and nine children; every child waits once, so that whatever runs next may run
//! elsewhere.

use fastrace::future::FutureExt as _;
use fastrace::prelude::SpanContext;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;
use tailtrace::Tracer;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, yield_now};
use tracing::{Instrument, info_span};

/// Spans of one request.
pub const SPANS: usize = 10;

/// A runtime with two workers.
pub fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).build().expect("this machine starts threads")
}

/// Serves `requests` at the same time, and waits for all of them.
pub fn serve<F>(runtime: &Runtime, requests: usize, request: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime.block_on(async {
        let mut tasks: JoinSet<()> = (0..requests).map(|_| request()).collect();
        while let Some(served) = tasks.join_next().await {
            served.expect("no library panics");
        }
    });
}

pub async fn tailtrace(tracer: Tracer) {
    let root = tracer.start_span("root");
    for _ in 1..SPANS {
        let step = root.child("step");
        yield_now().await;
        drop(step);
    }
}

pub async fn opentelemetry(tracer: SdkTracer) {
    let root = tracer.start_with_context("root", &Context::new());
    let parent = Context::new().with_span(root);
    for _ in 1..SPANS {
        let step = tracer.start_with_context("step", &parent);
        yield_now().await;
        drop(step);
    }
}

pub fn fastrace() -> impl Future<Output = ()> + Send {
    let root = fastrace::Span::root("root", SpanContext::random());
    async {
        for _ in 1..SPANS {
            yield_now().in_span(fastrace::Span::enter_with_local_parent("step")).await;
        }
    }
    .in_span(root)
}

pub fn tracing() -> impl Future<Output = ()> + Send {
    async {
        for _ in 1..SPANS {
            yield_now().instrument(info_span!("step")).await;
        }
    }
    .instrument(info_span!(parent: None, "root"))
}
