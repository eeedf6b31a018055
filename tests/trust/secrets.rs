//! No text of a public type or error shows a secret that was put into it.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Debug;

use tailtrace::config::{self, Settings};

/// The mark of everything that must not show. As bytes in decimal it would begin with `83, 51`.
const MARK: &str = "S3CRET";

/// The same of a key that has no capitals.
const SMALL_MARK: &str = "a1b2c3d4";

/// Whether the exporters that the variables ask for are compiled in.
const HAS_EXPORTERS: bool = cfg!(all(feature = "otlp", feature = "zipkin"));

/// Variables that are addresses, lists, files and headers, with the ways to write them wrongly.
const VARIABLES: [(&str, &[&str]); 13] = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", URLS),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", URLS),
    ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", URLS),
    ("OTEL_EXPORTER_OTLP_HEADERS", HEADERS),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", HEADERS),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", PEMS),
    ("OTEL_EXPORTER_OTLP_CLIENT_KEY", PEMS),
    ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", PEMS),
    ("HTTPS_PROXY", URLS),
    ("HTTP_PROXY", URLS),
    ("OTEL_CONFIG_FILE", PEMS),
    ("TAILTRACE_COHERENCE_URL", BUSES),
    ("OTEL_RESOURCE_ATTRIBUTES", &["token=S3CRET", "token=S3CRET,x", "S3CRET", "a=%S3CRET"]),
];

const URLS: &[&str] = &[
    "user:S3CRET@host:4317",
    "htps://user:S3CRET@host",
    "https://user:S3CRET@host",
    "https://S3CRET@host:1/v1/traces",
    "https://host:99999999/?api_key=S3CRET",
    "http://localhost:4318/v1/traces?api_key=S3CRET",
    "http://localhost:4318/#S3CRET",
    "http://ho st/?api_key=S3CRET",
    "http://u:S3?CRET@host",
    "user:S3CRET%40host",
    "http://host:S3CRET",
    "unix:///run/x?key=S3CRET",
    "-----BEGIN PRIVATE KEY-----S3CRET",
];

pub(crate) const BUSES: &[&str] = &[
    "nats://user:S3CRET@host",
    "nats://S3CRET@host",
    "tls://user:S3CRET@host:99999999",
    "redis://:S3CRET@host",
    "rediss://user:S3CRET@host/0",
    "user:S3CRET@host:4222",
    "nats://host?token=S3CRET",
    "redis://host/0?password=S3CRET",
    "htps://user:S3CRET@host",
    "nats://user:S3CRET@ho st",
    "nats://a,nats://user:S3CRET@host",
];

const HEADERS: &[&str] = &[
    "authorization=Bearer S3CRET",
    "authorization: Bearer S3CRET",
    "a=1,S3CRET",
    "a=%S3CRET",
    "x y=S3CRET",
];

const PEMS: &[&str] = &[
    "-----BEGIN PRIVATE KEY----- S3CRET -----END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----S3CRET",
];

#[track_caller]
pub(crate) fn assert_harmless(what: &str, text: &str) {
    for mark in [MARK, "CRET", "83, 51", "53334352", SMALL_MARK] {
        assert!(!text.contains(mark), "{what}: {text}");
    }
}

#[track_caller]
pub(crate) fn check_debug(what: &str, value: &dyn Debug) {
    assert_harmless(what, &format!("{value:?}"));
    assert_harmless(what, &format!("{value:#?}"));
}

#[track_caller]
pub(crate) fn check_error(what: &str, error: &dyn Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        assert_harmless(what, &error.to_string());
        check_debug(what, &error);
        next = error.source();
    }
}

/// Checks all that settings say and all that is made of them.
#[track_caller]
fn check_settings(what: &str, settings: &Settings) {
    check_debug(what, settings);
    check_debug(what, settings.otlp());
    check_debug(what, settings.zipkin());
    for warning in settings.warnings() {
        assert_harmless(what, &warning.to_string());
        check_debug(what, warning);
    }
    if let Err(error) = settings.exporters() {
        check_error(what, &error);
    }
    match settings.pipeline() {
        Ok(builder) => check_debug(what, &builder),
        Err(error) => check_error(what, &error),
    }
    if let Some(coherence) = settings.coherence() {
        check_debug(what, &coherence);
    }
}

