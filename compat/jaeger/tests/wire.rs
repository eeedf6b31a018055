//! What is on the wire, read by a codec that knows nothing of who wrote it.

mod client;

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use client::Client;
use tailtrace::export::Batch;
use tailtrace::ledger::Reason;
use tailtrace::model::{Link, Resource};
use tailtrace::{
    AlwaysOn, Exporter, LogLevel, Pipeline, Span, SpanId, SpanKind, Trace, TraceContext, TraceId,
};
use tailtrace_jaeger::ThriftExporter;
use thrift_codec::data::{Data, DataRef, Struct};
use thrift_codec::message::{Message, MessageKind};
use thrift_codec::{BinaryDecode, CompactDecode, CompactEncode};

const LONG: Duration = Duration::from_secs(60);

fn block_on<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(work)
}

/// A trace with one span below another, the latter with all that the formats hold.
fn order() -> Trace {
    let trace_id = TraceId::from_bits(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10).unwrap();
    let id = |bits| SpanId::from_bits(bits).unwrap();
    let start = UNIX_EPOCH + Duration::from_micros(1_700_000_000_000_001);
    let mut root = Span::started_at("order", TraceContext::new(trace_id, id(7)), start);
    root.finish_at(start + Duration::from_micros(1500));
    let mut context = TraceContext::new(trace_id, id(8));
    context.parent_span_id = Some(id(7));
    let mut span = Span::started_at("pay", context, start);
    span.set_kind(SpanKind::Client);
    span.set_tag("text", "ü");
    span.set_tag("number", -5);
    span.set_tag("fraction", 0.25);
    span.set_tag("yes", true);
    span.set_tag("otel.scope.name", "bank");
    span.add_link(Link::new(TraceContext::new(TraceId::from_bits(3).unwrap(), id(4))));
    span.log_at(start + Duration::from_micros(10), LogLevel::Warn, "slow", [("attempt", 2)]);
    span.set_status(tailtrace::Status::error("declined"));
    span.finish_at(start + Duration::from_micros(900));
    let mut trace = Trace::new(trace_id)
        .with_resource(Resource::new("shop").with_tag("deployment.environment", "test"));
    trace.add_span(root);
    trace.add_span(span);
    trace.finish();
    trace
}

/// A field of a struct.
fn field(of: &Struct, id: i16) -> Option<&Data> {
    of.fields().iter().find(|field| field.id() == id).map(|field| field.data())
}

fn number(of: &Struct, id: i16) -> i64 {
    match field(of, id) {
        Some(Data::I64(value)) => *value,
        Some(Data::I32(value)) => i64::from(*value),
        other => panic!("field {id}: {other:?}"),
    }
}

fn text(of: &Struct, id: i16) -> String {
    match field(of, id) {
        Some(Data::Binary(text)) => String::from_utf8(text.clone()).unwrap(),
        other => panic!("field {id}: {other:?}"),
    }
}

fn inner(of: &Struct, id: i16) -> &Struct {
    match field(of, id) {
        Some(Data::Struct(inner)) => inner,
        other => panic!("field {id}: {other:?}"),
    }
}

fn list(of: &Struct, id: i16) -> Vec<Struct> {
    match field(of, id) {
        Some(Data::List(list)) => list
            .iter()
            .map(|element| match element {
                DataRef::Struct(element) => element.clone(),
                other => panic!("{other:?}"),
            })
            .collect(),
        None => Vec::new(),
        other => panic!("field {id}: {other:?}"),
    }
}

/// `key=value` with the type's number in front: 0 text, 1 double, 2 bool, 3 long.
fn tags(of: &Struct, id: i16) -> Vec<String> {
    let told = |tag: &Struct| {
        let value = match (number(tag, 2), field(tag, 4), field(tag, 5)) {
            (0, ..) => text(tag, 3),
            (1, Some(Data::Double(value)), _) => value.to_string(),
            (2, _, Some(Data::Bool(value))) => value.to_string(),
            (3, ..) => number(tag, 6).to_string(),
            other => panic!("{other:?}"),
        };
        format!("{} {}={value}", number(tag, 2), text(tag, 1))
    };
    let mut all: Vec<String> = list(of, id).iter().map(told).collect();
    all.sort();
    all
}

