//! One trace through three services, in one program over the bus in memory: an error in the last of them has the parts
//! of all three kept. Without coherence only the service that failed keeps its own.
//!
//! ```sh
//! cargo run --example across_services
//! ```

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tailtrace::coherence::{Coherence, MemoryBus};
use tailtrace::{ConsoleExporter, Errors, Pipeline, SpanGuard, TailSampler, TraceContext};

const WORK: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("Without coherence:\n");
    serve_order(None)?;
    println!("With coherence:\n");
    serve_order(Some(&MemoryBus::new()))
}

/// Serves one order with three services, and prints the part of its trace that each of them keeps.
fn serve_order(bus: Option<&MemoryBus>) -> Result<(), Box<dyn std::error::Error>> {
    let shop = start("shop", bus)?;
    let bank = start("bank", bus)?;
    let ledger = start("ledger", bus)?;

    let order = shop.tracer().start_span("POST /orders");
    thread::sleep(WORK);
    let call = order.child("POST bank/payments");
    let payment = serve(&bank, "POST /payments", &call.context());
    let call_of_bank = payment.child("POST ledger/entries");
    let entry = serve(&ledger, "POST /entries", &call_of_bank.context());
    entry.set_error(&io::Error::other("the account is closed"));
    // The innermost ends first, and its service decides: it keeps its part. To the two others all looks well.
    drop(entry);
    drop(call_of_bank);
    drop(payment);
    drop(call);
    drop(order);

    let services = [shop, bank, ledger];
    let kept = || services.iter().filter(|service| service.stats().traces_kept > 0).count();
    let start = Instant::now();
    // What the ledger tells is on its way for some milliseconds; the others hold their parts for ten seconds.
    while bus.is_some() && kept() < services.len() && start.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(10));
    }
    for service in &services {
        service.shutdown(Duration::from_secs(5))?;
    }
    println!("{} of 3 services kept their part\n", kept());
    Ok(())
}

fn start(name: &str, bus: Option<&MemoryBus>) -> Result<Pipeline, tailtrace::pipeline::StartError> {
    let builder = Pipeline::builder(name)
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(ConsoleExporter::stdout());
    match bus {
        Some(bus) => builder.with_coherence(Coherence::new(bus.clone()).with_group("prod")),
        None => builder,
    }
    .start()
}

/// The service's part of the trace, as a server begins it with the headers of a request.
fn serve(service: &Pipeline, name: &'static str, caller: &TraceContext) -> SpanGuard {
    let span = service.tracer().start_span_with_context(name, caller.clone().remote());
    thread::sleep(WORK);
    span
}
