//! What a caller can choose at each border, through each way in.

use std::collections::HashMap;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use hyper::body::{Body, Bytes, Frame};
use proptest::prelude::*;
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer};
use tailtrace::model::{Border, TraceFlags};
use tailtrace::propagation::{
    B3Propagator, BorderPropagator, CompositePropagator, JaegerPropagator, Propagator,
};
use tailtrace::{
    AlwaysOn, Errors, FixedRateSampler, InMemoryExporter, Incoming, ParentBasedSampler, Pipeline,
    Sampler, Span, TailSampler, TraceContext, Tracer,
};
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tracing_subscriber::layer::SubscriberExt;

use crate::injection::STRANGER;

const PLENTY: Duration = Duration::from_secs(30);

fn started(sampler: impl Sampler + 'static) -> (Pipeline, InMemoryExporter) {
    let memory = InMemoryExporter::new();
    let builder = Pipeline::builder("shop").with_sampler(sampler).with_exporter(memory.clone());
    (builder.start().unwrap(), memory)
}

/// Sends requests of the stranger through the server's layer, whose handler calls on through a client's layer with
/// the headers that it got, as a proxy does. The spans, and the headers of the last call.
fn proxied(
    layer: HttpServerLayer,
    sampler: impl Sampler + 'static,
    headers: &[(&str, &str)],
    requests: usize,
) -> (Vec<Span>, HeaderMap) {
    let (pipeline, memory) = started(sampler);
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sent = tracing::subscriber::with_default(subscriber, || {
        let echo = service_fn(async |request: Request<String>| {
            let mut response = Response::new(String::new());
            response.headers_mut().extend(request.headers().clone());
            Ok::<_, io::Error>(response)
        });
        let mut services =
            ServiceBuilder::new().layer(layer).layer(HttpClientLayer::new()).service(echo);
        let mut sent = HeaderMap::new();
        for _ in 0..requests {
            let mut request = Request::get("http://shop/");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(String::new()).unwrap();
            sent = runtime.block_on(services.call(request)).unwrap().headers().clone();
        }
        sent
    });
    pipeline.shutdown(PLENTY).unwrap();
    (memory.spans(), sent)
}

fn links(span: &Span) -> Vec<TraceContext> {
    let links = span.as_ref().unwrap().links();
    links.map(|link| link.context().clone()).collect()
}

const IDS: [&str; 2] = ["ffffffffffffffff", "eeeeeeeeeeeeeeee"];

#[track_caller]
fn assert_nothing_came_through(headers: &HeaderMap) {
    let text = format!("{headers:?}");
    for mark in ["evil", "uberctx", "uber-trace-id"].iter().chain(&IDS) {
        assert!(!text.contains(mark), "{mark}: {text}");
    }
    // By its names: the digits of an id may be these.
    assert!(!headers.keys().any(|name| name.as_str().contains("b3")), "{text}");
}

#[test]
fn at_a_public_border_a_request_begins_a_trace_of_its_own_linked_to_the_caller() {
    let formats = || {
        CompositePropagator::new(vec![
            Box::new(CompositePropagator::default()) as Box<dyn Propagator>,
            Box::new(B3Propagator::multi()),
            Box::new(JaegerPropagator),
        ])
    };
    for layer in [
        HttpServerLayer::new().with_border(Border::Public),
        HttpServerLayer::new().with_propagator(formats()).with_border(Border::Public),
    ] {
        let (spans, sent) = proxied(layer, AlwaysOn, &STRANGER, 1);
        assert_nothing_came_through(&sent);
        let server = spans.iter().find(|span| span.context().parent_span_id.is_none()).unwrap();
        let links = links(server);
        assert_eq!(links.len(), 1);
        let link = &links[0];
        assert_eq!(
            (link.trace_id.to_hex().as_str(), link.span_id.to_hex().as_str()),
            ("ffffffffffffffffffffffffffffffff", IDS[1])
        );
        assert!(link.trace_state.is_empty());
        for span in &spans {
            assert!(!span.context().trace_id.to_hex().contains(IDS[0]));
            assert!(span.context().baggage.is_empty());
            assert!(!span.context().trace_state.as_str().contains("evil"));
        }
    }
}

#[test]
fn no_id_and_no_flag_of_a_stranger_raises_the_rate_at_a_public_border() {
    let rate = || ParentBasedSampler::new(FixedRateSampler::new(0.01).unwrap());
    let exported = |layer: HttpServerLayer| proxied(layer, rate(), &STRANGER, 2_000).0.len() / 2;
    let all = exported(HttpServerLayer::new());
    assert_eq!(all, 2_000, "inside a network the caller's decision is followed");
    let public = exported(HttpServerLayer::new().with_border(Border::Public));
    let partner = exported(HttpServerLayer::new().with_border(Border::Partner));
    // Twenty are expected of each; three times as many do not happen by chance.
    assert!(public < 60 && partner < 60, "{public} {partner}");
}

