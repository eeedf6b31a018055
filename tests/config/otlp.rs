//! OTLP by the environment, up to the server.

use std::error::Error;

use tailtrace::config::ConfigError;

use super::pipeline::{PLENTY, hearing};
use super::server::{Seen, Server};
use super::{fine, read, warned};

const TLS: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318");

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

/// Why the exporters cannot be made, though the program starts.
#[track_caller]
fn refusal(vars: &[(&str, &str)]) -> ConfigError {
    let settings = fine(vars);
    let started = settings.pipeline().unwrap().start();
    assert!(started.is_ok());
    settings.exporters().err().expect("an exporter is refused")
}

#[cfg(feature = "tls")]
#[test]
fn a_file_that_cannot_be_read_costs_its_exporter_by_its_name() {
    for (variable, named) in [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    ] {
        let error = refusal(&[TLS, (variable, "/no/such.pem")]);
        let told = error.to_string();
        assert!(told.contains("/no/such.pem") && told.contains(named), "{told}");
        let source = error.source().unwrap().to_string();
        assert!(told.starts_with(&format!("cannot read /no/such.pem: {source}; ")), "{told}");
    }
    let identity = [
        TLS,
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/no/such.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/no/key.pem"),
    ];
    refusal(&identity);
}

#[test]
fn an_exporter_that_cannot_be_made_is_told_once_and_the_program_starts() {
    let file = ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem");
    let heard = hearing(|| {
        let pipeline = fine(&[TLS, file]).pipeline().unwrap().start().unwrap();
        drop(pipeline.tracer().start_span("op"));
        pipeline.shutdown(PLENTY).unwrap();
    });
    assert_eq!(heard.matches("until then it exports nothing").count(), 1, "{heard}");
}

#[test]
fn certificates_beside_an_endpoint_without_tls_cost_their_variables() {
    for vars in [
        vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem")],
        vec![
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/c.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/k.pem"),
        ],
    ] {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let settings = read(&[&vars[..], &[endpoint]].concat());
        assert_eq!(warned(&settings), [vars[0].0]);
        assert_eq!(
            (&settings.otlp().certificate, &settings.otlp().client_identity),
            (&None, &None)
        );
        assert!(settings.exporters().is_ok());
    }
}

#[test]
fn a_header_of_the_protocol_s_own_costs_its_entry_and_the_rest_is_sent() {
    let vars = [("OTEL_EXPORTER_OTLP_HEADERS", "content-type=text/plain,api-key=k,x=%09")];
    let settings = read(&vars);
    assert_eq!(warned(&settings), ["OTEL_EXPORTER_OTLP_HEADERS"]);
    assert_eq!(settings.otlp().headers, [("api-key".to_owned(), "k".to_owned())]);
    assert!(settings.exporters().is_ok());
}

#[test]
fn requests_go_through_the_proxy_of_the_endpoint_s_scheme() {
    let server = Server::start();
    let proxy = server.url.replace("http://", "http://user:s3cret@");
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:4318"),
        ("HTTP_PROXY", &*proxy),
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
        ("NO_PROXY", "localhost,.internal"),
    ];
    let settings = fine(&vars);
    assert!(!format!("{settings:?}").contains("s3cret"));
    let pipeline = settings.pipeline().unwrap().start().unwrap();
    drop(pipeline.tracer().start_span("op"));
    pipeline.shutdown(PLENTY).unwrap();
    let seen = server.next();
    assert_eq!(seen.line, "POST http://collector.example:4318/v1/traces HTTP/1.1");
    assert!(seen.header("proxy-authorization").is_some_and(|value| value.starts_with("Basic ")));
}

