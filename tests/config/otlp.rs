//! OTLP by the environment, up to the server.

use std::error::Error;

use super::pipeline::PLENTY;
use super::server::{Seen, Server};
use super::{fine, read};

fn names(vars: &[(&str, &str)]) -> Vec<String> {
    let exporters = fine(vars).exporters().unwrap();
    exporters.iter().map(|exporter| exporter.name().into_owned()).collect()
}

#[test]
fn otlp_is_the_default() {
    assert_eq!(names(&[]), ["OtlpExporter"]);
    assert_eq!(names(&[("OTEL_TRACES_EXPORTER", "otlp")]), ["OtlpExporter"]);
    let both = [("OTEL_TRACES_EXPORTER", "console,otlp")];
    assert_eq!(names(&both), ["ConsoleExporter", "OtlpExporter"]);
    for protocol in ["grpc", "http/json", "http/protobuf"] {
        assert_eq!(names(&[("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]), ["OtlpExporter"]);
    }
}

/// What a server gets of a span of a program with these variables; `endpoint` is the one of the server.
fn sent(endpoint: &str, path: &str, vars: &[(&str, &str)]) -> Seen {
    let server = Server::start();
    let url = format!("{}{path}", server.url);
    let vars = [vars, &[(endpoint, &*url)]].concat();
    let pipeline = fine(&vars).pipeline().unwrap().start().unwrap();
    drop(pipeline.tracer().start_span("charge_card"));
    pipeline.shutdown(PLENTY).unwrap();
    assert_eq!(pipeline.stats().exported, 1, "{}", pipeline.stats());
    server.next()
}

#[test]
fn spans_arrive_where_the_environment_says() {
    let seen = sent(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "/collector",
        &[
            ("OTEL_SERVICE_NAME", "checkout"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=acme%20corp"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ],
    );
    assert_eq!(seen.line, "POST /collector/v1/traces HTTP/1.1");
    assert_eq!(seen.header("x-tenant"), Some("acme corp"));
    assert_eq!(seen.header("content-encoding"), Some("gzip"));
    assert_eq!(seen.header("content-type"), Some("application/x-protobuf"));
}

#[test]
fn an_endpoint_for_traces_is_sent_to_as_it_is() {
    let json = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
    let seen = sent("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", &[json]);
    assert_eq!(seen.line, "POST / HTTP/1.1");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert!(String::from_utf8(seen.body).unwrap().contains("\"charge_card\""));
}

#[test]
fn a_file_that_cannot_be_read_fails_the_start_by_its_name() {
    for (variable, named) in [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    ] {
        let error = fine(&[(variable, "/no/such.pem")]).pipeline().unwrap_err();
        let told = error.to_string();
        assert!(told.contains("/no/such.pem") && told.contains(named), "{told}");
        let source = error.source().unwrap().to_string();
        assert!(told.starts_with(&format!("cannot read /no/such.pem: {source}; ")), "{told}");
    }
    let identity = [
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/no/such.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/no/key.pem"),
    ];
    assert!(fine(&identity).pipeline().is_err());
}

#[test]
fn what_is_disabled_or_not_chosen_is_not_made() {
    let file = ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem");
    assert!(read(&[file, ("OTEL_TRACES_EXPORTER", "console")]).pipeline().is_ok());
    assert!(read(&[file, ("OTEL_SDK_DISABLED", "true")]).pipeline().is_ok());
}

#[cfg(not(feature = "tls"))]
#[test]
fn an_exporter_that_refuses_its_settings_fails_the_start_with_its_reason() {
    let vars = [("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318")];
    let error = fine(&vars).pipeline().unwrap_err();
    let (told, source) = (error.to_string(), error.source().unwrap().to_string());
    assert_eq!(told, format!("cannot make the exporter otlp: {source}"));
    assert!(source.contains("tls-native-roots"), "{source}");
}

#[cfg(all(feature = "zipkin", not(feature = "tls")))]
#[test]
fn a_refusal_for_zipkin_names_it_once() {
    let endpoint = ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "https://zipkin/api/v2/spans");
    let error = fine(&[("OTEL_TRACES_EXPORTER", "zipkin"), endpoint]).pipeline().unwrap_err();
    let told = error.to_string();
    let begins = "cannot make the exporter zipkin: \"https://zipkin/api/v2/spans\" needs TLS";
    assert!(told.starts_with(begins), "{told}");
}

/// Without any certificate authority, TLS is refused with and without its feature.
#[cfg(not(any(feature = "tls-native-roots", feature = "tls-webpki-roots")))]
#[test]
fn an_endpoint_that_means_tls_for_want_of_a_scheme_is_told_of_the_variable_for_that() {
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let told = |endpoint| {
        let vars = [grpc, ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)];
        fine(&vars).pipeline().unwrap_err().to_string()
    };
    let line = told("collector:4317");
    assert!(
        line.starts_with("cannot make the exporter otlp: \"https://collector:4317\""),
        "{line}"
    );
    assert!(line.contains("tls-native-roots"), "{line}");
    assert!(line.ends_with("or set OTEL_EXPORTER_OTLP_INSECURE=true"), "{line}");
    let line = told("https://collector:4317");
    assert!(!line.contains("INSECURE"), "{line}");
    let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "true");
    let vars = [grpc, insecure, ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")];
    assert!(fine(&vars).pipeline().is_ok());
}