#[test]
fn at_a_partners_border_the_ids_are_followed_and_nothing_else() {
    let layer = HttpServerLayer::new().with_border(Border::Partner);
    let (spans, sent) = proxied(layer, AlwaysOn, &STRANGER, 1);
    let server = spans
        .iter()
        .find(|span| span.context().parent_span_id.is_some_and(|id| id.to_hex() == IDS[1]))
        .unwrap();
    assert!(server.context().trace_id.to_hex().starts_with(IDS[0]));
    let state = server.context().trace_state.clone();
    assert_ne!(state.randomness().unwrap().to_string(), "ffffffffffffff");
    assert!(state.get("evil").is_none() && server.context().baggage.is_empty());
    assert!(!format!("{sent:?}").contains("evil") && !sent.contains_key("b3"), "{sent:?}");
}

#[test]
fn every_way_in_has_the_same_answer() {
    let headers: HashMap<String, String> =
        STRANGER.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let tracer = Tracer::new("gateway", AlwaysOn, InMemoryExporter::new());
    let read = |propagator: &dyn Propagator| {
        let mut incoming = Incoming::default();
        propagator.extract(&headers, &mut incoming);
        incoming
    };
    for border in [Border::Public, Border::Partner] {
        let at_border = BorderPropagator::new(border, CompositePropagator::default());
        let ways = [
            tracer.clone().with_border(border).extract(&headers),
            tracer.extract(&headers).at(border),
            read(&at_border),
            tracer.clone().with_propagator(at_border).extract(&headers),
        ];
        for incoming in ways {
            assert!(incoming.baggage.is_empty());
            match border {
                Border::Public => {
                    assert_eq!(incoming.context, None);
                    let span = tracer.start_span_with_context("request", incoming.clone());
                    assert_ne!(
                        Some(span.context().trace_id),
                        incoming.link.map(|link| link.trace_id)
                    );
                }
                _ => {
                    let context = incoming.context.unwrap();
                    assert_eq!(context.flags, TraceFlags::DEFERRED);
                    assert_eq!(context.trace_state.threshold(), None);
                }
            }
        }
    }
}

#[test]
fn a_native_root_is_linked_to_the_stranger() {
    let memory = InMemoryExporter::new();
    let tracer = Tracer::new("gateway", AlwaysOn, memory.clone()).with_border(Border::Public);
    let headers: HashMap<String, String> =
        STRANGER.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    drop(tracer.start_span_with_context("one", tracer.extract(&headers)));
    drop(tracer.span_builder("two").with_parent_context(tracer.extract(&headers)).start());
    tracer.shutdown(PLENTY).unwrap();
    let spans = memory.spans();
    assert_eq!(spans.len(), 2);
    for span in spans {
        assert_eq!(links(&span).len(), 1, "{span:?}");
        assert_eq!(span.context().parent_span_id, None);
    }
}

#[cfg(feature = "otel")]
#[test]
fn opentelemetrys_spans_are_linked_to_the_stranger_too() {
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use tailtrace::otel;

    let headers: HashMap<String, String> =
        STRANGER.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let propagator = otel::Propagator::default().with_border(Border::Public);
    let check = |memory: InMemoryExporter| {
        let spans = memory.spans();
        assert_eq!(spans.len(), 1);
        assert_eq!(links(&spans[0]).len(), 1);
        assert_eq!(spans[0].context().parent_span_id, None);
        assert!(!spans[0].context().trace_id.to_hex().contains(IDS[0]));
    };

    let (pipeline, memory) = started(AlwaysOn);
    let provider = otel::TracerProvider::new(&pipeline);
    provider.tracer("lib").start_with_context("request", &propagator.extract(&headers)).end();
    pipeline.shutdown(PLENTY).unwrap();
    check(memory);

    let (pipeline, memory) = started(AlwaysOn);
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
        .with_sampler(otel::HeadSampler::new(&pipeline))
        .with_span_processor(otel::TailSpanProcessor::new(&pipeline))
        .build();
    provider.tracer("lib").start_with_context("request", &propagator.extract(&headers)).end();
    pipeline.shutdown(PLENTY).unwrap();
    check(memory);

    // A partner's decision is left to the root sampler, not taken for "not sampled".
    let rate = ParentBasedSampler::new(AlwaysOn);
    let (pipeline, memory) = started(rate);
    let partner = otel::Propagator::default().with_border(Border::Partner);
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
        .with_sampler(otel::HeadSampler::new(&pipeline))
        .with_span_processor(otel::TailSpanProcessor::new(&pipeline))
        .build();
    provider.tracer("lib").start_with_context("request", &partner.extract(&headers)).end();
    pipeline.shutdown(PLENTY).unwrap();
    assert_eq!(memory.spans().len(), 1);
}

#[cfg(feature = "otel")]
#[test]
fn a_propagator_of_opentelemetry_with_a_border_keeps_the_link_as_one_of_ours() {
    use tailtrace::otel;

    let propagator = otel::Propagator::default().with_border(Border::Public);
    let layer = HttpServerLayer::new().with_propagator(otel::FromTextMap::new(propagator));
    let (spans, _) = proxied(layer, AlwaysOn, &STRANGER, 1);
    let server = spans.iter().find(|span| span.context().parent_span_id.is_none()).unwrap();
    assert_eq!(links(server).len(), 1);
}

