//! Data that is bent: what a program or an environment says arrives as it was meant.

use std::collections::HashMap;

use tailtrace::model::{Baggage, Limits, Redact, TagRef};
use tailtrace::propagation::{
    B3Propagator, BaggagePropagator, CompositePropagator, JaegerPropagator, Propagator,
};
use tailtrace::record::RecordLimits;
use tailtrace::{InMemoryExporter, Incoming, LogLevel, Pipeline, Status, config};

use super::support::PLENTY;

fn limits(spans: Limits) -> RecordLimits {
    RecordLimits::default().with_span(spans)
}

#[test]
fn a_length_limit_takes_no_element_out_of_a_list() {
    let memory = InMemoryExporter::new();
    let builder = Pipeline::builder("test").with_exporter(memory.clone());
    let builder = builder.with_limits(limits(Limits::default().with_value_bytes(8)));
    let pipeline = builder.start().unwrap();
    let texts: Vec<String> = (0..40).map(|number| format!("element {number}")).collect();
    pipeline.tracer().start_span("op").set_tag("texts", texts);
    pipeline.shutdown(PLENTY).unwrap();
    let traces = memory.traces();
    let Some(TagRef::StringArray(kept)) = traces[0].root().unwrap().tag("texts") else {
        panic!("the tag is there")
    };
    assert_eq!(kept.len(), 40);
    assert!(kept.iter().all(|text| text == "element "));
}

#[test]
fn a_length_limit_of_the_environment_takes_no_element_out_of_a_list_either() {
    for limit in ["8", "4", "0"] {
        let known = |name: &str| name == "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT";
        let settings = config::from_vars(&|name| known(name).then(|| limit.to_owned()));
        let memory = InMemoryExporter::new();
        let pipeline = settings.pipeline().unwrap().with_exporter(memory.clone()).start().unwrap();
        let texts: Vec<String> = (0..40).map(|number| format!("element {number}")).collect();
        let span = pipeline.tracer().start_span("op");
        span.set_tag("texts", texts);
        span.set_tag("numbers", (0..40).collect::<Vec<i64>>());
        drop(span);
        pipeline.shutdown(PLENTY).unwrap();
        let traces = memory.traces();
        let root = traces[0].root().unwrap();
        let (texts, numbers) = (root.tag("texts"), root.tag("numbers"));
        let (Some(TagRef::StringArray(texts)), Some(TagRef::I64Array(numbers))) = (texts, numbers)
        else {
            panic!("the tags are there")
        };
        let most: usize = limit.parse().unwrap();
        assert_eq!((texts.len(), numbers.len()), (40, 40), "{limit}");
        assert!(texts.iter().all(|text| text.len() == most), "{limit}");
    }
}

#[test]
fn an_empty_name_of_the_service_is_none_wherever_it_stands() {
    let name_of = |pipeline: tailtrace::pipeline::PipelineBuilder| {
        let memory = InMemoryExporter::new();
        let pipeline = pipeline.with_exporter(memory.clone()).start().unwrap();
        drop(pipeline.tracer().start_span("op"));
        pipeline.shutdown(PLENTY).unwrap();
        memory.traces()[0].resource().service_name().to_owned()
    };
    assert_eq!(name_of(Pipeline::builder("")), "unknown_service");
    for variable in ["OTEL_RESOURCE_ATTRIBUTES=service.name=", "OTEL_SERVICE_NAME= "] {
        let (known, value) = variable.split_once('=').unwrap();
        let settings = config::from_vars(&|name| (name == known).then(|| value.to_owned()));
        let settings = settings.with_default_service_name("shop");
        assert_eq!(name_of(settings.pipeline().unwrap()), "shop", "{variable}");
    }
}

/// Reads headers in a format, starts a trace with what they hold and returns the baggage that it would send on.
fn sent_on(format: impl Propagator + 'static, headers: &[(&str, &str)]) -> String {
    let pipeline =
        Pipeline::builder("test").with_exporter(InMemoryExporter::new()).start().unwrap();
    let tracer = pipeline.tracer().with_propagator(format);
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers: HashMap<String, String> = headers.iter().map(own).collect();
    let incoming: Incoming = tracer.extract(&headers);
    assert_eq!(incoming.context, None);
    let expected = Baggage::new().with("tenant", "acme").unwrap();
    assert_eq!(incoming.baggage, expected, "{headers:?}");
    let span = tracer.start_span_with_context("op", incoming);
    let mut sent = HashMap::new();
    CompositePropagator::default().inject(&span.context(), &mut sent);
    sent.remove("baggage").unwrap_or_default()
}

#[test]
fn baggage_without_a_trace_goes_on() {
    let baggage = ("baggage", "tenant=acme");
    let of_zeros = "00-00000000000000000000000000000000-0000000000000000-01";
    for parent in ["", "nonsense", of_zeros] {
        let headers = [("traceparent", parent), baggage];
        assert_eq!(sent_on(CompositePropagator::default(), &headers), "tenant=acme");
        let b3 = || {
            CompositePropagator::new(vec![
                Box::new(B3Propagator::single()),
                Box::new(BaggagePropagator),
            ])
        };
        assert_eq!(sent_on(b3(), &[("b3", parent), baggage]), "tenant=acme");
        let old = ("uberctx-tenant", "acme");
        assert_eq!(sent_on(JaegerPropagator, &[("uber-trace-id", parent), old]), "tenant=acme");
    }
}

