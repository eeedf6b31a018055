//! The program of `tracing_layer` with one line changed: the subscriber is the pipeline's, and the program's logs
//! stand beside it. It prints the same; its spans cost less.
//!
//! `cargo run --example subscriber`

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use tailtrace::{ConsoleExporter, Errors, Fraction, Pipeline, SlowerThan, TailSampler, TraceIds};
use tracing::{Span, field, info, instrument, warn};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

const SLOW: Duration = Duration::from_millis(400);

fn main() -> Result<(), Box<dyn Error>> {
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(SLOW)).keep(Fraction::new(0.01)?);
    let pipeline = Pipeline::builder("shop").with_tail(tail).with_exporter(drawings()).start()?;

    let logs = fmt::layer().compact().with_target(false).without_time();
    let logs = tracing_subscriber::registry().with(logs.map_event_format(TraceIds::text));
    pipeline.subscriber().with_logs(logs).init(); // The line.

    let placed = (1..=5).filter(|order| place_order(*order).is_ok()).count();

    pipeline.shutdown(Duration::from_secs(5))?; // Dropping the pipeline waits for its drawings too.
    println!("{placed} of 5 orders were placed. What became of all spans:\n{}", pipeline.stats());
    Ok(())
}

fn drawings() -> ConsoleExporter {
    ConsoleExporter::builder().with_tags(true).with_logs(true).build()
}

#[instrument(name = "POST /orders", fields(otel.kind = "server", receipt = field::Empty), err)]
fn place_order(order: u32) -> Result<(), PaymentError> {
    reserve_stock(order);
    charge_card(12.5 * f64::from(order))?;
    Span::current().record("receipt", 1000 + order);
    info!("order placed");
    Ok(())
}

#[instrument(skip_all)]
fn reserve_stock(order: u32) {
    update_stock();
    if order == 5 {
        sleep(SLOW + Duration::from_millis(50));
        warn!(rows = 3, "waited for a row lock");
    }
}

#[instrument(name = "UPDATE stock", fields(otel.kind = "client"))]
fn update_stock() {
    sleep(Duration::from_millis(1));
}

#[instrument]
fn charge_card(amount: f64) -> Result<(), PaymentError> {
    sleep(Duration::from_millis(2));
    if amount == 50.0 { Err(PaymentError::Declined) } else { Ok(()) }
}

#[derive(Debug, thiserror::Error)]
enum PaymentError {
    #[error("card declined: insufficient funds")]
    Declined,
}
