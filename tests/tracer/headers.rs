//! From one service to the next.

use std::collections::HashMap;

use tailtrace::model::{Baggage, Threshold};
use tailtrace::propagation::{Extractor, Injector, Propagator};
use tailtrace::{
    AlwaysOff, AlwaysOn, FixedRateSampler, InMemoryExporter, Incoming, ParentBasedSampler, SpanRef,
    TraceContext, Tracer,
};

use super::{only, tracer};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn headers<const N: usize>(lines: [(&str, &str); N]) -> HashMap<String, String> {
    lines.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Sends a request from one service to another: the second's span and its tracer's memory.
fn call(caller: &Tracer, callee: &Tracer, context: &TraceContext) -> tailtrace::SpanGuard {
    let mut carrier = HashMap::new();
    caller.inject_context(context, &mut carrier);
    let mut http = http::HeaderMap::new();
    caller.inject_context(context, &mut http);
    let incoming = callee.extract_context(&carrier).unwrap();
    assert_eq!(callee.extract_context(&http), Some(incoming.clone()), "both carriers agree");
    assert!(incoming.is_remote);
    callee.start_span_with_context("handle", &incoming)
}

#[test]
fn a_trace_goes_on_in_the_next_service_and_its_baggage_with_it() {
    let (client, client_memory) = tracer();
    let (server, server_memory) = tracer();
    let tenant = Baggage::new().with("tenant", "Zoë; admin").unwrap();
    let request = client.span_builder("request").with_baggage(tenant.clone()).start();
    let handle = call(&client, &server, &request.context());
    assert_eq!(handle.baggage(), &tenant);
    // And back: the answer is a request of the server to the client.
    let callback = call(&server, &client, &handle.child("callback").context());
    assert_eq!(callback.baggage(), &tenant);
    drop((callback, handle));
    let served = only(&server, &server_memory);
    assert_eq!(served.trace_id(), request.context().trace_id);
    let root = served.root().map(SpanRef::parent_span_id);
    assert_eq!(root, Some(Some(request.context().span_id)));
    drop(request);
    client.flush(super::PLENTY).unwrap();
    assert_eq!(client_memory.span_count(), 2);
}

#[test]
fn an_unsampled_span_is_told_to_the_next_service_as_unsampled() {
    let off = Tracer::new("off", AlwaysOff, InMemoryExporter::new());
    let state = "ot=th:c;rv:ffffffffffffff,vendor=1";
    for flags in ["00", "01", "02", "03"] {
        let parent = PARENT.replace("-01", &format!("-{flags}"));
        let incoming = headers([("traceparent", &parent), ("tracestate", state)]);
        let caller = off.extract_context(&incoming).unwrap();
        for span in [
            off.start_span_with_context("root", &caller),
            off.start_span_with_context("root", &caller).child("child"),
        ] {
            let mut outgoing = HashMap::new();
            off.inject_context(&span.context(), &mut outgoing);
            let fields: Vec<_> = outgoing["traceparent"].split('-').collect();
            assert_eq!(fields[1], "4bf92f3577b34da6a3ce929d0e0e4736");
            assert_eq!(fields[2], span.context().span_id.to_hex());
            let random = if flags < "02" { "00" } else { "02" };
            assert_eq!(fields[3], random, "the random flag stays, the sampled flag goes");
            assert_eq!(outgoing["tracestate"], "ot=rv:ffffffffffffff,vendor=1");
        }
    }
}

#[test]
fn a_new_unsampled_trace_sends_no_tracestate() {
    let off = Tracer::new("off", AlwaysOff, InMemoryExporter::new());
    let mut outgoing = HashMap::new();
    off.inject_context(&off.start_span("root").context(), &mut outgoing);
    assert_eq!(outgoing.keys().collect::<Vec<_>>(), ["traceparent"]);
    assert!(outgoing["traceparent"].ends_with("-02"));
}

#[test]
fn a_sampled_trace_sends_the_threshold_it_was_sampled_with() {
    let memory = InMemoryExporter::new();
    let sampler = ParentBasedSampler::new(FixedRateSampler::new(0.5).unwrap());
    let tracer = Tracer::new("test", sampler, memory);
    let half = Threshold::from_probability(0.5).ok();
    let (mut sampled, mut unsampled) = (0, 0);
    for _ in 0..100 {
        let span = tracer.start_span("root");
        let mut outgoing = HashMap::new();
        tracer.inject_context(&span.context(), &mut outgoing);
        let context = tracer.extract_context(&outgoing).unwrap();
        assert_eq!(context.is_sampled(), span.is_recording());
        if context.is_sampled() {
            assert_eq!(context.trace_state.threshold(), half);
            sampled += 1;
        } else {
            assert_eq!(context.trace_state.threshold(), None);
            unsampled += 1;
        }
    }
    assert!(sampled > 10 && unsampled > 10, "{sampled} of 100");
}

#[test]
fn without_a_valid_parent_there_is_none() {
    let (tracer, _) = tracer();
    assert_eq!(tracer.extract_context(&HashMap::<String, String>::new()), None);
    assert_eq!(tracer.extract_context(&http::HeaderMap::new()), None);
    let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    assert_eq!(tracer.extract_context(&headers([("traceparent", zero)])), None);
    let mut twice = http::HeaderMap::new();
    twice.append("traceparent", PARENT.parse().unwrap());
    twice.append("traceparent", PARENT.parse().unwrap());
    assert_eq!(tracer.extract_context(&twice), None);
}

#[test]
fn injecting_replaces_what_the_carrier_held() {
    let (tracer, _) = tracer();
    let context = tracer.start_span("span").context();
    let mut carrier = headers([("Traceparent", PARENT), ("other", "stays")]);
    tracer.inject_context(&context, &mut carrier);
    assert_eq!(tracer.extract_context(&carrier).map(|c| c.span_id), Some(context.span_id));
    let spellings = carrier.keys().filter(|name| name.eq_ignore_ascii_case("traceparent"));
    assert_eq!((spellings.count(), carrier["other"].as_str()), (1, "stays"));
    let mut http = http::HeaderMap::new();
    http.append("TRACEPARENT", PARENT.parse().unwrap());
    tracer.inject_context(&context, &mut http);
    assert_eq!(http.get_all("traceparent").iter().count(), 1);
}

#[test]
fn another_propagator_takes_the_place_of_the_standard_one() {
    /// Carries the ids in one header and nothing else.
    struct Short;
    impl Propagator for Short {
        fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
            carrier.visit("x-trace", &mut |value| {
                let text = std::str::from_utf8(value).unwrap_or_default();
                let ids = text.split_once('/');
                let ids = ids.and_then(|(t, s)| Some((t.parse().ok()?, s.parse().ok()?)));
                incoming.context = ids.map(|(t, s)| TraceContext::new(t, s).remote());
            });
        }

        fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
            carrier.set("x-trace", format!("{}/{}", context.trace_id, context.span_id));
        }

        fn fields(&self) -> &[&'static str] {
            &["x-trace"]
        }
    }
    let tracer = Tracer::new("test", AlwaysOn, InMemoryExporter::new()).with_propagator(Short);
    let span = tracer.start_span("span");
    let mut carrier = HashMap::new();
    tracer.inject_context(&span.context(), &mut carrier);
    assert_eq!(carrier.keys().collect::<Vec<_>>(), ["x-trace"]);
    let incoming = tracer.extract_context(&carrier).unwrap();
    assert_eq!(incoming.span_id, span.context().span_id);
    assert_eq!(tracer.extract_context(&headers([("traceparent", PARENT)])), None);
}

