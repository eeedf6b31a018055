//! Jaeger is an OTLP peer with ports and messages of its own.

use std::net::TcpListener;

use tailtrace::export::OtlpProtocol;
use tailtrace::testing::{span, trace};
use tailtrace::{Exporter, JaegerExporter};

use crate::server::{Reply, Server};

fn export(exporter: &JaegerExporter) -> Result<(), tailtrace::export::ExportError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(exporter.export(trace(span("root")).into()))
}

#[test]
fn a_trace_arrives_by_grpc_and_by_http() {
    let server = Server::grpc(|_| Reply::code(0));
    let exporter = JaegerExporter::new(server.url("")).unwrap();
    assert_eq!(exporter.protocol(), OtlpProtocol::Grpc);
    export(&exporter).unwrap();
    assert_eq!(server.next().names(), ["root"]);
    let server = Server::http(|_| Reply::ok());
    let builder = JaegerExporter::builder().with_endpoint(server.url("/v1/traces"));
    export(&builder.with_header("x-team", "one").build().unwrap()).unwrap();
    let heard = server.next();
    assert_eq!((heard.header("x-team"), &*heard.names()), (Some("one"), &["root".to_owned()][..]));
}

#[test]
fn a_jaeger_that_is_not_there_is_named() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let exporter = JaegerExporter::new(format!("http://{free}")).unwrap();
    let error = export(&exporter).unwrap_err();
    let expected =
        format!("connection refused at http://{free}; is Jaeger listening for OTLP there?");
    assert_eq!((error.is_retryable(), error.to_string()), (true, expected));
    assert_eq!(exporter.name(), "JaegerExporter");
}

#[test]
fn a_jaeger_that_speaks_the_other_protocol_is_told_of_with_the_way_to_speak_it() {
    let server = Server::http(|_| Reply::ok());
    let told = export(&JaegerExporter::new(server.url("")).unwrap()).unwrap_err().to_string();
    assert!(
        told.ends_with(
            "If it takes HTTP, name its port 4318, or the path /v1/traces behind another"
        ),
        "{told}"
    );
    let server = Server::grpc(|_| Reply::code(0));
    let exporter = JaegerExporter::new(server.url("/v1/traces")).unwrap();
    let told = export(&exporter).unwrap_err().to_string();
    assert!(
        told.ends_with("If it takes gRPC, name its port 4317, or another without a path"),
        "{told}"
    );
}
