//! What a propagator reads is replaced when it writes: no header of a stranger goes out again.

use std::collections::HashMap;
use std::io;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tailtrace::config::EnvCarrier;
use tailtrace::layer::http::HttpClientLayer;
use tailtrace::model::{Baggage, TraceFlags, TraceState};
use tailtrace::propagation::{
    B3Propagator, BaggagePropagator, CompositePropagator, Extractor, Injector, JaegerPropagator,
    Propagator, TraceContextPropagator,
};
use tailtrace::{AlwaysOn, InMemoryExporter, Incoming, Pipeline, SpanId, TraceContext, TraceId};
use tower::{Service, ServiceBuilder, service_fn};
use tracing_subscriber::layer::SubscriberExt;

/// Every header that any format reads, as a stranger sends it.
pub(crate) const STRANGER: [(&str, &str); 12] = [
    ("traceparent", "00-ffffffffffffffffffffffffffffffff-eeeeeeeeeeeeeeee-01"),
    ("tracestate", "evil=1,ot=rv:ffffffffffffff;th:8"),
    ("baggage", "evil=1"),
    ("b3", "ffffffffffffffffffffffffffffffff-eeeeeeeeeeeeeeee-d-eeeeeeeeeeeeeeee"),
    ("x-b3-traceid", "ffffffffffffffffffffffffffffffff"),
    ("x-b3-spanid", "eeeeeeeeeeeeeeee"),
    ("x-b3-parentspanid", "eeeeeeeeeeeeeeee"),
    ("x-b3-sampled", "1"),
    ("x-b3-flags", "1"),
    ("uber-trace-id", "ffffffffffffffffffffffffffffffff:eeeeeeeeeeeeeeee:0:3"),
    ("uberctx-evil", "1"),
    ("jaeger-baggage", "evil=1"),
];

fn propagators() -> Vec<Box<dyn Propagator>> {
    let all = || -> Vec<Box<dyn Propagator>> {
        vec![
            Box::new(TraceContextPropagator),
            Box::new(BaggagePropagator),
            Box::new(B3Propagator::single()),
            Box::new(JaegerPropagator),
        ]
    };
    let mut list = all();
    list.push(Box::new(B3Propagator::multi()));
    list.push(Box::new(CompositePropagator::default()));
    list.push(Box::new(CompositePropagator::new(all())));
    list
}

/// Contexts of ours, with and without what may be absent from headers.
fn contexts() -> Vec<TraceContext> {
    let flags =
        [TraceFlags::default(), TraceFlags::SAMPLED, TraceFlags::DEBUG, TraceFlags::DEFERRED];
    let bare =
        flags.map(|flags| TraceContext::new(TraceId::new(), SpanId::new()).with_flags(flags));
    let mut rich = bare.clone();
    for context in &mut rich {
        context.trace_state = "ours=1".parse::<TraceState>().unwrap();
        context.baggage = Baggage::new().with("tenant", "acme").unwrap();
    }
    bare.into_iter().chain(rich).collect()
}

fn read(propagator: &dyn Propagator, carrier: &dyn Extractor) -> Incoming {
    let mut incoming = Incoming::default();
    propagator.extract(carrier, &mut incoming);
    incoming
}

/// What the receiver reads is the same as from a carrier that was new.
#[track_caller]
fn assert_replaced<C: Injector + Extractor>(new: impl Fn() -> C, used: impl Fn() -> C) {
    for propagator in propagators() {
        for context in contexts() {
            let mut expected = new();
            propagator.inject(&context, &mut expected);
            let mut carrier = used();
            propagator.inject(&context, &mut carrier);
            let what = format!("{:?} {context:?}", propagator.fields());
            assert_eq!(read(&*propagator, &carrier), read(&*propagator, &expected), "{what}");
        }
        let mut carrier = used();
        propagator.inject_baggage(&Baggage::new(), &mut carrier);
        let writes_baggage = !read(&*propagator, &used()).baggage.is_empty();
        assert!(!writes_baggage || read(&*propagator, &carrier).baggage.is_empty());
    }
}

#[test]
fn no_propagator_leaves_a_header_that_it_reads() {
    let lines = || STRANGER.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_replaced(HashMap::<String, String>::new, || lines().collect());
    let upper = || lines().map(|(name, value)| (name.to_uppercase(), value));
    assert_replaced(HashMap::<String, String>::new, || upper().collect());
    let map = || -> HeaderMap {
        let twice = lines().chain(lines());
        let mut map = HeaderMap::new();
        for (name, value) in twice {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::try_from(value).unwrap());
        }
        map
    };
    assert_replaced(HeaderMap::new, map);
    let variables = || lines().map(|(name, value)| (name.to_uppercase().replace('-', "_"), value));
    assert_replaced(EnvCarrier::new, || variables().collect());
}

