//! A pipeline as the environment describes it. Without any variable it draws on the console; try
//!
//! `OTEL_SERVICE_NAME=shop OTEL_BSP_MAX_QUEUE_SIZE=many cargo run --example from_env`
//! `OTEL_SDK_DISABLED=true cargo run --example from_env`
//! `OTEL_TRACES_EXPORTER=none cargo run --example from_env`

use std::error::Error;
use std::time::Duration;

use tailtrace::{ConsoleExporter, Errors, Fraction, LogLevel, TailSampler, config};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let settings = config::from_env().with_default_service_name("checkout");
    let mut builder =
        settings.pipeline()?.with_tail(TailSampler::new().keep(Errors).keep(Fraction::new(0.01)?));
    // Whether the variable is set is the program's affair: here the console stands in for `otlp`, so
    // that there is something to see without a collector.
    if std::env::var_os("OTEL_TRACES_EXPORTER").is_none() {
        builder = builder.with_exporter(ConsoleExporter::builder().with_tags(true).build());
    }
    let pipeline = builder.start()?;

    // What was wrong with the variables is said here, as soon as somebody listens.
    let level = match settings.log_level() {
        Some(LogLevel::Trace | LogLevel::Debug) => LevelFilter::DEBUG,
        Some(LogLevel::Error) => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    let lines = tracing_subscriber::fmt::layer().with_filter(level);
    let traces = pipeline.layer().with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(traces).with(lines).init();

    for order in 1..=20 {
        place_order(order);
    }

    pipeline.shutdown(Duration::from_secs(5))?;
    println!("{}", pipeline.stats());
    Ok(())
}

#[tracing::instrument]
fn place_order(order: u32) {
    if order % 10 == 7 {
        tracing::error!(order, "card declined");
    }
}
