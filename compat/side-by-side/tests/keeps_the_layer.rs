//! The first switch: the layer of tracing-opentelemetry stays, and one call leads its spans into our pipeline.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::global;
use tailtrace::{Errors, InMemoryExporter, Pipeline, TailSampler, otel};
use tracing::{error, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::prelude::*;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn the_callers_context_comes_in_headers_go_out_and_the_tail_decides() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("shop")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let tracer = otel::install(&pipeline);
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let _default = tracing_subscriber::registry().with(layer).set_default();

    let mut sent = HashMap::new();
    for fails in [false, true] {
        // What axum-tracing-opentelemetry and reqwest-tracing do with each request.
        let headers = HashMap::from([("traceparent".to_owned(), PARENT.to_owned())]);
        let caller = global::get_text_map_propagator(|format| format.extract(&headers));
        let request = info_span!("GET /orders");
        request.set_parent(caller).unwrap();
        request.in_scope(|| {
            let call = info_span!("GET /rates");
            sent.clear();
            global::get_text_map_propagator(|format| {
                format.inject_context(&call.context(), &mut sent)
            });
            if fails {
                call.in_scope(|| error!("declined"));
            }
        });
    }
    pipeline.shutdown(Duration::from_secs(60)).unwrap();
    let traces = memory.traces();
    assert_eq!(traces.len(), 1, "only the trace that failed is kept");
    assert_eq!(traces[0].trace_id().to_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
    let names: Vec<_> = traces[0].spans().map(|span| span.operation_name()).collect();
    assert_eq!(names, ["GET /orders", "GET /rates"]);
    let call = traces[0].spans().nth(1).unwrap().span_id().to_hex();
    assert!(sent["traceparent"].contains(&call), "{sent:?}");
    assert_eq!(pipeline.stats().started, 4);
}
