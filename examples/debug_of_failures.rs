//! The trace layer listens at DEBUG, the logs at INFO: the debug events of the request that failed are there, and of
//! no other. Nothing was written for the 99 that went well, neither a log line at DEBUG nor a span.
//!
//! `cargo run --example debug_of_failures`

use std::error::Error;
use std::time::Duration;

use tailtrace::{ConsoleExporter, Errors, Pipeline, TailSampler, TraceIds};
use tracing::{debug, error, instrument, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let console = ConsoleExporter::builder().with_tags(true).with_logs(true).build();
    let pipeline = Pipeline::builder("shop")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(console)
        .start()?;
    let logs = fmt::layer().compact().without_time().with_target(false);
    tracing_subscriber::registry()
        .with(pipeline.layer().with_filter(LevelFilter::DEBUG))
        .with(logs.map_event_format(TraceIds::text).with_filter(LevelFilter::INFO))
        .init();

    for order in 1..=100 {
        place_order(order);
    }

    pipeline.shutdown(Duration::from_secs(5))?;
    let stats = pipeline.stats();
    println!("{} spans were recorded, {} left the process.", stats.started, stats.exported);
    Ok(())
}

#[instrument(name = "POST /orders", fields(otel.kind = "server"))]
fn place_order(order: u32) {
    debug!(items = order % 7 + 1, "cart read");
    let price = price(order);
    if let Err(why) = charge(price) {
        error!("{why}");
    }
}

#[instrument(skip_all)]
fn price(order: u32) -> u32 {
    let discount = if order == 42 { 110 } else { order % 10 };
    debug!(discount, "coupon applied");
    100_u32.saturating_sub(discount)
}

#[instrument]
fn charge(amount: u32) -> Result<(), &'static str> {
    debug!(bank = "first", "asking");
    if amount == 0 {
        warn!("nothing to charge");
        return Err("order without a price");
    }
    Ok(())
}
