#![no_main]

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, HeaderValue, Request, Response};
use libfuzzer_sys::fuzz_target;
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer};
use tailtrace::model::Border;
use tailtrace::propagation::{
    B3Propagator, CompositePropagator, JaegerPropagator, Propagator, TraceContextPropagator,
};
use tailtrace::{AlwaysOn, InMemoryExporter, Incoming, Pipeline};
use tower::{Service, ServiceBuilder, service_fn};
use tracing_subscriber::layer::SubscriberExt;

/// The headers of all formats; `uberctx-` is the beginning of a name.
const NAMES: [&str; 12] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "jaeger-baggage",
    "uberctx-name",
];

/// The spans of all runs; nothing of them is kept.
static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| {
    let builder = Pipeline::builder("fuzz").with_sampler(AlwaysOn);
    let pipeline = builder.with_exporter(InMemoryExporter::new()).start().expect("it starts");
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first");
    pipeline.set_enabled(true);
    pipeline
});

fn formats() -> CompositePropagator {
    let formats: Vec<Box<dyn Propagator>> = vec![
        Box::new(CompositePropagator::default()),
        Box::new(B3Propagator::multi()),
        Box::new(JaegerPropagator),
    ];
    CompositePropagator::new(formats)
}

/// Each line of the input is a header: its first byte chooses the name.
fn headers(input: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        if let Some((name, value)) = line.split_first()
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            headers.append(NAMES[usize::from(*name) % NAMES.len()], value);
        }
    }
    headers
}

/// What a handler that hands its headers on sends to the next service.
fn sent(border: Border, came: &HeaderMap) -> HeaderMap {
    let sent = RefCell::new(HeaderMap::new());
    let echo = service_fn(async |request: Request<String>| {
        *sent.borrow_mut() = request.headers().clone();
        Ok::<_, Infallible>(Response::new(String::new()))
    });
    let server = HttpServerLayer::new().with_propagator(formats()).with_border(border);
    let client = HttpClientLayer::new().with_propagator(formats());
    let mut services = ServiceBuilder::new().layer(server).layer(client).service(echo);
    let mut request = Request::new(String::new());
    *request.headers_mut() = came.clone();
    let mut answer = pin!(services.call(request));
    let polled = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(_))));
    sent.take()
}

// What came in is not in what goes out, unless the border trusts it; and what goes out is one trace in all formats.
fuzz_target!(|input: &[u8]| {
    LazyLock::force(&PIPELINE);
    let came = headers(input);
    for border in [Border::Inside, Border::Partner, Border::Public] {
        let sent = sent(border, &came);
        let mut read = Incoming::default();
        TraceContextPropagator.extract(&sent, &mut read);
        let w3c = read.context.expect("a span of ours goes out");
        for other in [&B3Propagator::multi() as &dyn Propagator, &JaegerPropagator] {
            let mut read = Incoming::default();
            other.extract(&sent, &mut read);
            let read = read.context.expect("in every format");
            assert_eq!((read.trace_id, read.span_id), (w3c.trace_id, w3c.span_id));
        }
        if border.is_inside() {
            continue;
        }
        let mut caller = Incoming::default();
        formats().extract(&came, &mut caller);
        let known =
            caller.context.filter(|_| border == Border::Partner).map(|known| known.trace_id);
        assert!(known.is_none_or(|known| known == w3c.trace_id));
        for (name, value) in &sent {
            let ours = matches!(name.as_str(), "traceparent" | "tracestate" | "uber-trace-id")
                || name.as_str().starts_with("x-b3-");
            assert!(ours, "{name}: {value:?}");
            // An id of 32 digits, or what holds one.
            let is_known =
                || known.is_some_and(|id| value.as_bytes().starts_with(id.to_hex().as_bytes()));
            let is_copied = value.len() >= 16 && came.values().any(|other| other == value);
            assert!(!is_copied || is_known(), "{name}: {value:?}");
        }
    }
});
