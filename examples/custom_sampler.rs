//! A sampler and a tail policy of your own. The sampler gives each tenant its rate; the policy keeps
//! traces that ask the database the same thing again and again (N+1 queries), whosever they are.
//! `cargo run --example custom_sampler`

use std::collections::{BTreeMap, HashMap};
use std::{thread::sleep, time::Duration};
use tailtrace::{ConsoleExporter, InMemoryExporter, Pipeline, TailSampler};
use tailtrace::{FixedRateSampler, Sampler, SamplingRequest, SamplingResult};
use tailtrace::{TailPolicy, TraceView, Verdict};

/// Samples by the tag `tenant` that the root span starts with.
struct ByTenant {
    rates: HashMap<&'static str, FixedRateSampler>,
    others: FixedRateSampler,
}

impl Sampler for ByTenant {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let tenant = request.tag("tenant").and_then(|tag| tag.as_ref().as_str());
        let sampler = tenant.and_then(|tenant| self.rates.get(tenant));
        // What the rate leaves out is still recorded, so the tail can look at it.
        sampler.unwrap_or(&self.others).should_sample(request)
    }
}

/// Keeps traces in which one span asks the same query at least so many times.
struct RepeatedQuery(usize);

impl TailPolicy for RepeatedQuery {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let mut seen = HashMap::new();
        for span in trace.spans() {
            if let Some(query) = span.tag("db.query.text").and_then(|tag| tag.as_str()) {
                let times = seen.entry((span.parent_span_id(), query)).or_insert(0);
                *times += 1;
                if *times >= self.0 {
                    return Verdict::keep();
                }
            }
        }
        Verdict::pass()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rates = HashMap::from([("acme", FixedRateSampler::new(0.5)?)]);
    let sampler = ByTenant { rates, others: FixedRateSampler::new(0.01)? };
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("shop")
        .with_sampler(sampler)
        .with_tail(TailSampler::new().keep(RepeatedQuery(5)))
        .with_exporter(memory.clone())
        .start()?;

    let tracer = pipeline.tracer();
    for request in 0..900 {
        let tenant = ["acme", "globex", "initech"][request % 3];
        let cart = tracer.span_builder("GET /cart").with_tag("tenant", tenant).start();
        for _ in 0..if request == 700 { 6 } else { 2 } {
            let query = cart.child("find_item");
            query.set_tag("db.query.text", "SELECT * FROM items WHERE id = $1");
            sleep(Duration::from_micros(200));
        }
    }
    pipeline.shutdown(Duration::from_secs(5))?;
    let mut kept = BTreeMap::new();
    for trace in memory.traces() {
        let tenant = trace.root().and_then(|root| root.tag("tenant")).ok_or("no tenant")?;
        *kept.entry(format!("{tenant:7} kept by {}", trace.kept_by())).or_insert(0) += 1;
        if trace.kept_by() == "RepeatedQuery" {
            println!("{}", ConsoleExporter::stdout().render(&trace));
        }
    }
    for (which, traces) in kept {
        println!("{traces:3} of 300 traces of {which}");
    }
    println!("{}", pipeline.stats());
    Ok(())
}
