//! A panic in one of several requests: its trace is drawn before the process ends, with what was open at that moment.
//!
//! `cargo run --example crash`

use std::thread;
use std::time::Duration;

use tailtrace::{ConsoleExporter, Errors, Pipeline, TailSampler};
use tracing_subscriber::prelude::*;

#[tracing::instrument]
fn charge(order: u32) {
    assert_ne!(order, 2, "no card is charged twice");
}

#[tracing::instrument]
fn checkout(order: u32) {
    tracing::info!("prices looked up");
    charge(order);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = Pipeline::builder("shop")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(ConsoleExporter::builder().with_tags(true).build())
        .start()?;
    tracing_subscriber::registry().with(pipeline.layer()).init();

    let requests = (1..=3).map(|order| thread::spawn(move || checkout(order)));
    let requests: Vec<_> = requests.collect();
    let crashed = requests.into_iter().filter_map(|request| request.join().err()).count();

    // A span that is open when the program may not go on leaves with its trace, where that has failed.
    let worker = tracing::error_span!("worker");
    worker.in_scope(|| tracing::error!("its queue is gone"));
    pipeline.flush_open(Duration::from_secs(5))?;
    println!(
        "{crashed} of 3 requests crashed. Its trace is above, and that of the worker, which is open."
    );
    drop(worker);
    pipeline.shutdown(Duration::from_secs(5))?;
    Ok(())
}
