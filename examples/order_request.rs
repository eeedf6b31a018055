//! One request, traced by hand: the caller's context comes out of the incoming headers, two child
//! spans tell what the request waited for, and the context goes on into the outgoing headers. The
//! trace is drawn at once when its last span ends.
//!
//! `cargo run --example order_request`

use std::collections::HashMap;
use std::io;
use std::thread::sleep;
use std::time::Duration;

use tailtrace::{ConsoleExporter, FixedRateSampler, LogLevel, SpanGuard, Tracer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Samples every trace. At a rate of 0.1 this very one is left out, in every service alike.
    let sampler = FixedRateSampler::new(1.0)?;
    let console = ConsoleExporter::builder().with_tags(true).with_logs(true).build();
    let tracer = Tracer::new("order-service", sampler, console);

    // What an HTTP server would hand over.
    let incoming = HashMap::from([(
        "traceparent".to_owned(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
    )]);
    handle_request(&tracer, &incoming);

    // Waits until what was kept is out, and says so if something could not be delivered in time.
    tracer.shutdown(Duration::from_secs(5))?;
    println!("{}", tracer.stats());
    Ok(())
}

fn handle_request(tracer: &Tracer, headers: &HashMap<String, String>) {
    let request = match tracer.extract_context(headers) {
        Some(caller) => tracer.start_span_with_context("handle_request", &caller),
        None => tracer.start_span("handle_request"),
    };
    request.set_tag("http.method", "POST");
    request.set_tag("http.url", "/orders");

    let rows = database_query(&request);
    request.set_tag("order.lines", rows);
    if let Err(error) = external_api(tracer, &request) {
        request.log(LogLevel::Warn, format!("order is not paid yet: {error}"));
    }
    // Each span ends when its guard goes out of scope.
}

fn database_query(parent: &SpanGuard) -> usize {
    let span = parent.child("database_query");
    span.set_tag("db.system.name", "postgresql");
    span.set_tag("db.query.text", "SELECT * FROM order_lines WHERE order_id = $1");
    sleep(Duration::from_millis(12));
    span.log_with_fields(LogLevel::Info, "query done", [("rows", 3)]);
    3
}

fn external_api(tracer: &Tracer, parent: &SpanGuard) -> io::Result<()> {
    let span = parent.child("external_api");
    span.set_tag("server.address", "payments.example.com");

    // Headers for the outgoing call: the payment service continues this very trace.
    let mut outgoing = HashMap::new();
    tracer.inject_context(&span.context(), &mut outgoing);
    println!("outgoing headers: {outgoing:?}");

    sleep(Duration::from_millis(30));
    let error = io::Error::new(io::ErrorKind::TimedOut, "no answer within 30 ms");
    span.set_error(&error);
    Err(error)
}
