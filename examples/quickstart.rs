//! An order service under a burst of 300 requests on four threads. Every request is recorded, and
//! judged when it is complete: those that failed, those that were slow and one in a hundred of the
//! rest are drawn, the others are forgotten. The ledger says what became of every span.
//!
//! `cargo run --example quickstart`

use std::error::Error;
use std::process::ExitCode;
use std::thread::{self, sleep};
use std::time::Duration;

use tailtrace::{ConsoleExporter, LogLevel, Pipeline, SpanGuard, Status, Tracer};
use tailtrace::{Errors, Fraction, SlowerThan, TailSampler};

const REQUESTS: u32 = 300;
const THREADS: u32 = 4;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let tail = TailSampler::new()
        .keep(Errors)
        .keep(SlowerThan(Duration::from_millis(50)))
        .keep(Fraction::new(0.01)?);
    let pipeline = Pipeline::builder("order-service")
        .with_tail(tail)
        .with_exporter(ConsoleExporter::builder().with_tags(true).with_logs(true).build())
        .start()?;

    let tracer = pipeline.tracer();
    thread::scope(|scope| {
        for first in 0..THREADS {
            let tracer = &tracer;
            let orders = (first..REQUESTS).step_by(THREADS as usize);
            scope.spawn(move || orders.for_each(|order| place_order(tracer, order)));
        }
    });

    // Ends the pipeline when everything kept has been drawn, or after five seconds.
    pipeline.shutdown(Duration::from_secs(5))?;
    let stats = pipeline.stats();
    println!("{} of {REQUESTS} traces were kept. What became of all spans:", stats.traces_kept);
    println!("{stats}");
    Ok(if stats.balances() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn place_order(tracer: &Tracer, order: u32) {
    let request = tracer.start_span("POST /orders");
    request.set_tag("order.id", order);
    reserve_stock(&request, order);
    if charge_card(&request, order) {
        let _receipt = request.child("send_receipt");
        sleep(Duration::from_millis(1));
    }
    // Spans end where they go out of scope; the trace is judged when its last one has.
}

fn reserve_stock(request: &SpanGuard, order: u32) {
    let span = request.child("reserve_stock");
    let query = span.child("UPDATE stock");
    if order % 110 == 42 {
        query.log(LogLevel::Warn, "waiting for a row lock");
        sleep(Duration::from_millis(60));
    }
    sleep(Duration::from_millis(1));
}

fn charge_card(request: &SpanGuard, order: u32) -> bool {
    let span = request.child("charge_card");
    sleep(Duration::from_millis(2));
    let is_declined = order % 150 == 99;
    if is_declined {
        span.set_status(Status::error("card declined: insufficient funds"));
    }
    !is_declined
}
