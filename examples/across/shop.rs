//! Three services of a shop, which keep their traces together over a bus. Shared by `across_nats` and `across_redis`.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use tailtrace::coherence::{Coherence, KeepBus};
use tailtrace::{ConsoleExporter, Errors, Pipeline, Status, TailSampler, TraceContext};

const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the shop over the bus that `make` makes of the address in the arguments.
pub(crate) fn run<B: KeepBus + Clone + 'static>(
    usage: &str,
    make: impl Fn(&str) -> Result<B, Box<dyn Error>>,
) -> ExitCode {
    let Some(address) = std::env::args().nth(1) else {
        println!("{usage}");
        return ExitCode::SUCCESS;
    };
    match make(&address).and_then(shop) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nothing was kept together: {error}");
            ExitCode::FAILURE
        }
    }
}

fn shop<B: KeepBus + Clone + 'static>(bus: B) -> Result<(), Box<dyn Error>> {
    // A pipeline would only say that the bus is away and go on; this program is about the bus.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let connecting = tokio::time::timeout(PATIENCE, bus.connect("example"));
        let connected = connecting.await.map_err(|_| "no connection within 5 s")?;
        connected.map(drop).map_err(|error| format!("{}: {error:?}", bus.name()))
    })?;
    let service = |name: &'static str| {
        Pipeline::builder(name)
            .with_tail(TailSampler::new().keep(Errors))
            .with_coherence(Coherence::new(bus.clone()).with_group("example"))
            .with_exporter(ConsoleExporter::stdout())
            .start()
    };
    let services = [service("frontend")?, service("orders")?, service("bank")?];
    std::thread::sleep(Duration::from_millis(500)); // Until all three have joined the group.

    let mut caller: Option<TraceContext> = None;
    for pipeline in &services {
        let tracer = pipeline.tracer();
        let span = match caller.take() {
            Some(caller) => tracer.start_span_with_context("place_order", caller.remote()),
            None => tracer.start_span("place_order"),
        };
        caller = Some(span.context());
        // The part that fails is the last one: the other two have dropped theirs when they hear of it.
        if std::ptr::eq(pipeline, &services[2]) {
            span.set_status(Status::error("card declined"));
        }
    }
    std::thread::sleep(Duration::from_millis(500)); // A notice takes 60 ms, and the way.
    for pipeline in &services {
        pipeline.shutdown(PATIENCE)?;
    }
    Ok(())
}
