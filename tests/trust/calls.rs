//! What a caller can choose by saying that its request is a call of gRPC.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use tailtrace::layer::http::{HttpServerLayer, Redaction};
use tailtrace::model::Border;
use tailtrace::{InMemoryExporter, Pipeline, SamplingRequest, SamplingResult, Span};
use tower::{Layer, ServiceExt, service_fn};
use tracing_subscriber::layer::SubscriberExt;

/// The answer of a service: its status, and its headers.
type Answer = (u16, &'static [(&'static str, &'static str)]);

const GRPC: (&str, &str) = ("content-type", "application/grpc");

/// The span of a request that says that it is gRPC, and the name that the sampler of the head was asked about.
fn called(layer: HttpServerLayer, (status, headers): Answer) -> (Span, String) {
    let memory = InMemoryExporter::new();
    let asked = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&asked);
    let sampler = move |request: &SamplingRequest<'_>| {
        request.name.clone_into(&mut seen.lock().unwrap());
        SamplingResult::sample()
    };
    let builder = Pipeline::builder("shop").with_sampler(sampler).with_exporter(memory.clone());
    let pipeline = builder.start().unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let service = service_fn(async |_: Request<String>| {
            // A child has the sampler decide before there is a response.
            drop(tracing::info_span!("work"));
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            Ok::<_, io::Error>(response.body(String::new()).unwrap())
        });
        let request = Request::post("http://shop/evil.Service/Method").header(GRPC.0, GRPC.1);
        let request = request.body(String::new()).unwrap();
        drop(runtime.block_on(layer.layer(service).oneshot(request)).unwrap());
    });
    pipeline.shutdown(Duration::from_secs(30)).unwrap();
    let name = asked.lock().unwrap().clone();
    let spans = memory.spans();
    let server = spans.iter().find(|span| span.context().parent_span_id.is_none()).unwrap();
    (server.clone(), name)
}

fn is_error(border: Border, answer: Answer) -> bool {
    let (span, _) = called(HttpServerLayer::new().with_border(border), answer);
    span.as_ref().unwrap().status().is_error()
}

#[test]
fn no_content_type_of_a_caller_makes_an_error() {
    let page: &[_] = &[("content-type", "text/html")];
    for border in [Border::Inside, Border::Partner, Border::Public] {
        for status in [200, 204, 302, 404, 499] {
            assert!(!is_error(border, (status, page)), "{border:?} {status}");
            assert!(!is_error(border, (status, &[])), "{border:?} {status}");
        }
        assert!(is_error(border, (500, page)), "{border:?}");
        assert!(is_error(border, (200, &[GRPC, ("grpc-status", "13")])), "{border:?}");
    }
    // What a caller can have at will: an answer that it does not wait for, a method that is none, a short deadline.
    for answer in [
        (200, &[GRPC] as &[_]),
        (404, &[GRPC]),
        (200, &[GRPC, ("grpc-status", "12")]),
        (200, &[GRPC, ("grpc-status", "4")]),
    ] {
        assert!(is_error(Border::Inside, answer), "{answer:?}");
        assert!(!is_error(Border::Partner, answer), "{answer:?}");
        assert!(!is_error(Border::Public, answer), "{answer:?}");
    }
}

#[test]
fn no_caller_at_a_border_names_an_operation_that_does_not_exist() {
    let works: &[_] = &[GRPC, ("grpc-status", "0")];
    let unknown: &[_] = &[GRPC, ("grpc-status", "12")];
    for border in [Border::Partner, Border::Public] {
        for (headers, name) in [(works, "evil.Service/Method"), (unknown, "grpc"), (&[], "grpc")] {
            let layer = HttpServerLayer::new().with_border(border);
            let (span, asked) = called(layer, (200, headers));
            assert_eq!((asked.as_str(), span.operation_name()), ("grpc", name), "{headers:?}");
        }
    }
    let (span, asked) = called(HttpServerLayer::new(), (200, works));
    assert_eq!(
        (asked.as_str(), span.operation_name()),
        ("evil.Service/Method", "evil.Service/Method")
    );
}

#[test]
fn a_method_that_a_program_keeps_for_itself_is_left_out_or_hashed() {
    let works: &[_] = &[GRPC, ("grpc-status", "0")];
    for border in [Border::Inside, Border::Public] {
        for redaction in [
            Redaction::new().without_tag("rpc.method"),
            Redaction::new().with_hashed_tag("rpc.method"),
        ] {
            let is_left_out = format!("{redaction:?}").contains("dropped: [\"rpc");
            let layer = HttpServerLayer::new().with_border(border).with_redaction(redaction);
            let (span, asked) = called(layer, (200, works));
            assert!(!format!("{span:?} {asked}").contains("evil"), "{span:?} {asked}");
            if is_left_out {
                assert_eq!((asked.as_str(), span.operation_name()), ("grpc", "grpc"));
            }
        }
        let redaction = Redaction::new().without_tag("rpc.service");
        let layer = HttpServerLayer::new().with_border(border).with_redaction(redaction);
        assert!(called(layer, (200, works)).0.tag("rpc.service").is_none());
    }
}