#[test]
fn no_variable_shows_in_settings_warnings_or_errors() {
    for (variable, values) in VARIABLES {
        for value in values {
            let what = format!("{variable}={value}");
            let mut given = vec![(variable, *value)];
            // A key counts beside a certificate only, and TLS where the endpoint asks for it.
            if variable.contains("CLIENT") {
                let other =
                    ["OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"];
                given.extend(other.map(|name| (name, *value)));
            }
            for protocol in ["grpc", "http/json"] {
                let settings = config::from_vars(&|name| {
                    let known = given.iter().find(|(known, _)| *known == name);
                    match name {
                        "OTEL_EXPORTER_OTLP_PROTOCOL" => Some(protocol.to_owned()),
                        "OTEL_TRACES_EXPORTER" => Some("otlp,zipkin".to_owned()),
                        _ => known.map(|(_, value)| (*value).to_owned()),
                    }
                });
                check_settings(&what, &settings);
                if let Ok(exporters) = settings.exporters() {
                    assert!(exporters.len() == 2 || !HAS_EXPORTERS);
                }
            }
        }
    }
}

/// Keys as they are put into the wrong variable: short ones, with the beginnings and ends that keys have.
const KEYS: &[&str] = &[
    "S3CRET",
    "S3CRETabc==",
    "glsa_S3CRETabcdef",
    "sk-live-S3CRET",
    "eyJhbGci.eyJTM0NSRVQ.S3CRET",
    "Bearer S3CRET",
    "none,S3CRET",
    "S3CRET,b3",
    "a:S3CRET",
    "7f3a91b2S3CRET",
    "S3CRET/S3CRET+S3CRET",
    "topS3CRET",
    "a1b2c3d4e5f60718",
    "7a1b2c3d4e5f6071",
    "none,a1b2c3d4e5f60718",
    "glsa_a1b2c3d4e5f60718",
    "key a1b2c3d4e5f60718",
];

/// What has other variables read, which stand beside it.
fn helper(variable: &str) -> Option<String> {
    let value = match variable {
        "OTEL_TRACES_SAMPLER" => "traceidratio",
        "OTEL_TRACES_EXPORTER" => "otlp,zipkin,console",
        "TAILTRACE_COHERENCE_URL" => "nats://localhost",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY" | "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" => "/no/such",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => "https://localhost",
        _ => return None,
    };
    Some(value.to_owned())
}

/// Every variable that is read.
fn all_variables() -> Vec<String> {
    let asked = RefCell::new(Vec::new());
    let settings = config::from_vars(&|name| {
        asked.borrow_mut().push(name.to_owned());
        helper(name)
    });
    drop(settings);
    let all = asked.into_inner();
    for read_with_another in ["OTEL_TRACES_SAMPLER_ARG", "TAILTRACE_COHERENCE_GROUP"] {
        assert!(all.iter().any(|name| name == read_with_another), "{read_with_another}");
    }
    all
}

#[test]
fn a_short_key_in_any_variable_shows_nowhere() {
    for variable in all_variables() {
        for key in KEYS {
            let what = format!("{variable}={key}");
            let settings = config::from_vars(&|name| {
                if name == variable { Some((*key).to_owned()) } else { helper(name) }
            });
            check_settings(&what, &settings);
        }
    }
}

#[cfg(all(feature = "jaeger", feature = "zipkin"))]
mod builders {
    use tailtrace::export::OtlpProtocol;
    use tailtrace::{JaegerExporter, OtlpExporter, ZipkinExporter};

    use super::*;

