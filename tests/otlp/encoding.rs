//! What is written is what generated code reads, and byte for byte what it would write.

use std::cell::OnceCell;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost::Message;
use tailtrace::export::{OtlpExporterBuilder, OtlpProtocol};
use tailtrace::testing::{span, trace};
use tailtrace::{OtlpExporter, Span, SpanId, Trace, TraceContext, TraceId};

use crate::Caller;
use crate::made::{batches, expected};
use crate::server::{Received, Reply, Server};

/// An exporter and who hears it.
struct Ear {
    server: Server,
    caller: Caller,
}

impl Ear {
    fn new(builder: OtlpExporterBuilder) -> Self {
        let server = Server::http(|_| Reply::ok());
        let caller = Caller::new(builder.with_endpoint(server.url("/v1/traces")));
        Self { server, caller }
    }

    /// The request with this batch; `None` where there is nothing to send.
    fn hear(&self, batch: &[Trace]) -> Option<Received> {
        self.caller.export(batch).unwrap();
        self.server.so_far().pop()
    }
}

fn check(finite: bool, builder: fn() -> OtlpExporterBuilder, same: fn(&Received, &[Trace])) {
    let ear = OnceCell::new();
    let mut runner = TestRunner::new(Config { cases: 120, ..Config::default() });
    let outcome = runner.run(&batches(finite), |batch| {
        let ear = ear.get_or_init(|| Ear::new(builder()));
        let heard = ear.hear(&batch);
        prop_assert_eq!(heard.is_some(), batch.iter().any(|trace| trace.span_count() > 0));
        if let Some(heard) = heard {
            same(&heard, &batch);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A caller's trace of 100 spans with 7.8 kB of other systems' members.
fn with_long_state() -> [Trace; 1] {
    let members = (0..31).map(|at| format!("k{at}={}", "v".repeat(248)));
    let state = members.chain(["ot=th:8".to_owned()]).collect::<Vec<_>>().join(",");
    let mut context = TraceContext::new(TraceId::new(), SpanId::new());
    context.trace_state = state.parse().unwrap();
    assert!(context.trace_state.as_str().len() > 7_800);
    let mut made = Trace::new(context.trace_id).with_context(&context);
    for _ in 0..100 {
        let mut child = context.clone();
        child.parent_span_id = Some(context.span_id);
        child.span_id = SpanId::new();
        made.add_span(Span::new("GET", child));
    }
    made.finish();
    [made]
}

#[test]
fn members_of_other_systems_leave_once_unless_told_otherwise() {
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::HttpJson] {
        let of = |once: bool| {
            let builder = OtlpExporter::builder().with_protocol(protocol);
            let builder = builder.with_foreign_trace_state_on_root_only(once);
            Ear::new(builder).hear(&with_long_state()).unwrap().body
        };
        let default = Ear::new(OtlpExporter::builder().with_protocol(protocol));
        let default = default.hear(&with_long_state()).unwrap().body;
        let count = |body: &[u8], text: &str| String::from_utf8_lossy(body).matches(text).count();
        for (body, times) in [(default, 1), (of(true), 1), (of(false), 100)] {
            assert_eq!(count(&body, "k17="), times, "{protocol:?}");
            assert_eq!(count(&body, "ot=th:8"), 100, "{protocol:?}");
            assert!((times == 1) == (body.len() < 60_000), "{} bytes", body.len());
        }
    }
}

#[test]
fn protobuf_is_byte_for_byte_what_generated_code_writes() {
    check(false, OtlpExporter::builder, |heard, batch| {
        let expected = expected(batch);
        // Read first: a difference of fields says more than one of bytes.
        assert_eq!(format!("{:?}", heard.message()), format!("{expected:?}"));
        assert!(heard.body == expected.encode_to_vec(), "not as short as it could be");
    });
}

fn json() -> OtlpExporterBuilder {
    OtlpExporter::builder().with_protocol(OtlpProtocol::HttpJson)
}

#[test]
fn json_reads_as_what_was_meant() {
    check(true, json, |heard, batch| {
        let read: ExportTraceServiceRequest = serde_json::from_slice(&heard.body).unwrap();
        assert_eq!(read, expected(batch));
    });
}

#[test]
fn json_has_hexadecimal_ids_long_numbers_as_text_and_enumerations_as_numbers() {
    let ear = Ear::new(json());
    let made = span("a\"b")
        .tag("whole", 7)
        .tag("half", 0.5)
        .tag("none", f64::NAN)
        .tag("most", f64::INFINITY)
        .tag("raw", vec![1_u8, 255])
        .error("no");
    let heard = ear.hear(&[trace(made)]).unwrap();
    let text = String::from_utf8(heard.body.to_vec()).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text,
        [
            r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"unknown_service"}}]},"#,
            &format!(r#""scopeSpans":[{{"scope":{{"name":"tailtrace","version":"{version}"}},"spans":["#),
            r#"{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"0000000000000001","name":"a\"b","kind":1,"#,
            r#""startTimeUnixNano":"1767225600000000000","endTimeUnixNano":"1767225600001000000","attributes":["#,
            r#"{"key":"whole","value":{"intValue":"7"}},{"key":"half","value":{"doubleValue":0.5}},"#,
            r#"{"key":"none","value":{"doubleValue":"NaN"}},{"key":"most","value":{"doubleValue":"Infinity"}},"#,
            r#"{"key":"raw","value":{"bytesValue":"Af8="}}],"status":{"message":"no","code":2},"flags":256}]}]}]}"#,
        ]
        .concat()
    );
}
