//! A program of axum, tonic and reqwest, instrumented by other people's crates, shows one trace.

use std::collections::BTreeMap;
use std::process::Command;

use tailtrace::TraceId;

use crate::seen::Seen;
use crate::servers;

#[test]
fn a_request_through_three_libraries_is_one_connected_trace() {
    let Some(program) = servers::web_example() else { return };
    let Some(jaeger) = servers::jaeger() else { return };
    let output = Command::new(program).arg(&jaeger.grpc).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let id = printed.lines().find_map(|line| line.strip_prefix("trace ")).unwrap();

    let spans = jaeger.query().trace(TraceId::from_hex(id).unwrap());
    let by_id: BTreeMap<&str, &Seen> =
        spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
    // From the innermost span, the gRPC service's, up to the root.
    let server = |span: &&Seen| span.kind == 2 && span.name.contains("/grpc.health");
    let mut at = spans.iter().find(server).unwrap();
    let mut way = vec![(at.name.as_str(), at.kind)];
    while !at.parent.is_empty() {
        at = by_id[at.parent.as_str()];
        way.push((at.name.as_str(), at.kind));
    }
    let expected = [
        ("POST /grpc.health.v1.Health/Check", 2),
        ("/grpc.health.v1.Health/Check", 3),
        ("GET /orders", 2),
        ("GET", 3),
        ("visit", 1),
    ];
    assert_eq!(way, expected);
    assert_eq!(spans.len(), expected.len());
}
