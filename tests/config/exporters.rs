//! `OTEL_TRACES_EXPORTER`, and what the exporters are told.

use std::path::PathBuf;
use std::time::Duration;

use tailtrace::config::OtlpSettings;
use tailtrace::export::OtlpProtocol;

use super::{fine, read, refused, warned};

fn names(vars: &[(&str, &str)]) -> Vec<String> {
    let exporters = read(vars).exporters().expect("the settings are sound");
    exporters.iter().map(|exporter| exporter.name().into_owned()).collect()
}

#[test]
fn exporters_are_made_by_their_names() {
    assert_eq!(names(&[("OTEL_TRACES_EXPORTER", "console")]), ["ConsoleExporter"]);
    assert_eq!(names(&[("OTEL_TRACES_EXPORTER", "Console,console")]), ["ConsoleExporter"]);
    assert!(names(&[("OTEL_TRACES_EXPORTER", "none")]).is_empty());
    fine(&[("OTEL_TRACES_EXPORTER", "console")]);
    fine(&[("OTEL_TRACES_EXPORTER", "none")]);
}

#[test]
fn an_unknown_exporter_is_named_and_the_others_export() {
    let vars = [("OTEL_TRACES_EXPORTER", "logging,console")];
    assert_eq!(warned(&read(&vars)), ["OTEL_TRACES_EXPORTER"]);
    assert_eq!(names(&vars), ["ConsoleExporter"]);
}

fn warning(value: &str) -> String {
    let settings = read(&[("OTEL_TRACES_EXPORTER", value)]);
    settings.warnings().first().expect("a warning").to_string()
}

#[test]
fn who_names_an_unknown_exporter_hears_what_exports_meanwhile() {
    let line = warning("logging,console");
    assert!(
        line.contains("\"logging\" is ignored: use a list of otlp, console or zipkin"),
        "{line}"
    );
    assert!(line.ends_with("; until then console"), "{line}");
    assert!(warning("otpl,none").ends_with("; until then none"), "{}", warning("otpl,none"));
}

#[test]
fn a_misspelt_exporter_counts_as_unset() {
    let line = warning("otpl");
    assert!(line.ends_with(", or none; until then it counts as unset"), "{line}");
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_misspelt_exporter_leaves_nothing_beside_one_that_the_build_lacks() {
    let line = warning("otpl,otlp");
    assert!(line.ends_with("; until then nothing is recorded"), "{line}");
}

#[test]
fn who_asks_for_jaeger_hears_that_it_takes_otlp() {
    let line = warning("jaeger");
    assert!(line.contains("; Jaeger takes OTLP: use otlp; until then "), "{line}");
    assert!(!warning("otpl").contains("Jaeger"));
}

fn otlp(vars: &[(&str, &str)]) -> OtlpSettings {
    fine(vars).otlp().clone()
}

#[test]
fn otlp_has_the_defaults_of_the_specification() {
    let settings = otlp(&[]);
    assert_eq!(settings.protocol, OtlpProtocol::HttpProtobuf);
    assert_eq!(settings.endpoint, "http://localhost:4318/v1/traces");
    assert_eq!((settings.headers.len(), settings.gzip), (0, false));
    assert_eq!(settings.timeout, Duration::from_secs(10));
    assert_eq!((settings.certificate, settings.client_identity), (None, None));
    let grpc = otlp(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert_eq!(grpc.endpoint, "http://localhost:4317");
}

#[test]
fn every_protocol_has_its_encoding() {
    for (value, protocol) in [
        ("grpc", OtlpProtocol::Grpc),
        ("http/protobuf", OtlpProtocol::HttpProtobuf),
        ("HTTP/JSON", OtlpProtocol::HttpJson),
    ] {
        assert_eq!(otlp(&[("OTEL_EXPORTER_OTLP_PROTOCOL", value)]).protocol, protocol);
        assert_eq!(otlp(&[("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", value)]).protocol, protocol);
    }
    let settings = refused("OTEL_EXPORTER_OTLP_PROTOCOL", "thrift");
    assert_eq!(settings.otlp().protocol, OtlpProtocol::HttpProtobuf);
}

#[test]
fn the_general_endpoint_gets_the_path_and_the_one_for_traces_is_taken_as_it_is() {
    for (general, expected) in [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("https://c/otlp/", "https://c/otlp/v1/traces"),
    ] {
        assert_eq!(otlp(&[("OTEL_EXPORTER_OTLP_ENDPOINT", general)]).endpoint, expected);
    }
    for (own, expected) in [
        ("http://c:4318", "http://c:4318/"),
        ("http://c:4318/x", "http://c:4318/x"),
        ("http://c/v1/traces/", "http://c/v1/traces/"),
    ] {
        let vars = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", own),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general"),
        ];
        assert_eq!(otlp(&vars).endpoint, expected);
    }
}

