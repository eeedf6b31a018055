//! Propagators of OpenTelemetry as ours.

use std::collections::HashMap;

use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, trace as api};
use opentelemetry_aws::trace::XrayPropagator;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tailtrace::model::TraceFlags;
use tailtrace::otel::FromTextMap;
use tailtrace::propagation::{CompositePropagator, Propagator};
use tailtrace::{Incoming, SpanId, TraceContext, TraceId};

/// A format of one header that OpenTelemetry does not know: `trace;span`.
#[derive(Debug)]
struct OwnFormat(Vec<String>);

impl TextMapPropagator for OwnFormat {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let span = context.span();
        let context = span.span_context();
        injector.set("X-Own", format!("{};{}", context.trace_id(), context.span_id()));
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let read = |text: &str| {
            let (trace_id, span_id) = text.split_once(';')?;
            Some(SpanContext::new(
                api::TraceId::from_hex(trace_id).ok()?,
                api::SpanId::from_hex(span_id).ok()?,
                api::TraceFlags::SAMPLED,
                true,
                api::TraceState::default(),
            ))
        };
        match extractor.get("X-Own").and_then(read) {
            Some(caller) => context.with_remote_span_context(caller),
            None => context.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.0)
    }
}

#[test]
fn a_foreign_format_is_read_and_written_beside_ours() {
    let own = FromTextMap::new(OwnFormat(vec!["X-Own".to_owned()]));
    assert_eq!(own.fields(), ["x-own"]);
    let both = CompositePropagator::new(vec![
        Box::new(own),
        Box::new(FromTextMap::new(BaggagePropagator::new())),
    ]);
    let mut context = TraceContext::new(TraceId::new(), SpanId::new());
    context.baggage = context.baggage.with("tenant", "acme").unwrap();
    let mut headers: HashMap<String, String> = HashMap::new();
    both.inject(&context, &mut headers);
    assert_eq!(headers["x-own"], format!("{};{}", context.trace_id, context.span_id));
    assert_eq!(headers["baggage"], "tenant=acme");
    let mut incoming = Incoming::default();
    both.extract(&headers, &mut incoming);
    let caller = incoming.context.unwrap();
    assert_eq!((caller.trace_id, caller.span_id), (context.trace_id, context.span_id));
    assert!(caller.is_remote);
    assert_eq!(incoming.baggage.get("tenant"), Some("acme"));
}

#[test]
fn what_a_foreign_format_cannot_read_stays_as_it_is() {
    let propagator = FromTextMap::new(TraceContextPropagator::new());
    let mut incoming = Incoming::from(TraceContext::new(TraceId::new(), SpanId::new()));
    let before = incoming.context.clone();
    let headers = HashMap::from([("traceparent".to_owned(), "00-zero".to_owned())]);
    propagator.extract(&headers, &mut incoming);
    assert_eq!(incoming.context, before);
}

#[test]
fn the_header_of_x_ray_is_read_and_written_by_its_own_crate() {
    let propagator = FromTextMap::new(XrayPropagator::default());
    let sent = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let headers = HashMap::from([("X-Amzn-Trace-Id".to_owned(), sent.to_owned())]);
    let mut incoming = Incoming::default();
    propagator.extract(&headers, &mut incoming);
    let caller = incoming.context.unwrap();
    assert_eq!(caller.trace_id.to_hex(), "5759e988bd862e3fe1be46a994272793");
    assert_eq!(caller.span_id.to_hex(), "53995c3f42cd8ad8");
    assert!(caller.flags.is_sampled() && caller.is_remote);
    let mut written: HashMap<String, String> = HashMap::new();
    propagator.inject(&caller, &mut written);
    let read = |part: &str| written["x-amzn-trace-id"].split(';').any(|said| said == part);
    assert!(sent.split(';').all(read), "{written:?}");
}

#[test]
fn a_trace_of_ours_has_its_decision_in_x_rays_header_and_one_that_is_left_to_us_is_ours() {
    let propagator = FromTextMap::new(XrayPropagator::default());
    let mut context = TraceContext::new(TraceId::new(), SpanId::new());
    for (flags, expected) in [
        (TraceFlags::SAMPLED, "Sampled=1"),
        (TraceFlags::SAMPLED.with_random(true), "Sampled=1"),
        (TraceFlags::default().with_random(true), "Sampled=0"),
        (TraceFlags::DEFERRED, "Sampled=?"),
    ] {
        context.flags = flags;
        let mut written: HashMap<String, String> = HashMap::new();
        propagator.inject(&context, &mut written);
        let line = &written["x-amzn-trace-id"];
        assert!(line.split(';').any(|part| part == expected), "{flags:?}: {line}");
        let mut incoming = Incoming::default();
        propagator.extract(&written, &mut incoming);
        let read = incoming.context.unwrap().flags;
        assert_eq!(read, flags.with_random(false), "{line}");
    }
}
