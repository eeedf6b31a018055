//! A consumer's loop under one root that ends with the program: each message is decided by itself, and those that fail
//! are drawn while the loop goes on.
//!
//! `cargo run --example long_running`

use std::time::Duration;

use tailtrace::record::RecordLimits;
use tailtrace::{ConsoleExporter, Errors, Pipeline, SpanGuard, Status, TailSampler};

const MESSAGES: u32 = 20_000;

fn handle(consumer: &SpanGuard, number: u32) {
    let message = consumer.child("process order");
    message.set_tag("messaging.message.id", i64::from(number));
    let charge = message.child("charge card");
    if number % 5_000 == 4_999 {
        charge.set_status(Status::error("card declined"));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A trace that is open for 30 s is decided in parts; so is one that has half of the spans that a trace may have.
    let limits = RecordLimits::default().with_part_age(Duration::from_secs(30));
    let pipeline = Pipeline::builder("orders")
        .with_tail(TailSampler::new().keep(Errors))
        .with_limits(limits)
        .with_exporter(ConsoleExporter::builder().with_tags(true).build())
        .start()?;
    let consumer = pipeline.tracer().start_span("consume orders");
    consumer.set_tag("messaging.destination.name", "orders");
    for number in 0..MESSAGES {
        handle(&consumer, number);
    }
    // What failed is out before the loop ends: a flush sends it, too.
    pipeline.flush(Duration::from_secs(5))?;
    let sent = pipeline.stats().exported;
    println!("\nThe loop has not ended, and {sent} spans of the messages that failed were sent.\n");
    // The root leaves when it ends, because parts below it were kept.
    drop(consumer);
    pipeline.shutdown(Duration::from_secs(5))?;
    println!("{}", pipeline.stats());
    Ok(())
}
