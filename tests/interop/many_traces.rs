//! Ten thousand traces arrive complete.

use std::collections::BTreeMap;
use std::thread;

use tailtrace::export::OtlpProtocol;
use tailtrace::{InMemoryExporter, OtlpExporter, Pipeline, Trace, TraceId, Tracer};

use crate::PLENTY;
use crate::query::Query;
use crate::servers;

const THREADS: usize = 4;
const TRACES: usize = 10_000;

#[test]
fn ten_thousand_traces_arrive_complete_by_grpc() {
    let Some(jaeger) = servers::jaeger() else { return };
    let exporter = OtlpExporter::builder()
        .with_protocol(OtlpProtocol::Grpc)
        .with_endpoint(&jaeger.grpc)
        .build()
        .unwrap();
    check("many-by-grpc", jaeger.query(), exporter);
}

#[test]
fn ten_thousand_traces_arrive_complete_by_http() {
    let Some(jaeger) = servers::jaeger() else { return };
    let exporter = OtlpExporter::builder().with_endpoint(jaeger.traces_url()).build().unwrap();
    check("many-by-http", jaeger.query(), exporter);
}

#[track_caller]
fn check(service: &str, jaeger: Query<'_>, exporter: OtlpExporter) {
    let kept = InMemoryExporter::new();
    let pipeline = Pipeline::builder(service)
        .with_exporter(kept.clone())
        .with_exporter(exporter)
        .start()
        .unwrap();
    thread::scope(|scope| {
        for first in 0..THREADS {
            let tracer = pipeline.tracer();
            let mine = (first..TRACES).step_by(THREADS);
            scope.spawn(move || mine.for_each(|at| one_trace(&tracer, at % 7)));
        }
    });
    pipeline.flush(PLENTY).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!(kept.traces().len(), TRACES);
    assert_arrived_complete(jaeger, service, &kept.traces());
}

/// A root and so many children.
pub(crate) fn one_trace(tracer: &Tracer, children: usize) {
    let root = tracer.start_span("request");
    for at in 0..children {
        root.child("step").set_tag("at", i64::try_from(at).unwrap());
    }
}

/// Compares the spans of every trace, counted by trace id, with what Jaeger has of a service. Spans
/// that a retry has sent twice count once.
#[track_caller]
pub(crate) fn assert_arrived_complete(jaeger: Query<'_>, service: &str, sent: &[Trace]) {
    let sent: BTreeMap<TraceId, usize> =
        sent.iter().map(|trace| (trace.trace_id(), trace.span_count())).collect();
    let mut arrived = BTreeMap::<TraceId, usize>::new();
    let mut spans: Vec<_> =
        jaeger.service(service).into_iter().map(|span| (span.id(), span.span_id)).collect();
    spans.sort();
    spans.dedup();
    for (id, _) in spans {
        *arrived.entry(id).or_default() += 1;
    }
    let is_missing = |(id, count): &(&TraceId, &usize)| arrived.get(id) != Some(count);
    let missing: Vec<_> = sent.iter().filter(is_missing).take(5).collect();
    assert!(missing.is_empty(), "not as they were sent, among others: {missing:?}");
    assert_eq!(arrived.len(), sent.len());
}
