//! features: init
//! One line sets up logs, traces and export; the rest is an ordinary `tracing` program. On a terminal the traces are
//! drawn as waterfalls; elsewhere `OTEL_TRACES_EXPORTER=console` draws them without details, and
//! `OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318` sends them (feature `otlp`).
//! `cargo run --example hello --features init`

use std::error::Error;
use std::io;
use tracing::{debug, info, instrument};

fn main() -> Result<(), Box<dyn Error>> {
    let _guard = tailtrace::init("shop")?; // Flushes at the end of `main`.
    for order in 1..=3 {
        let _ = place_order(order); // What fails is told by its trace.
    }
    Ok(())
}

#[instrument(fields(otel.kind = "server"), err)]
fn place_order(order: u32) -> Result<(), io::Error> {
    info!("asking the bank");
    debug!(amount = 12.5 * f64::from(order), "not shown unless TAILTRACE_FILTER=debug");
    if order == 2 { Err(io::Error::other("card declined")) } else { Ok(()) }
}