#[test]
fn a_child_process_inherits_no_variable_of_another_trace() {
    let mut carrier = EnvCarrier::new();
    let context = TraceContext::new(TraceId::new(), SpanId::new());
    CompositePropagator::default().inject(&context, &mut carrier);
    assert_eq!(carrier.removed().collect::<Vec<_>>(), ["BAGGAGE", "TRACESTATE"]);
    let rich = contexts().pop().unwrap();
    CompositePropagator::default().inject(&rich, &mut carrier);
    assert_eq!(carrier.removed().count(), 0);
}

#[cfg(feature = "otel")]
#[test]
fn no_propagator_for_opentelemetry_leaves_a_header_that_would_win() {
    use opentelemetry::Context;
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::TraceContextExt;
    use tailtrace::otel;

    for inner in propagators() {
        let propagator = otel::Propagator::new(CompositePropagator::new(vec![inner]));
        for context in contexts() {
            let remote = otel::convert::to_span_context(&context);
            let current = Context::new().with_remote_span_context(remote);
            let received = |mut carrier: HashMap<String, String>| {
                propagator.inject_context(&current, &mut carrier);
                let found = propagator.extract(&carrier);
                let span = found.span().span_context().clone();
                (span.trace_id(), span.span_id(), span.trace_flags())
            };
            let lines = STRANGER.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(received(HashMap::from(lines)), received(HashMap::new()));
        }
    }
}

