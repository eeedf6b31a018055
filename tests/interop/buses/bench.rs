//! What coherence gives and costs at 10,000 traces a second, for `benches/coherence.sh`.

use std::env;
use std::time::Duration;

use crate::cable::Cable;
use crate::pause;
use crate::run::{Outcome, Plan};
use crate::servers::{Kind, Server};
use crate::tiers::{self, Cost};

const PAIRS: usize = 5;

/// The numbers that must be reached.
const COHERENT: f64 = 0.999;
const BYTES: f64 = 100.0;
const LAG: Duration = Duration::from_millis(150);
/// Of one core, for each process.
const CPU: f64 = 0.02;

/// Says each number beside its bound, and remembers whether one was missed.
#[derive(Default)]
struct Report {
    missed: Vec<String>,
}

impl Report {
    fn row(&mut self, name: &str, value: String, bound: String, is_reached: bool) {
        let verdict = if is_reached { "" } else { "  <-- missed" };
        println!("  {name:<52}{value:>12}   ({bound}){verdict}");
        if !is_reached {
            self.missed.push(name.to_owned());
        }
    }

    fn coherent(&mut self, name: &str, outcome: &Outcome) {
        let share = outcome.coherent as f64 / outcome.wanted as f64;
        let value = format!("{:.3} %", share * 100.0);
        self.row(name, value, "at least 99.9 %".to_owned(), share >= COHERENT);
    }
}

fn plan(bus: &str, group: &'static str) -> Plan {
    Plan { per_second: 10_000, seconds: 8, one_of: 100, batch_millis: 1, ..Plan::new(bus, group) }
}

#[test]
#[ignore = "benches/coherence.sh measures with it"]
fn measure() {
    let mut report = Report::default();
    for (kind, group) in [(Kind::Nats, "bench-nats"), (Kind::Redis, "bench-redis")] {
        let Some(server) = Server::start(kind) else { continue };
        println!("\n{kind:?}, five processes, 10,000 traces/s of five parts, 1 % wanted");
        let cable = Cable::to(server.port);
        let outcome = plan(&server.url_at(cable.port), group).run(|| {});
        report.coherent("wanted traces that are whole", &outcome);
        let bytes = cable.bytes() as f64 / (5 * outcome.wanted) as f64;
        let value = format!("{bytes:.1}");
        let bound = format!("at most {BYTES}");
        report.row("bytes on the wire, trace and service", value, bound, bytes <= BYTES);
        let lag = outcome.lag(0.99);
        let value = format!("{} ms", lag.as_millis());
        report.row(
            "lag, p99, from one part's arrival to the last",
            value,
            format!("{LAG:?}"),
            lag <= LAG,
        );
    }
    cpu(&mut report);
    outages(&mut report);
    compare();
    if env::var_os("TAILTRACE_BUSES_CHECK").is_some() {
        assert!(report.missed.is_empty(), "missed: {:?}", report.missed);
    }
}

fn cpu(report: &mut Report) {
    let Some(server) = Server::start(Kind::Nats) else { return };
    let share = |bus: &str| plan(bus, "bench-cpu").run(|| {}).cpu_share();
    let mut more: Vec<f64> = (0..PAIRS).map(|_| share(&server.url()) - share("none")).collect();
    more.sort_by(f64::total_cmp);
    println!("\nCPU beside the same work without a bus, {PAIRS} pairs");
    let median = more[PAIRS / 2];
    let value = format!("{:.2} %", median * 100.0);
    report.row(
        "of a core for each process, median",
        value,
        "at most 2 %".to_owned(),
        median <= CPU,
    );
}

/// Prints what coherence and two tiers of collectors cost for the same traces.
#[test]
#[ignore = "benches/coherence.sh measures with it"]
fn compare() {
    println!("\nThe same work, 500 traces/s of five parts, 1 % wanted: what one trace costs");
    let row = |name: &str, cost: Option<Cost>| match cost {
        Some(Cost { outcome, bytes, services, beside }) => println!(
            "  {name:<40}{bytes:>9.0} bytes on the wire  {services:>6.0} us in the services  {beside:>6.0} us beside \
             them  ({} of {} whole)",
            outcome.coherent, outcome.wanted
        ),
        None => println!("  {name:<40}  !! SKIPPED: there is no server for it"),
    };
    row("coherence over NATS", tiers::coherence());
    row("two tiers of collectors", tiers::collectors());
}

fn outages(report: &mut Report) {
    let Some(mut server) = Server::start(Kind::Nats) else { return };
    println!("\nbad days of NATS");
    let outcome = plan(&server.url(), "bench-killed").with_outage().run(|| {
        pause(Duration::from_secs(2));
        server.kill();
        pause(Duration::from_secs(5));
        server.start_again();
    });
    report.coherent("killed for 5 s", &outcome);
    let cable = Cable::to(server.port);
    let mut one = plan(&server.url(), "bench-cut").with_outage();
    one.buses[2] = server.url_at(cable.port);
    let outcome = one.run(|| {
        pause(Duration::from_secs(2));
        cable.cut(true);
        pause(Duration::from_secs(3));
        cable.cut(false);
    });
    report.coherent("one service alone cut off for 3 s", &outcome);
}
