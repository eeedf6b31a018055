//! What a stranger, a partner and an own service could make one server keep, at each border.
//!
//! Each sends a thousand requests with every bit chosen to be kept, to a server that keeps one in a hundred.

use std::collections::HashMap;
use std::time::Duration;

use tailtrace::model::{Border, Threshold};
use tailtrace::{FixedRateSampler, InMemoryExporter, ParentBasedSampler, Trace, Tracer};

const REQUESTS: u32 = 1_000;

/// Headers that claim the highest randomness, the sampled flag, and to stand for a billion requests.
fn greedy(request: u32) -> HashMap<String, String> {
    let member = format!("ours=1,vendor={}", "x".repeat(200));
    HashMap::from([
        ("traceparent".into(), format!("00-{request:016x}ffffffffffffffff-00f067aa0ba902b7-01")),
        ("tracestate".into(), format!("ot=th:ffffffff;rv:ffffffffffffff,{member}")),
        ("baggage".into(), "priority=high".into()),
    ])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<28}{:>8}{:>12}{:>10}", "caller, and its border", "kept", "claimed", "baggage");
    for (caller, border) in [
        ("stranger, Border::Public", Border::Public),
        ("partner,  Border::Partner", Border::Partner),
        ("service,  Border::Inside", Border::Inside),
    ] {
        let memory = InMemoryExporter::new();
        let sampler = ParentBasedSampler::new(FixedRateSampler::new(0.01)?);
        let tracer = Tracer::new("server", sampler, memory.clone()).with_border(border);
        let mut with_baggage = 0;
        for request in 1..=REQUESTS {
            let incoming = tracer.extract(&greedy(request));
            let span = tracer.start_span_with_context("GET /stock", incoming);
            with_baggage += u32::from(!span.baggage().is_empty());
        }
        tracer.shutdown(Duration::from_secs(5))?;
        let kept = memory.traces();
        let claimed = kept.iter().filter_map(Trace::threshold).map(Threshold::adjusted_count);
        let claimed = claimed.fold(0.0, |sum, count| sum + count);
        println!("{caller:<28}{:>8}{claimed:>12.0}{with_baggage:>10}", kept.len());
    }
    Ok(())
}
