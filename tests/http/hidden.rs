//! Requests whose spans a filter hides, as `RUST_LOG=shop=info` does.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response};
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer};
use tower::{Layer, ServiceExt, service_fn};
use tracing::{Level, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use crate::{CALLER, Frames, PARENT, TRACE, empty, named, next, support};

#[tokio::test]
async fn what_a_hidden_request_causes_belongs_to_its_callers_trace_all_the_same() {
    let (builder, _clock, memory) = support::pipeline();
    let pipeline = builder.start().unwrap();
    let of_the_program = Targets::new().with_target("http", Level::INFO);
    let subscriber = tracing_subscriber::registry().with(pipeline.layer()).with(of_the_program);
    let _default = tracing::subscriber::set_default(subscriber);

    let told = Arc::new(Mutex::new(HeaderMap::new()));
    let keep = Arc::clone(&told);
    let bank = HttpClientLayer::new().layer(service_fn(move |request: Request<()>| {
        *keep.lock().unwrap() = request.headers().clone();
        async { Ok::<_, Infallible>(Response::new(empty())) }
    }));
    let handler = service_fn(move |_request: Request<()>| {
        let bank = bank.clone();
        async move {
            drop(info_span!("before"));
            bank.oneshot(Request::get("http://bank/").body(()).unwrap()).await.unwrap();
            tokio::task::yield_now().await;
            drop(info_span!("after"));
            let frames = [Ok("half")].into();
            Ok::<_, Infallible>(Response::new(Frames { frames, tells: false }))
        }
    });
    let request = Request::get("/").header("traceparent", PARENT).body(()).unwrap();
    let mut response = HttpServerLayer::new().layer(handler).oneshot(request).await.unwrap();
    assert!(next(response.body_mut()).unwrap().is_ok());
    drop(response);
    drop(info_span!("later"));

    pipeline.flush(support::PLENTY).unwrap();
    let spans = memory.spans();
    for name in ["before", "after", "read_block"] {
        let context = named(&spans, name).context();
        assert_eq!(context.trace_id.to_hex(), TRACE, "{name}");
        assert_eq!(context.parent_span_id.unwrap().to_hex(), CALLER, "{name}");
    }
    assert_ne!(named(&spans, "later").context().trace_id.to_hex(), TRACE);
    let told = told.lock().unwrap();
    let told = told.get("traceparent").unwrap().to_str().unwrap();
    assert!(told.starts_with(&format!("00-{TRACE}-{CALLER}")), "{told}");
    support::settled(&pipeline);
}
