//! No text shows a secret of an endpoint.

mod client;

use std::error::Error;
use std::fmt::Debug;

use client::Client;
use tailtrace::Exporter;
use tailtrace::export::Batch;
use tailtrace::testing::{span, trace};
use tailtrace_jaeger::ThriftExporter;

const ENDPOINTS: [&str; 6] = [
    "http://user:S3CRET@127.0.0.1:1/api/traces?key=S3CRET",
    "http://127.0.0.1:1/api/traces?key=S3CRET",
    "htps://user:S3CRET@ho st",
    "user:S3CRET@host:99999999",
    "127.0.0.1:1/S3CRET",
    "S3CRET",
];

#[track_caller]
fn check(shown: &dyn Debug) {
    let text = format!("{shown:?} {shown:#?}");
    assert!(!text.contains("CRET"), "{text}");
}

#[track_caller]
fn check_error(error: &dyn Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        assert!(!error.to_string().contains("CRET"), "{error}");
        check(&error);
        next = error.source();
    }
}

#[test]
fn neither_builders_nor_exporters_nor_errors_show_the_secrets_of_an_endpoint() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for endpoint in ENDPOINTS {
        let agent = ThriftExporter::agent().with_endpoint(endpoint);
        let collector = ThriftExporter::collector(Client).with_endpoint(endpoint);
        check(&agent);
        check(&collector);
        for built in [agent.build(), collector.build()] {
            match built {
                Ok(exporter) => {
                    check(&exporter);
                    let sent = exporter.export(Batch::from([trace(span("GET"))]));
                    if let Err(error) = runtime.block_on(sent) {
                        check_error(&error);
                    }
                }
                Err(error) => check_error(&error),
            }
        }
    }
}