#[test]
fn baggage_without_a_caller_goes_to_the_trace_that_starts() {
    let memory = InMemoryExporter::new();
    let tracer = Tracer::new("callee", AlwaysOn, memory);
    let incoming =
        tracer.extract(&headers([("traceparent", "garbage"), ("baggage", "tenant=acme")]));
    assert_eq!(incoming.context, None);
    for root in [
        tracer.start_span_with_context("started", &incoming),
        tracer.span_builder("built").with_parent_context(&incoming).start(),
    ] {
        assert_eq!(root.baggage().get("tenant"), Some("acme"));
        assert_eq!(root.context().parent_span_id, None);
        assert_eq!(root.child("child").baggage().get("tenant"), Some("acme"));
    }
}

#[test]
fn a_caller_and_its_baggage_come_together_in_each_way_of_reading() {
    let tracer = Tracer::new("callee", AlwaysOn, InMemoryExporter::new());
    let carrier = headers([("traceparent", PARENT), ("baggage", "tenant=acme")]);
    let incoming = tracer.extract(&carrier);
    let context = tracer.extract_context(&carrier).unwrap();
    assert_eq!(incoming.context.as_ref(), Some(&context));
    for span in [
        tracer.start_span_with_context("incoming", incoming),
        tracer.start_span_with_context("context", &context),
    ] {
        assert_eq!(span.baggage().get("tenant"), Some("acme"));
        assert_eq!(span.context().parent_span_id, Some(context.span_id));
    }
}