    /// Checks a builder and what comes of it, for each exporter and protocol.
    macro_rules! each_exporter {
        ($what:expr, $builder:ident => $set:expr) => {{
            let grpc = || OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc);
            each_exporter!(one: $what, OtlpExporter::builder(), $builder => $set);
            each_exporter!(one: $what, grpc(), $builder => $set);
            each_exporter!(one: $what, JaegerExporter::builder(), $builder => $set);
            each_exporter!(one: $what, ZipkinExporter::builder(), $builder => $set);
        }};
        (one: $what:expr, $made:expr, $builder:ident => $set:expr) => {{
            let $builder = $made;
            let $builder = $set;
            check_debug($what, &$builder);
            match $builder.build() {
                Ok(exporter) => {
                    check_debug($what, &exporter);
                    assert_harmless($what, exporter.endpoint());
                }
                Err(error) => check_error($what, &error),
            }
        }};
    }

    #[test]
    fn no_endpoint_shows_its_credentials_or_its_query() {
        for url in URLS {
            each_exporter!(url, builder => builder.with_endpoint(*url));
            let builder = OtlpExporter::builder().with_base_endpoint(*url);
            check_debug(url, &builder);
            if let Err(error) = builder.build() {
                check_error(url, &error);
            }
            if let Err(error) = OtlpExporter::new(url) {
                check_error(url, &error);
            }
        }
        // A port where Jaeger takes no OTLP has an error of its own.
        for url in ["http://user:S3CRET@jaeger:14268", "http://jaeger:14268/?key=S3CRET"] {
            check_error(url, &JaegerExporter::new(url).unwrap_err());
        }
    }

    #[test]
    fn no_header_shows_its_value_nor_a_line_in_place_of_its_name() {
        for (name, value) in [
            ("authorization", "Bearer S3CRET"),
            ("authorization: Bearer S3CRET", "x"),
            ("Bearer S3CRET", "x"),
            ("S3CRET==", "api-key"),
            ("S3CRET", "api-key"),
            ("sk-S3CRETa1b2", "authorization"),
            ("api-key", "S3CRET\nx: y"),
            ("content-type", "S3CRET"),
        ] {
            each_exporter!(name, builder => builder.with_header(name, value));
        }
    }

    #[test]
    fn no_key_or_certificate_shows_in_any_state() {
        let begin = "-----BEGIN PRIVATE KEY-----";
        let end = "-----END PRIVATE KEY-----";
        let body = "UzNDUkVUUzNDUkVU";
        let broken = [
            format!("{begin} S3CRET {end}"),
            format!("{begin}S3CRET{end}"),
            format!("{begin}\\nS3CRET\\n{end}"),
            format!("{begin}\nS3CRET"),
            format!("{begin}\nS3CRET!\n{end}"),
            format!("{begin}\n{body}\n{end}"),
            "S3CRET".to_owned(),
            String::new(),
        ];
        let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let good = authority.cert.pem();
        for pem in &broken {
            for scheme in ["http", "https"] {
                let endpoint = format!("{scheme}://localhost:4318");
                let pem = &**pem;
                let good = &*good;
                each_exporter!(pem, builder => builder.with_endpoint(&*endpoint).with_ca_certificate(pem));
                each_exporter!(pem, builder => {
                    let builder = builder.with_endpoint(&*endpoint).with_ca_certificate(good);
                    builder.with_client_identity(pem, pem)
                });
                each_exporter!(pem, builder => {
                    let builder = builder.with_endpoint(&*endpoint).with_ca_certificate(good);
                    builder.with_client_identity(good, pem)
                });
            }
        }
    }

    #[test]
    fn certificates_beside_an_endpoint_without_tls_are_an_error() {
        let refused = |error: tailtrace::export::HttpError| {
            assert!(error.to_string().contains("use https://"), "{error}");
        };
        let endpoint = "http://localhost:4317";
        let otlp = || OtlpExporter::builder().with_endpoint(endpoint);
        refused(otlp().with_ca_certificate("x").build().unwrap_err());
        refused(otlp().with_client_identity("x", "y").build().unwrap_err());
        refused(
            otlp().with_protocol(OtlpProtocol::Grpc).with_ca_certificate("x").build().unwrap_err(),
        );
        let jaeger = JaegerExporter::builder().with_endpoint(endpoint);
        refused(jaeger.with_ca_certificate("x").build().unwrap_err());
        let zipkin = ZipkinExporter::builder().with_endpoint(endpoint);
        refused(zipkin.with_client_identity("x", "y").build().unwrap_err());
    }
}
