//! No exporter shows a secret, be it ours, the program's or one of OpenTelemetry.

use crate::secrets::{assert_harmless, check_debug};

#[cfg(all(feature = "jaeger", feature = "zipkin"))]
#[test]
fn no_exporter_shows_a_secret_when_it_fails_or_stands_in_another() {
    use crate::secrets::check_error;
    use tailtrace::delivery::AsyncExporter;
    use tailtrace::export::{Batch, ExportError};
    use tailtrace::testing::{span, trace};
    use tailtrace::{Exporter, JaegerExporter, OtlpExporter, Pipeline, ZipkinExporter};

    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let url = format!("http://{free}/v1/traces?key=S3CRET");
    let proxy = format!("http://user:S3CRET@{free}");
    let exporters = || -> [Box<dyn Exporter>; 4] {
        let otlp = || OtlpExporter::builder().with_header("authorization", "Bearer S3CRET");
        [
            Box::new(otlp().with_endpoint(&*url).build().unwrap()),
            Box::new(otlp().with_endpoint(&*url).with_proxy(&*proxy).build().unwrap()),
            Box::new(JaegerExporter::builder().with_endpoint(&*url).build().unwrap()),
            Box::new(ZipkinExporter::builder().with_endpoint(&*url).build().unwrap()),
        ]
    };
    for exporter in exporters() {
        let batch = Batch::from([trace(span("GET"))]);
        let error: ExportError = runtime.block_on(exporter.export(batch)).unwrap_err();
        check_error("ExportError", &error);
        let builder = Pipeline::builder("shop").with_exporter(exporter);
        check_debug("PipelineBuilder", &builder);
        let pipeline = builder.start().unwrap();
        check_debug("Pipeline", &pipeline);
    }
    for exporter in exporters() {
        check_debug("AsyncExporter", &AsyncExporter::new(exporter));
    }
    #[cfg(feature = "spool")]
    {
        use tailtrace::delivery::Spool;
        use tailtrace::export::OtlpProtocol;

        let folder = std::env::temp_dir().join(format!("tailtrace-types-{}", std::process::id()));
        let otlp = || OtlpExporter::builder().with_endpoint(&*url).with_header("key", "S3CRET");
        check_debug("Spool", &Spool::new(&folder, otlp().build().unwrap()).unwrap());
        let json = otlp().with_protocol(OtlpProtocol::HttpJson).build().unwrap();
        check_error("SpoolError", &Spool::new(&folder, json).unwrap_err());
        let pem = "-----BEGIN PRIVATE KEY-----\nS3CRET\0\n-----END PRIVATE KEY-----";
        check_error("SpoolError", &Spool::new(pem, otlp().build().unwrap()).unwrap_err());
        let _ = std::fs::remove_dir_all(&folder);
    }
}

#[test]
fn an_exporter_of_the_program_may_say_its_url_and_it_is_told_without_secrets() {
    use tailtrace::export::{Batch, ExportError};

    let url =
        "error sending request for url (https://u:S3CRET@host:1/v1/traces?api_key=S3CRET&x=1)";
    let errors = [
        ExportError::permanent(url),
        ExportError::partial(1, format!("refused: {url}")),
        ExportError::retryable(url.to_owned(), Batch::default()),
        ExportError::permanent("refused").with_source(std::io::Error::other(url)),
    ];
    for error in errors {
        assert!(format!("{error:?}").contains("host:1/v1/traces"), "{error:?}");
        check_debug("ExportError", &error);
        assert_harmless("ExportError", &error.to_string());
    }
}

/// An exporter of OpenTelemetry's SDK that shows its URL whatever it does.
#[cfg(feature = "otel")]
#[derive(Debug)]
struct Talkative(#[expect(dead_code, reason = "for its Debug")] &'static str);

#[cfg(feature = "otel")]
impl opentelemetry_sdk::trace::SpanExporter for Talkative {
    async fn export(
        &self,
        _: Vec<opentelemetry_sdk::trace::SpanData>,
    ) -> opentelemetry_sdk::error::OTelSdkResult {
        let text = "error sending request for url (https://u:S3CRET@h/v1?api_key=S3CRET)";
        Err(opentelemetry_sdk::error::OTelSdkError::InternalFailure(text.to_owned()))
    }
}

#[cfg(feature = "otel")]
#[test]
fn an_exporter_of_opentelemetry_shows_no_url_that_it_repeats() {
    use tailtrace::export::Batch;
    use tailtrace::otel::OtelExporter;
    use tailtrace::testing::{span, trace};
    use tailtrace::{AlwaysOn, Exporter, Tracer};

    let exporter = || OtelExporter::new(Talkative("https://u:S3CRET@h"));
    check_debug("OtelExporter", &exporter());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(exporter().export(Batch::from([trace(span("GET"))])));
    let error = error.unwrap_err();
    check_debug("ExportError", &error);
    assert_harmless("ExportError", &error.to_string());
    let tracer = Tracer::new("shop", AlwaysOn, exporter());
    drop(tracer.start_span("GET"));
    let error = tracer.shutdown(std::time::Duration::from_secs(60)).unwrap_err();
    check_debug("ShutdownError", &error);
    assert_harmless("ShutdownError", &error.to_string());
}