#[test]
fn one_id_for_many_requests_makes_a_trace_of_each() {
    let ids = |border: Border| {
        let layer = HttpServerLayer::new().with_border(border);
        let (spans, _) = proxied(layer, AlwaysOn, &STRANGER, 50);
        let is_server = |span: &&Span| span.as_ref().unwrap().kind() == tailtrace::SpanKind::Server;
        let servers = spans.iter().filter(is_server);
        let mut ids: Vec<_> = servers.map(|span| span.context().trace_id).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        (all, ids.len())
    };
    assert_eq!(ids(Border::Inside), (50, 1));
    assert_eq!(ids(Border::Partner), (50, 1));
    assert_eq!(ids(Border::Public), (50, 50));
}

/// A body of pieces that never ends.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"piece")))))
    }
}

/// How many of 20 requests that are given up are kept as errors: half before there is a response, half during its body.
fn kept_of_given_up(border: Border) -> usize {
    kept_of_given_up_by(HttpServerLayer::new().with_border(border))
}

fn kept_of_given_up_by(layer: HttpServerLayer) -> usize {
    let memory = InMemoryExporter::new();
    let builder = Pipeline::builder("shop").with_tail(TailSampler::new().keep(Errors));
    let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    tracing::subscriber::with_default(subscriber, || {
        let mut context = Context::from_waker(Waker::noop());
        let request = || Request::get("/").body(String::new()).unwrap();
        for _ in 0..10 {
            let never = service_fn(async |_: Request<String>| {
                std::future::pending::<Result<Response<String>, io::Error>>().await
            });
            let mut answer = pin!(layer.layer(never).call(request()));
            assert!(answer.as_mut().poll(&mut context).is_pending());
        }
        for _ in 0..10 {
            let stream =
                service_fn(async |_: Request<String>| Ok::<_, io::Error>(Response::new(Endless)));
            let mut answer = pin!(layer.layer(stream).call(request()));
            let Poll::Ready(Ok(response)) = answer.as_mut().poll(&mut context) else { panic!() };
            let mut body = pin!(response.into_body());
            assert!(body.as_mut().poll_frame(&mut context).is_ready());
        }
    });
    pipeline.shutdown(PLENTY).unwrap();
    memory.spans().len()
}

#[test]
fn who_hangs_up_at_a_border_makes_no_error() {
    assert_eq!(kept_of_given_up(Border::Inside), 20);
    assert_eq!(kept_of_given_up(Border::Partner), 0);
    assert_eq!(kept_of_given_up(Border::Public), 0);
}

#[test]
fn a_propagator_with_a_border_is_one_of_the_layer_that_has_it() {
    for border in [Border::Partner, Border::Public] {
        let at_border = || BorderPropagator::new(border, CompositePropagator::default());
        let composite = CompositePropagator::new(vec![Box::new(at_border())]);
        for layer in [
            HttpServerLayer::new().with_propagator(at_border()),
            HttpServerLayer::new().with_propagator(std::sync::Arc::new(composite)),
        ] {
            assert_eq!(kept_of_given_up_by(layer.clone()), 0);
            assert_nothing_came_through(&proxied(layer, AlwaysOn, &STRANGER[1..], 1).1);
        }
    }
}

#[test]
fn who_hangs_up_at_a_border_is_told_of() {
    let (pipeline, memory) = started(AlwaysOn);
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    tracing::subscriber::with_default(subscriber, || {
        let never = service_fn(async |_: Request<String>| {
            std::future::pending::<Result<Response<String>, io::Error>>().await
        });
        let layer = HttpServerLayer::new().with_border(Border::Public);
        let mut answer =
            pin!(layer.layer(never).call(Request::get("/").body(String::new()).unwrap()));
        let polled = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    });
    pipeline.shutdown(PLENTY).unwrap();
    let spans = memory.spans();
    let span = spans[0].as_ref().unwrap();
    assert_eq!(span.tag("error.type").map(|tag| tag.to_string()).as_deref(), Some("cancelled"));
    assert!(!span.status().is_error());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_came_in_is_not_in_what_goes_out(
        lines in proptest::collection::vec(
            (proptest::sample::select(STRANGER.map(|(name, _)| name).to_vec()), "[ -~]{0,60}"),
            1..6,
        ),
    ) {
        let marked: Vec<_> =
            lines.into_iter().map(|(name, value)| (name, format!("{value}MARKED"))).collect();
        let marked: Vec<_> = marked.iter().map(|(name, value)| (*name, &**value)).collect();
        // Alone, and behind ids that are valid.
        let behind: Vec<_> = [STRANGER[0]].into_iter().chain(marked.clone()).collect();
        for border in [Border::Public, Border::Partner] {
            for headers in [&marked, &behind] {
                let layer = HttpServerLayer::new().with_border(border);
                let (_, sent) = proxied(layer, AlwaysOn, headers, 1);
                prop_assert!(!format!("{sent:?}").contains("MARKED"), "{:?}", sent);
            }
        }
    }
}
