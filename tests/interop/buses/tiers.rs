//! Two tiers of collectors in the place of coherence, and what the same work costs there.
//!
//! The first tier gets every span and sends it on by the id of its trace, to one of two collectors that decide. One
//! binary is both tiers: that of `TAILTRACE_JAEGER`, which has no `loadbalancing` exporter, so that two `filter` processors
//! share the traces out by the first digit of the id.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use crate::cable::Cable;
use crate::collector::Collector;
use crate::node::cpu_micros;
use crate::run::{Outcome, Plan};
use crate::servers::{Kind, Server, await_port, folder_for, free_port, run};

/// The two tiers cannot carry 10,000 traces a second of 25 spans on a machine that runs the services too. What a trace
/// costs hardly depends on the rate.
const PER_SECOND: u64 = 500;
const SECONDS: u64 = 8;

/// What one trace costs, whether it is wanted or not.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) outcome: Outcome,
    /// On all wires: between the services, the tiers or the bus, and where what is kept goes.
    pub(crate) bytes: f64,
    /// Of the services, with the work that is traced, in microseconds.
    pub(crate) services: f64,
    /// Of what runs beside them, in microseconds.
    pub(crate) beside: f64,
}

fn plan(bus: &str, group: &'static str) -> Plan {
    Plan {
        per_second: PER_SECOND,
        seconds: SECONDS,
        one_of: 100,
        linger: Duration::from_secs(3),
        ..Plan::new(bus, group)
    }
}

fn cost(outcome: Outcome, cables: &[&Cable], beside: u64) -> Cost {
    let traces = (PER_SECOND * SECONDS) as f64;
    let bytes: u64 = cables.iter().map(|cable| cable.bytes()).sum();
    let services = outcome.cpu_micros() as f64 / traces;
    Cost { outcome, bytes: bytes as f64 / traces, services, beside: beside as f64 / traces }
}

/// What coherence costs over NATS; `None` where that is not there.
pub(crate) fn coherence() -> Option<Cost> {
    let server = Server::start(Kind::Nats)?;
    let collector = Collector::start();
    let (bus, exports) = (Cable::to(server.port), Cable::to(collector.port));
    let outcome =
        plan(&server.url_at(bus.port), "tiers-nats").run_to(&collector, exports.port, || {});
    let beside = server.cpu_micros();
    Some(cost(outcome, &[&bus, &exports], beside))
}

/// What two tiers of collectors cost; `None` where there is no binary for them.
pub(crate) fn collectors() -> Option<Cost> {
    let binary = PathBuf::from(env::var_os("TAILTRACE_JAEGER").filter(|path| !path.is_empty())?);
    let collector = Collector::start();
    let kept = Cable::to(collector.port);
    let deciding = [(); 2].map(|()| Tier::start(&binary, |port| second_tier(port, kept.port)));
    let cables = deciding.each_ref().map(|tier| Cable::to(tier.port));
    let first = Tier::start(&binary, |port| first_tier(port, cables.each_ref().map(|c| c.port)));
    let all = Cable::to(first.port);
    // Services that export every span.
    let outcome = plan("all", "tiers-collectors").run_to(&collector, all.port, || {});
    let beside = [&first, &deciding[0], &deciding[1]].map(|tier| cpu_micros(tier.process.id()));
    let beside = beside.iter().sum();
    Some(cost(outcome, &[&all, &cables[0], &cables[1], &kept], beside))
}

/// A collector on a port of its own, which ends when this is dropped.
struct Tier {
    process: Child,
    port: u16,
}

impl Tier {
    fn start(binary: &Path, config: impl Fn(u16) -> String) -> Self {
        let port = free_port();
        let folder = folder_for(port);
        let path = folder.join("tier.yaml");
        fs::write(&path, config(port)).unwrap();
        let arguments = ["--config".to_owned(), path.to_string_lossy().into_owned()];
        let mut process = run(binary, &arguments, &folder);
        await_port(&mut process, port, &folder);
        Self { process, port }
    }
}

impl Drop for Tier {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn receiver(port: u16) -> String {
    format!(
        "receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: \"127.0.0.1:{port}\" }} }} }} }}\n"
    )
}

fn first_tier(port: u16, second: [u16; 2]) -> String {
    let [low, high] = second;
    format!(
        "service:
  pipelines:
    traces/low: {{ receivers: [otlp], processors: [filter/low, batch], exporters: [otlphttp/low] }}
    traces/high: {{ receivers: [otlp], processors: [filter/high, batch], exporters: [otlphttp/high] }}
  telemetry: {{ metrics: {{ level: none }}, logs: {{ level: warn }} }}
processors:
  batch: {{}}
  filter/low: {{ traces: {{ span: ['trace_id.string >= \"8\"'] }} }}
  filter/high: {{ traces: {{ span: ['trace_id.string < \"8\"'] }} }}
exporters:
  otlphttp/low: {{ endpoint: \"http://127.0.0.1:{low}\", compression: none }}
  otlphttp/high: {{ endpoint: \"http://127.0.0.1:{high}\", compression: none }}
{}",
        receiver(port)
    )
}

fn second_tier(port: u16, to: u16) -> String {
    format!(
        "service:
  pipelines:
    traces: {{ receivers: [otlp], processors: [tail_sampling], exporters: [otlphttp] }}
  telemetry: {{ metrics: {{ level: none }}, logs: {{ level: warn }} }}
processors:
  tail_sampling:
    decision_wait: 1s
    num_traces: 100000
    policies: [{{ name: errors, type: status_code, status_code: {{ status_codes: [ERROR] }} }}]
exporters:
  otlphttp: {{ endpoint: \"http://127.0.0.1:{to}\", compression: none }}
{}",
        receiver(port)
    )
}