#[test]
fn the_scheme_decides_about_tls_and_insecure_only_where_there_is_none() {
    let grpc = |vars: &[(&str, &str)]| {
        let protocol = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        otlp(&[vars, &[protocol]].concat()).endpoint
    };
    let endpoint = |value| ("OTEL_EXPORTER_OTLP_ENDPOINT", value);
    let insecure = |value| ("OTEL_EXPORTER_OTLP_INSECURE", value);
    assert_eq!(grpc(&[endpoint("http://c:4317")]), "http://c:4317");
    assert_eq!(grpc(&[endpoint("https://c:4317"), insecure("true")]), "https://c:4317");
    assert_eq!(grpc(&[endpoint("c:4317")]), "https://c:4317");
    assert_eq!(grpc(&[endpoint("c:4317"), insecure("TRUE")]), "http://c:4317");
    let own = ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true");
    assert_eq!(grpc(&[endpoint("c:4317"), insecure("false"), own]), "http://c:4317");
}

#[test]
fn an_endpoint_that_cannot_be_sent_to_counts_as_unset() {
    for value in ["collector:4318", "ftp://c", "http://", "http://c:port"] {
        let settings = refused("OTEL_EXPORTER_OTLP_ENDPOINT", value);
        assert_eq!(settings.otlp().endpoint, "http://localhost:4318/v1/traces");
    }
    let settings = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:s3cret@c:4318")]);
    assert!(!settings.warnings()[0].to_string().contains("s3cret"));
    assert_eq!(settings.otlp().endpoint, "http://localhost:4318/v1/traces");
    let vars = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://c"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general"),
    ];
    assert_eq!(read(&vars).otlp().endpoint, "http://general/v1/traces");
}

#[test]
fn headers_are_decoded_and_those_for_traces_replace_the_general_ones() {
    let general = ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20a%3Db, x-tenant = 7");
    let expected = [("authorization", "Bearer a=b"), ("x-tenant", "7")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(otlp(&[general]).headers, expected);
    let own = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=1");
    assert_eq!(otlp(&[general, own]).headers, [("a".to_owned(), "1".to_owned())]);
}

#[test]
fn what_headers_hold_is_never_repeated() {
    for value in ["authorization=s3cret,x", "s3cret", "authorization=s3cret%zz", "a=%0as3cret"] {
        let settings = read(&[("OTEL_EXPORTER_OTLP_HEADERS", value)]);
        assert_eq!(warned(&settings), ["OTEL_EXPORTER_OTLP_HEADERS"], "{value}");
        assert!(!settings.warnings()[0].to_string().contains("s3cret"));
        assert!(settings.otlp().headers.is_empty());
    }
    let settings = fine(&[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=s3cret")]);
    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn timeout_and_compression_are_read_with_those_for_traces_first() {
    let vars = [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ];
    assert_eq!((otlp(&vars).timeout, otlp(&vars).gzip), (Duration::ZERO, true));
    let own = [vars[2], ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none")];
    assert!(!otlp(&own).gzip);
    assert!(!refused("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd").otlp().gzip);
    assert_eq!(
        refused("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s").otlp().timeout,
        Duration::from_secs(10)
    );
}

#[test]
fn certificates_are_paths_and_an_identity_needs_both_of_its_files() {
    let settings = otlp(&[
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/c.pem"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/k.pem"),
    ]);
    assert_eq!(settings.certificate, Some(PathBuf::from("/ca.pem")));
    let identity = Some((PathBuf::from("/c.pem"), PathBuf::from("/k.pem")));
    assert_eq!(settings.client_identity, identity);
    for alone in ["OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE"] {
        let settings = read(&[(alone, "/a.pem")]);
        assert_eq!(warned(&settings), [alone]);
        assert_eq!(settings.otlp().client_identity, None);
    }
}

#[test]
fn zipkin_has_an_endpoint_and_a_timeout() {
    let settings = fine(&[]);
    assert_eq!(settings.zipkin().endpoint, "http://localhost:9411/api/v2/spans");
    assert_eq!(settings.zipkin().timeout, Duration::from_secs(10));
    let settings = fine(&[
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "https://z/spans"),
        ("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "250"),
    ]);
    assert_eq!(settings.zipkin().endpoint, "https://z/spans");
    assert_eq!(settings.zipkin().timeout, Duration::from_millis(250));
    let settings = refused("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "localhost:9411");
    assert_eq!(settings.zipkin().endpoint, "http://localhost:9411/api/v2/spans");
    refused("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "-1");
}

#[cfg(not(feature = "zipkin"))]
#[test]
fn asking_for_zipkin_in_a_build_without_it_is_warned_about_with_the_feature() {
    let vars = [("OTEL_TRACES_EXPORTER", "zipkin,console")];
    assert_eq!(warned(&read(&vars)), ["OTEL_TRACES_EXPORTER"]);
    assert!(read(&vars).warnings()[0].to_string().contains("`zipkin`"));
    assert_eq!(names(&vars), ["ConsoleExporter"]);
}