#[cfg(feature = "otel")]
#[test]
fn a_proxy_with_opentelemetrys_api_sends_nothing_on_that_it_did_not_believe() {
    use opentelemetry::Context;
    use opentelemetry::baggage::BaggageExt;
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::TraceContextExt;
    use tailtrace::model::Border;
    use tailtrace::otel;

    let request = || -> HashMap<String, String> {
        let lines = STRANGER.iter().filter(|(name, _)| !name.starts_with("uberctx"));
        lines.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let ours = TraceContext::new(TraceId::new(), SpanId::new());
    for (border, inner) in [Border::Public, Border::Partner]
        .into_iter()
        .flat_map(|border| propagators().into_iter().map(move |inner| (border, inner)))
    {
        let inner = CompositePropagator::new(vec![inner]);
        let propagator = otel::Propagator::new(inner).with_border(border);
        let served = propagator.extract(&request());
        for current in
            [served.clone(), served.with_remote_span_context(otel::convert::to_span_context(&ours))]
        {
            let mut copied = request();
            propagator.inject_context(&current, &mut copied);
            let believed = otel::Propagator::default().extract(&copied);
            if copied["traceparent"] != STRANGER[0].1 {
                // A partner's trace has randomness of ours.
                let state = believed.span().span_context().trace_state().header();
                assert!(!state.contains("evil") && !state.contains("rv:ff"), "{copied:?}");
            }
            if propagator.fields().any(|field| field == "baggage") {
                assert!(believed.baggage().is_empty(), "{copied:?}");
            }
        }
    }
    // A context without a request below writes nothing that is empty.
    let mut new = HashMap::<String, String>::new();
    let current = Context::new().with_remote_span_context(otel::convert::to_span_context(&ours));
    otel::Propagator::default().inject_context(&current, &mut new);
    assert_eq!(new.into_keys().collect::<Vec<_>>(), ["traceparent"]);
}

/// The headers of a request that a client's layer sends under a span.
fn sent(layer: HttpClientLayer, headers: &[(&str, &str)]) -> HeaderMap {
    let memory = InMemoryExporter::new();
    let pipeline =
        Pipeline::builder("proxy").with_sampler(AlwaysOn).with_exporter(memory).start().unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    let send = service_fn(async |request: Request<String>| {
        let mut response = Response::new(String::new());
        response.headers_mut().extend(request.headers().clone());
        Ok::<_, io::Error>(response)
    });
    let mut client = ServiceBuilder::new().layer(layer).service(send);
    let mut request = Request::get("http://bank.example/").body(String::new()).unwrap();
    for (name, value) in headers {
        request
            .headers_mut()
            .append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let response =
        tracing::subscriber::with_default(subscriber, || runtime.block_on(client.call(request)));
    response.unwrap().headers().clone()
}

#[test]
fn a_header_that_a_proxy_copied_does_not_win_over_the_span() {
    let b3 = || HttpClientLayer::new().with_propagator(B3Propagator::multi());
    let copied = sent(b3(), &STRANGER);
    assert!(!copied.contains_key("b3") && !copied.contains_key("x-b3-flags"), "{copied:?}");
    assert_ne!(copied["x-b3-traceid"], "ffffffffffffffffffffffffffffffff");
    let copied = sent(HttpClientLayer::new(), &STRANGER[..2]);
    assert!(!copied["traceparent"].to_str().unwrap().contains("ffffffff"), "{copied:?}");
    assert!(!format!("{:?}", copied.get_all("tracestate")).contains("evil"), "{copied:?}");
}

#[test]
fn baggage_that_the_program_wrote_into_a_request_is_merged() {
    let own = sent(HttpClientLayer::new(), &[("baggage", "own=1;private"), ("baggage", "too=2")]);
    assert_eq!(own["baggage"], "own=1;private,too=2");
    assert!(own.contains_key("traceparent"));
    // What stands beside a caller's ids is the caller's.
    let copied = sent(HttpClientLayer::new(), &[STRANGER[0], ("baggage", "evil=1")]);
    assert!(!copied.contains_key("baggage"), "{copied:?}");
}

#[test]
fn no_baggage_goes_to_a_host_that_is_not_on_the_list() {
    let layers = || {
        let formats = CompositePropagator::new(propagators());
        [HttpClientLayer::new(), HttpClientLayer::new().with_propagator(formats)]
    };
    for layer in layers() {
        let layer = layer.with_baggage_hosts(["*.internal"]);
        let under_a_span = sent(layer.clone(), &[("baggage", "own=1")]);
        assert!(!under_a_span.contains_key("baggage"), "{under_a_span:?}");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let send = service_fn(async |request: Request<()>| {
            assert!(!request.headers().contains_key("baggage"), "{:?}", request.headers());
            Ok::<_, io::Error>(Response::new(String::new()))
        });
        let mut client = ServiceBuilder::new().layer(layer).service(send);
        let request = Request::get("http://bank.example/").header("baggage", "own=1");
        // Without a subscriber there is no span.
        drop(runtime.block_on(client.call(request.body(()).unwrap())).unwrap());
    }
}

/// What a receiver finds in a carrier: ids, flags, trace state and baggage.
#[cfg(feature = "otel")]
fn received(
    receiver: &tailtrace::otel::Propagator,
    carrier: &HashMap<String, String>,
) -> (opentelemetry::trace::SpanContext, Vec<String>) {
    use opentelemetry::baggage::BaggageExt;
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::TraceContextExt;

    let found = receiver.extract(carrier);
    let members = found.baggage().iter().map(|(key, (value, _))| format!("{key}={value}"));
    let mut members: Vec<String> = members.collect();
    members.sort();
    (found.span().span_context().clone(), members)
}

#[cfg(feature = "otel")]
#[test]
fn a_proxy_with_opentelemetrys_api_sends_what_it_would_send_in_a_new_carrier() {
    use std::sync::Arc;

    use opentelemetry::baggage::BaggageExt;
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::TraceContextExt;
    use tailtrace::model::Border;
    use tailtrace::otel;

    // All that a request may bring, and the same without each of it.
    let requests = (0..=STRANGER.len()).map(|left_out| {
        let lines = STRANGER.iter().enumerate().filter(move |(at, _)| *at != left_out);
        let lines = lines.filter(|(_, (name, _))| !name.starts_with("uberctx"));
        lines.map(|(_, (name, value))| ((*name).to_owned(), (*value).to_owned())).collect()
    });
    let requests: Vec<HashMap<String, String>> = requests.collect();
    for border in [Border::Public, Border::Partner, Border::Inside] {
        for inner in propagators().into_iter().map(Arc::<dyn Propagator>::from) {
            let propagator = otel::Propagator::new(inner.clone()).with_border(border);
            // A partner's request that is passed on without a span keeps its ids, and B3's line beside them.
            let is_passed_on =
                border != Border::Partner || !inner.fields().contains(&"x-b3-sampled");
            let receiver = otel::Propagator::new(inner);
            for request in &requests {
                let served = propagator.extract(request);
                let mut contexts: Vec<_> = contexts()
                    .iter()
                    .map(|ours| {
                        served.with_remote_span_context(otel::convert::to_span_context(ours))
                    })
                    .collect();
                contexts.extend(is_passed_on.then(|| served.clone()));
                let cleared: Vec<_> =
                    contexts.iter().map(BaggageExt::with_cleared_baggage).collect();
                for current in contexts.iter().chain(&cleared) {
                    let mut new = HashMap::new();
                    propagator.inject_context(current, &mut new);
                    let mut copied = request.clone();
                    propagator.inject_context(current, &mut copied);
                    let expected = received(&receiver, &new);
                    assert_eq!(received(&receiver, &copied), expected, "{border:?}: {copied:?}");
                }
            }
        }
    }
}
