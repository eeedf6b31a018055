//! What W3C Trace Context asks of a service, from the headers that come in to those that go out.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tailtrace::Incoming;
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer};
use tailtrace::propagation::{Propagator, TraceContextPropagator};
use tailtrace::{AlwaysOff, TraceContext};
use tower::{Layer, ServiceExt, service_fn};

use crate::{CALLER, PARENT, TRACE, Traced, empty};

type Lines<'a> = &'a [(&'a str, &'a str)];

/// Asks a service with these header lines; it asks another one, `times` over. Gives what that got.
async fn relayed(lines: Lines<'_>, times: usize) -> Vec<TraceContext> {
    let got = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&got);
    let other = HttpClientLayer::new().layer(service_fn(move |request: Request<()>| {
        keep.lock().unwrap().push(request.headers().clone());
        ready(Ok::<_, Infallible>(Response::new(empty())))
    }));
    let service = HttpServerLayer::new().layer(service_fn(move |_: Request<()>| {
        let other = other.clone();
        async move {
            for _ in 0..times {
                other.clone().oneshot(Request::post("http://other/").body(()).unwrap()).await?;
            }
            Ok::<_, Infallible>(Response::new(empty()))
        }
    }));
    let mut request = Request::post("/test").body(()).unwrap();
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    }
    service.oneshot(request).await.unwrap();
    let got: Vec<HeaderMap> = got.lock().unwrap().clone();
    got.iter().map(sent).collect()
}

/// The context in headers that we wrote: one line of each, and nothing malformed.
fn sent(headers: &HeaderMap) -> TraceContext {
    assert_eq!(headers.get_all("traceparent").iter().count(), 1);
    assert!(headers.get_all("tracestate").iter().count() <= 1);
    let mut incoming = Incoming::default();
    TraceContextPropagator.extract(headers, &mut incoming);
    let context = incoming.context.expect("what is sent is valid");
    let state = headers.get("tracestate").map_or("", |line| line.to_str().unwrap());
    assert_eq!(context.trace_state.as_str(), state);
    assert_eq!(state.is_empty(), !headers.contains_key("tracestate"));
    context
}

async fn one(lines: Lines<'_>) -> TraceContext {
    relayed(lines, 1).await.remove(0)
}

/// What goes out when this trace state comes in, without what a sampler adds.
async fn state(lines: &[&str]) -> String {
    let state = lines.iter().map(|line| ("tracestate", *line));
    let lines: Vec<_> = [("traceparent", PARENT)].into_iter().chain(state).collect();
    let context = one(&lines).await;
    assert_eq!(context.trace_id.to_hex(), TRACE);
    context.trace_state.remove("ot").to_string()
}

/// Asks with the spans recorded, and sampled out.
macro_rules! in_both_worlds {
    ($body:block) => {{
        let traced = Traced::new();
        $body
        drop(traced);
        let traced = Traced::with(|pipeline| pipeline.with_sampler(AlwaysOff));
        $body
        drop(traced);
    }};
}

#[tokio::test]
async fn a_valid_parent_is_continued() {
    in_both_worlds!({
        for line in [
            PARENT,
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "\t 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 \t",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-of-the-future",
        ] {
            for name in ["traceparent", "TraceParent", "TRACEPARENT"] {
                let context = one(&[(name, line)]).await;
                assert_eq!(context.trace_id.to_hex(), TRACE, "{line:?}");
                assert_ne!(context.span_id.to_hex(), CALLER);
            }
        }
    });
}

#[tokio::test]
async fn anything_else_starts_a_new_trace_without_the_state() {
    in_both_worlds!({
        for lines in [
            &[("traceparent", PARENT), ("traceparent", PARENT)][..],
            &[("trace-parent", PARENT)],
            &[("trace.parent", PARENT)],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.")],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")],
            &[("traceparent", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x")],
            &[("traceparent", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
            &[("traceparent", ".0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
            &[("traceparent", "000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
            &[("traceparent", "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
            &[("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01")],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b7-01")],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01")],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-001")],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")],
            &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-.0")],
            &[],
        ] {
            let mut lines = lines.to_vec();
            lines.push(("tracestate", "foo=1"));
            let context = one(&lines).await;
            assert_ne!(context.trace_id.to_hex(), TRACE, "{lines:?}");
            assert_eq!(context.trace_state.get("foo"), None, "{lines:?}");
        }
    });
}

#[tokio::test]
async fn a_valid_state_goes_on_in_order() {
    in_both_worlds!({
        assert_eq!(
            state(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"]).await,
            "foo=1,bar=2,rojo=1,congo=2,baz=3"
        );
        assert_eq!(state(&["", "foo=1", ""]).await, "foo=1");
        assert_eq!(state(&["foo=1 \t , \t bar=2,\t\tbaz=3 "]).await, "foo=1,bar=2,baz=3");
        assert_eq!(state(&["foo=1", "foo=2"]).await, "foo=1,foo=2");
        assert_eq!(state(&["foo@=1,a@b@c=2"]).await, "foo@=1,a@b@c=2");
        let longest = format!("{}=1", "z".repeat(256));
        assert_eq!(state(&[&longest]).await, longest);
    });
}

#[tokio::test]
async fn as_many_members_go_out_as_may() {
    in_both_worlds!({
        let members: Vec<_> = (1..=33).map(|at| format!("bar{at}={at}")).collect();
        let lines = [("traceparent", PARENT), ("tracestate", &*members[..32].join(","))];
        let context = one(&lines).await;
        assert_eq!(context.trace_state.len(), 32);
        assert_eq!(context.trace_state.get("bar1"), Some("1"));
        assert_eq!(state(&[&members.join(",")]).await, "");
    });
}

#[tokio::test]
async fn a_malformed_state_is_dropped_whole() {
    in_both_worlds!({
        let too_long = format!("{}=1", "z".repeat(257));
        for line in
            ["foo =1", "FOO=1", "foo.bar=1", "@foo=1,bar=2", "foo=bar=baz", "foo=,bar=3", &too_long]
        {
            assert_eq!(state(&["ok=1", line]).await, "", "{line}");
        }
    });
}

#[tokio::test]
async fn every_request_has_a_parent_of_its_own() {
    in_both_worlds!({
        for lines in [&[("traceparent", PARENT)][..], &[]] {
            let contexts = relayed(lines, 3).await;
            assert!(contexts.iter().all(|context| context.trace_id == contexts[0].trace_id));
            assert_eq!(contexts[0].trace_id.to_hex() == TRACE, !lines.is_empty());
            assert_ne!(contexts[0].span_id, contexts[1].span_id);
            assert_ne!(contexts[1].span_id, contexts[2].span_id);
            assert_ne!(contexts[2].span_id, contexts[0].span_id);
        }
    });
}

#[tokio::test]
async fn the_random_flag_goes_on_as_it_came() {
    in_both_worlds!({
        for (flags, is_random) in [("00", false), ("01", false), ("02", true), ("03", true)] {
            let line = format!("00-{TRACE}-{CALLER}-{flags}");
            let context = one(&[("traceparent", &line)]).await;
            assert_eq!(context.flags.is_random(), is_random, "{flags}");
        }
        // A new trace has a random id and says so.
        assert!(one(&[]).await.flags.is_random());
    });
}