/// The batch says what [`order`] does.
fn assert_order(batch: &Struct) {
    let process = inner(batch, 1);
    assert_eq!(text(process, 1), "shop");
    let known = tags(process, 2);
    assert!(known.contains(&"0 deployment.environment=test".to_owned()), "{known:?}");
    let spans = list(batch, 2);
    assert_eq!(spans.len(), 2);
    for (span, id, parent, name, lasted) in
        [(&spans[0], 7, 0, "order", 1500), (&spans[1], 8, 7, "pay", 900)]
    {
        assert_eq!(number(span, 1), 0x090a_0b0c_0d0e_0f10, "the low half of the trace id");
        assert_eq!(number(span, 2), 0x0102_0304_0506_0708, "the high half");
        assert_eq!((number(span, 3), number(span, 4)), (id, parent));
        assert_eq!(text(span, 5), name);
        assert_eq!(number(span, 7) & 1, 1, "sampled");
        assert_eq!((number(span, 8), number(span, 9)), (1_700_000_000_000_001, lasted));
    }
    let pay = &spans[1];
    let told = tags(pay, 10);
    for expected in [
        "0 text=ü",
        "3 number=-5",
        "1 fraction=0.25",
        "2 yes=true",
        "0 span.kind=client",
        "2 error=true",
        "0 otel.status_code=ERROR",
        "0 otel.status_description=declined",
        "0 otel.library.name=bank",
    ] {
        assert!(told.contains(&expected.to_owned()), "{expected} is not in {told:?}");
    }
    let links = list(pay, 6);
    let link = &links[0];
    assert_eq!((links.len(), number(link, 1)), (1, 1), "it follows from");
    assert_eq!((number(link, 2), number(link, 3), number(link, 4)), (3, 0, 4));
    let logs = list(pay, 11);
    assert_eq!((logs.len(), number(&logs[0], 1)), (1, 1_700_000_000_000_011));
    assert_eq!(tags(&logs[0], 2), ["0 event=slow", "0 level=WARN", "3 attempt=2"]);
}

fn agent() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

/// The batch of the next packet, and the packet's size.
fn receive(socket: &UdpSocket) -> (Struct, usize) {
    let mut packet = vec![0; 70_000];
    let size = socket.recv(&mut packet).unwrap();
    packet.truncate(size);
    let message = Message::compact_decode(&mut &packet[..]).unwrap();
    assert_eq!((message.method_name(), message.kind()), ("emitBatch", MessageKind::Oneway));
    let mut again = Vec::new();
    message.compact_encode(&mut again).unwrap();
    assert_eq!(again, packet, "the packet holds nothing else");
    (inner(message.body(), 1).clone(), size)
}

fn named(service: &str, spans: usize, bytes: usize) -> Trace {
    let mut trace = Trace::new(TraceId::new()).with_resource(Resource::new(service.to_owned()));
    for number in 0..spans {
        let mut span = Span::new("part", TraceContext::new(trace.trace_id(), SpanId::new()));
        span.set_tag("number", number as i64);
        span.set_tag("text", "x".repeat(bytes));
        trace.add_span(span);
    }
    trace.finish();
    trace
}

#[test]
fn an_agent_gets_what_was_traced_field_by_field() {
    let (socket, address) = agent();
    let exporter = ThriftExporter::agent().with_endpoint(address).build().unwrap();
    block_on(exporter.export(Batch::from([order()]))).unwrap();
    assert_order(&receive(&socket).0);
}

#[test]
fn each_service_is_told_under_its_own_name() {
    let (socket, address) = agent();
    let exporter = ThriftExporter::agent().with_endpoint(address).build().unwrap();
    let batch = [named("a", 1, 1), named("b", 1, 1), named("a", 1, 1)];
    block_on(exporter.export(Batch::from(&batch[..]))).unwrap();
    let told = |(batch, _): (Struct, usize)| (text(inner(&batch, 1), 1), list(&batch, 2).len());
    assert_eq!(told(receive(&socket)), ("a".to_owned(), 2));
    assert_eq!(told(receive(&socket)), ("b".to_owned(), 1));
}

#[test]
fn a_batch_larger_than_a_packet_goes_in_several() {
    let (socket, address) = agent();
    let exporter = ThriftExporter::agent().with_endpoint(address).with_max_packet_size(2000);
    let exporter = exporter.build().unwrap();
    block_on(exporter.export(Batch::from([named("a", 20, 400)]))).unwrap();
    let (mut spans, mut packets) = (0, 0);
    while spans < 20 {
        let (batch, size) = receive(&socket);
        assert!(size <= 2000, "{size}");
        spans += list(&batch, 2).len();
        packets += 1;
    }
    assert!(packets > 4, "{packets}");
}

