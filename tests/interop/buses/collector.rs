//! A collector that counts, by trace id, which services sent their parts.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

/// When the part of each service arrived.
pub(crate) type Arrivals = HashMap<String, Instant>;
/// The parts of each trace, by its id.
pub(crate) type Traces = HashMap<Vec<u8>, Arrivals>;

/// Takes OTLP by HTTP until the program ends.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) port: u16,
    traces: Arc<Mutex<Traces>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let traces = Arc::<Mutex<Traces>>::default();
        let counted = Arc::clone(&traces);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                thread::spawn(move || serve(stream, &counted));
            }
        });
        Self { port, traces }
    }

    pub(crate) fn traces(&self) -> Traces {
        self.traces.lock().unwrap().clone()
    }
}

/// Answers the requests of one connection, until it ends.
fn serve(stream: TcpStream, traces: &Mutex<Traces>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        count(&ExportTraceServiceRequest::decode(&*body).unwrap(), traces);
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        writer.write_all(head.as_bytes()).ok()?;
    }
}

fn count(request: &ExportTraceServiceRequest, traces: &Mutex<Traces>) {
    let now = Instant::now();
    let mut traces = traces.lock().unwrap();
    for spans in &request.resource_spans {
        let tags = spans.resource.iter().flat_map(|resource| &resource.attributes);
        let name = tags.filter(|tag| tag.key == "service.name").find_map(|tag| {
            match tag.value.as_ref()?.value.as_ref()? {
                Value::StringValue(name) => Some(name.clone()),
                _ => None,
            }
        });
        let name = name.unwrap_or_default();
        for span in spans.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let parts = traces.entry(span.trace_id.clone()).or_default();
            parts.entry(name.clone()).or_insert(now);
        }
    }
}