#[test]
fn what_must_not_be_told_reaches_no_exporter_and_is_counted() {
    let memory = InMemoryExporter::new();
    let redact = Redact::new().with_denied_key("*.secret").with_denied_value("*@*");
    let builder = Pipeline::builder("test").with_redact(redact).with_exporter(memory.clone());
    // It is done once, whatever the number of exporters.
    let pipeline = builder.with_exporter(InMemoryExporter::new()).start().unwrap();
    let tracer = pipeline.tracer();
    {
        let root = tracer.start_span("mail to a@example.org");
        root.set_tag("my.secret", 7).set_tag("kept", "yes");
        let child = root.child("child");
        child.log_with_fields(LogLevel::Warn, "b@example.org", [("their.secret", "x")]);
        child.set_status(Status::error("no c@example.org"));
    }
    drop(tracer.start_span("plain"));
    pipeline.shutdown(PLENTY).unwrap();
    let told = format!("{:?}", memory.traces());
    assert!(!told.contains("example.org") && !told.contains("secret"), "{told}");
    let traces = memory.traces();
    let [root, child] = [0, 1].map(|index| traces[0].spans().nth(index).unwrap());
    assert_eq!((root.operation_name(), root.tag("my.secret")), ("REDACTED", None));
    assert_eq!(root.tag("kept"), Some(TagRef::Str("yes")));
    assert_eq!(child.parent_span_id(), Some(root.span_id()));
    assert!(child.failed() && child.status_description() == "REDACTED");
    let log = child.logs().next().unwrap();
    assert_eq!((log.message(), log.fields().count()), ("REDACTED", 0));
    assert_eq!(pipeline.stats().redacted, 5);
}

#[cfg(feature = "otlp")]
#[test]
fn the_scope_of_a_span_arrives_in_its_place_by_otlp() {
    use super::server::{Reply, Server};

    let server = Server::http(|_| Reply::ok());
    let exporter = tailtrace::OtlpExporter::builder().with_endpoint(server.url("/")).build();
    let pipeline = Pipeline::builder("test").with_exporter(exporter.unwrap()).start().unwrap();
    let root = pipeline.tracer().start_span("ours");
    root.child("theirs").set_tag("otel.scope.name", "sqlx").set_tag("otel.scope.version", "1");
    drop(root);
    pipeline.shutdown(PLENTY).unwrap();
    let scopes = server.next().message().resource_spans.remove(0).scope_spans;
    let told = |index: usize| {
        let scope = scopes[index].scope.as_ref().unwrap();
        (&*scope.name, &*scope.version, &*scopes[index].spans[0].name)
    };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!([told(0), told(1)], [("tailtrace", version, "ours"), ("sqlx", "1", "theirs")]);
    assert!(scopes[1].spans[0].attributes.is_empty());
}

#[cfg(feature = "zipkin")]
#[test]
fn the_scope_of_a_span_arrives_in_its_place_at_zipkin() {
    use super::server::{Reply, Server};

    let server = Server::http(|_| Reply::ok());
    let exporter = tailtrace::ZipkinExporter::new(server.url("/api/v2/spans")).unwrap();
    let pipeline = Pipeline::builder("test").with_exporter(exporter).start().unwrap();
    let root = pipeline.tracer().start_span("ours");
    root.child("theirs").set_tag("otel.scope.name", "sqlx").set_tag("otel.scope.version", "1");
    drop(root);
    pipeline.shutdown(PLENTY).unwrap();
    let body = server.next().body;
    let spans: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
    let told = |name: &str| {
        let span = spans.iter().find(|span| span["name"] == name).unwrap();
        ["otel.scope.name", "otel.scope.version"].map(|tag| span["tags"][tag].as_str().unwrap())
    };
    assert_eq!(told("theirs"), ["sqlx", "1"]);
    assert_eq!(told("ours"), ["tailtrace", env!("CARGO_PKG_VERSION")]);
}

#[cfg(feature = "otlp")]
#[test]
fn a_line_of_json_with_a_trace_id_of_its_own_has_no_second_one() {
    use tracing_subscriber::prelude::*;

    let lines = super::lines::Lines::default();
    let pipeline =
        Pipeline::builder("test").with_exporter(InMemoryExporter::new()).start().unwrap();
    let logs = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let logs = logs.with_writer(lines.clone()).map_event_format(tailtrace::TraceIds::json);
    let subscriber = tracing_subscriber::registry().with(pipeline.layer()).with(logs);
    tracing::subscriber::with_default(subscriber, || {
        tracing::info_span!("op").in_scope(|| tracing::info!(trace_id = "mine", "asked"));
    });
    let text = lines.text();
    let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(line["trace_id"], "mine");
    assert_eq!((text.matches("\"trace_id\"").count(), text.matches("\"span_id\"").count()), (1, 1));
}