#[test]
fn a_span_larger_than_a_packet_costs_itself_and_is_counted() {
    let (socket, address) = agent();
    let exporter = ThriftExporter::agent().with_endpoint(address).with_max_packet_size(2000);
    let pipeline = Pipeline::builder("shop")
        .with_sampler(AlwaysOn)
        .with_exporter(exporter.build().unwrap())
        .start()
        .unwrap();
    let root = pipeline.tracer().start_span("root");
    root.child("large").set_tag("text", "x".repeat(3000));
    for _ in 0..6 {
        drop(root.child("small"));
    }
    drop(root);
    assert!(pipeline.flush(LONG).is_err());
    let mut spans = 0;
    while spans < 7 {
        let (batch, _) = receive(&socket);
        let names: Vec<String> = list(&batch, 2).iter().map(|span| text(span, 5)).collect();
        assert!(!names.contains(&"large".to_owned()));
        spans += names.len();
    }
    let stats = pipeline.stats();
    assert_eq!((stats.exported, stats.dropped_by(Reason::Refused)), (7, 1), "{stats}");
}

/// Answers one request with a status; its head and its body.
fn collector(status: &'static str) -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send, requests) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let (mut chunk, mut head_size, mut size) = ([0; 4096], 0, usize::MAX);
        while request.len() < size {
            let read = stream.read(&mut chunk).unwrap();
            assert_ne!(read, 0, "the request ended early");
            request.extend_from_slice(&chunk[..read]);
            let end = request.windows(4).position(|bytes| bytes == b"\r\n\r\n");
            if let (Some(end), true) = (end, size == usize::MAX) {
                let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
                let (_, length) = head.split_once("content-length: ").unwrap();
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                (head_size, size) = (end + 4, end + 4 + length);
            }
        }
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&request[..head_size]).into_owned();
        send.send((head, request[head_size..].to_vec())).unwrap();
    });
    (format!("http://{address}/api/traces"), requests)
}

#[test]
fn a_collector_gets_what_was_traced_field_by_field() {
    let (endpoint, requests) = collector("202 Accepted");
    let exporter = ThriftExporter::collector(Client).with_endpoint(endpoint).build().unwrap();
    block_on(exporter.export(Batch::from([order()]))).unwrap();
    let (head, body) = requests.recv().unwrap();
    assert!(head.starts_with("POST /api/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/vnd.apache.thrift.binary"), "{head}");
    assert_order(&Struct::binary_decode(&mut &body[..]).unwrap());
}

#[test]
fn a_collector_that_refuses_is_told_as_a_failure() {
    let (endpoint, _requests) = collector("500 Internal Server Error");
    let exporter = ThriftExporter::collector(Client).with_endpoint(endpoint).build().unwrap();
    let failed = block_on(exporter.export(Batch::from([order()]))).unwrap_err();
    assert!(failed.to_string().contains("500"), "{failed}");
}

#[test]
fn endpoints_that_are_none_are_refused_with_the_cure() {
    let refused = ThriftExporter::agent().with_endpoint("nowhere").build().unwrap_err();
    assert!(refused.to_string().contains("check the endpoint"), "{refused}");
    let refused = ThriftExporter::collector(Client).with_endpoint("no url").build().unwrap_err();
    assert!(refused.to_string().contains("check the endpoint"), "{refused}");
}

#[test]
fn several_threads_share_one_exporter_and_no_span_changes_its_service() {
    let (socket, address) = agent();
    let exporter = Arc::new(ThriftExporter::agent().with_endpoint(address).build().unwrap());
    thread::scope(|scope| {
        for service in ["a", "b", "c"] {
            let exporter = Arc::clone(&exporter);
            scope.spawn(move || {
                for _ in 0..20 {
                    let mut trace = named(service, 1, 1);
                    let id = trace.spans().next().unwrap().span_id();
                    trace.span_mut(id).unwrap().set_tag("service", service);
                    block_on(exporter.export(Batch::from([trace]))).unwrap();
                }
            });
        }
    });
    for _ in 0..60 {
        let (batch, _) = receive(&socket);
        let service = text(inner(&batch, 1), 1);
        assert!(tags(&list(&batch, 2)[0], 10).contains(&format!("0 service={service}")));
    }
}
