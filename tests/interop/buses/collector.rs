//! A collector that counts, by trace id, which services sent their parts.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

/// The services of each trace, by its id.
pub(crate) type Services = HashMap<Vec<u8>, HashSet<String>>;

/// Takes OTLP by HTTP until the program ends.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) url: String,
    services: Arc<Mutex<Services>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let services = Arc::<Mutex<Services>>::default();
        let counted = Arc::clone(&services);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                thread::spawn(move || serve(stream, &counted));
            }
        });
        Self { url, services }
    }

    pub(crate) fn services(&self) -> Services {
        self.services.lock().unwrap().clone()
    }
}

/// Answers the requests of one connection, until it ends.
fn serve(stream: TcpStream, services: &Mutex<Services>) -> Option<()> {
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
        count(&ExportTraceServiceRequest::decode(&*body).unwrap(), services);
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        writer.write_all(head.as_bytes()).ok()?;
    }
}

fn count(request: &ExportTraceServiceRequest, services: &Mutex<Services>) {
    let mut services = services.lock().unwrap();
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
            services.entry(span.trace_id.clone()).or_default().insert(name.clone());
        }
    }
}