#[test]
fn no_proxy_is_used_where_the_list_or_a_gateway_says_so_and_a_bad_one_costs_its_variable() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.internal:4318");
    let debug = |vars: &[(&str, &str)]| format!("{:?}", fine(&[vars, &[endpoint]].concat()).otlp());
    let proxy = ("HTTP_PROXY", "http://proxy:3128");
    assert!(debug(&[proxy]).contains("proxy:3128"));
    assert!(!debug(&[proxy, ("NO_PROXY", "internal")]).contains("proxy:3128"));
    assert!(!debug(&[proxy, ("REQUEST_METHOD", "GET")]).contains("proxy:3128"));
    let settings = read(&[endpoint, ("HTTP_PROXY", "socks5://u:s3cret@proxy")]);
    assert_eq!(warned(&settings), ["HTTP_PROXY"]);
    assert!(!settings.warnings()[0].to_string().contains("s3cret"));
}

#[test]
fn a_socket_of_unix_is_an_endpoint() {
    for protocol in ["grpc", "http/protobuf"] {
        let vars = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "unix:///run/otel.sock"),
        ];
        assert_eq!(fine(&vars).otlp().endpoint, "unix:///run/otel.sock");
        assert!(fine(&vars).exporters().is_ok());
    }
    let zipkin = [
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "unix:/run/zipkin.sock"),
    ];
    assert_eq!(fine(&zipkin).zipkin().endpoint, "unix:/run/zipkin.sock");
    assert!(fine(&zipkin).exporters().is_ok());
    for variable in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_ZIPKIN_ENDPOINT"] {
        assert_eq!(warned(&read(&[(variable, "unix://host")])), [variable]);
    }
}

#[test]
fn what_is_disabled_or_not_chosen_is_not_made() {
    let file = ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem");
    assert!(read(&[file, ("OTEL_TRACES_EXPORTER", "console")]).pipeline().is_ok());
    assert!(read(&[file, ("OTEL_SDK_DISABLED", "true")]).pipeline().is_ok());
}

#[cfg(not(feature = "tls"))]
#[test]
fn an_exporter_that_refuses_its_settings_is_not_made_and_gives_its_reason() {
    let error = refusal(&[TLS]);
    let (told, source) = (error.to_string(), error.source().unwrap().to_string());
    let variable = TLS.0;
    assert_eq!(told, format!("cannot make the exporter otlp for {variable}: {source}"));
    assert!(source.contains("tls-native-roots"), "{source}");
}

#[cfg(all(feature = "zipkin", not(feature = "tls")))]
#[test]
fn a_refusal_for_zipkin_names_it_once() {
    let endpoint = ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "https://zipkin/api/v2/spans");
    let error = refusal(&[("OTEL_TRACES_EXPORTER", "zipkin"), endpoint]);
    let told = error.to_string();
    let begins = format!(
        "cannot make the exporter zipkin for {}: \"https://zipkin/api/v2/spans\" needs TLS",
        endpoint.0
    );
    assert!(told.starts_with(&begins), "{told}");
}

/// Without any certificate authority, TLS is refused with and without its feature.
#[cfg(not(any(feature = "tls-native-roots", feature = "tls-webpki-roots")))]
#[test]
fn an_endpoint_that_means_tls_for_want_of_a_scheme_is_told_of_the_variable_for_that() {
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let told = |endpoint| {
        let vars = [grpc, ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)];
        refusal(&vars).to_string()
    };
    let line = told("collector:4317");
    let begins =
        "cannot make the exporter otlp for OTEL_EXPORTER_OTLP_ENDPOINT: \"https://collector:4317\"";
    assert!(line.starts_with(begins), "{line}");
    assert!(line.contains("tls-native-roots"), "{line}");
    assert!(line.ends_with("or set OTEL_EXPORTER_OTLP_INSECURE=true"), "{line}");
    let line = told("https://collector:4317");
    assert!(!line.contains("INSECURE"), "{line}");
    assert!(line.starts_with(begins), "{line}");
    let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "true");
    let vars = [grpc, insecure, ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")];
    assert!(fine(&vars).pipeline().is_ok());
}
