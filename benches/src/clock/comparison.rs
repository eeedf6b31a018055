//! What the comparison in COMPARE.md shows: how many times our CPU time a span costs under each peer.

use std::io;

use super::measure::{self, Costs};
use super::worker::Cost;

/// A way of ours, and the peers that do the same work in the same words.
pub struct Way {
    pub title: &'static str,
    pub ours: &'static str,
    /// Each with what it is called in the rows.
    pub peers: [(&'static str, &'static str); 2],
}

/// Ours.
pub const WAYS: [Way; 2] = [
    Way {
        title: "The macros of tracing, compared with the layer",
        ours: "layer",
        peers: [
            ("otel-layer", "tracing-opentelemetry, batched"),
            ("otel-leanest", "its leanest options, nothing exported"),
        ],
    },
    Way {
        title: "The native API, compared with the tracer",
        ours: "native",
        peers: [("sdk", "OpenTelemetry SDK, nothing exported"), ("fastrace", "fastrace Span")],
    },
];

/// A workload on a number of threads.
pub struct Work {
    pub workload: &'static str,
    pub threads: usize,
    pub says: &'static str,
}

const fn work(workload: &'static str, threads: usize, says: &'static str) -> Work {
    Work { workload, threads, says }
}

/// What is compared.
pub const WORKS: [Work; 8] = [
    work("flat-1-bare", 1, "one span in a trace"),
    work("flat-1-bare", 2, "the same on 2 threads"),
    work("flat-10-bare", 1, "10 in a trace"),
    work("flat-100-bare", 1, "100 in a trace"),
    work("flat-10-rich", 1, "10, with fields and an event"),
    work("open-10000-bare", 1, "10,000 traces open"),
    work("open-10000-rich", 1, "the same, fields and an event"),
    work("tokio-10000", 1, "10,000 requests on tokio"),
];

/// Measures it all; the rows of one workload take turns.
///
/// # Errors
/// When a row does not run.
pub fn measure(turns: usize) -> io::Result<Costs> {
    let mut costs = Costs::new();
    for work in &WORKS {
        let libraries = WAYS.iter().flat_map(|way| [way.ours, way.peers[0].0, way.peers[1].0]);
        let places: Vec<_> = libraries.map(|library| place(work, library)).collect();
        costs.extend(measure::medians(&places, turns)?);
    }
    Ok(costs)
}

/// How many times ours a peer takes: on the caller's thread, and on all threads.
pub fn times(costs: &Costs, work: &Work, way: &Way, peer: &str) -> Cost {
    let (ours, peer) = (costs[&place(work, way.ours)], costs[&place(work, peer)]);
    Cost { caller: peer.caller / ours.caller, process: peer.process / ours.process }
}

/// Prints the table for COMPARE.md.
pub fn print(costs: &Costs) {
    let peers = || WAYS.iter().flat_map(|way| way.peers.map(|(peer, says)| (way, peer, says)));
    let heads: Vec<_> = peers().map(|(_, _, says)| says).collect();
    println!("| | {} |", heads.join(" | "));
    println!("|---{}|", "|---".repeat(heads.len()));
    for work in &WORKS {
        let cells = peers().map(|(way, peer, _)| {
            let times = times(costs, work, way, peer);
            format!("{:.2} ({:.2})", times.caller, times.process)
        });
        println!("| {} | {} |", work.says, cells.collect::<Vec<_>>().join(" | "));
    }
}

fn place(work: &Work, library: &str) -> measure::Place {
    (format!("{} {library}", work.workload), work.threads)
}
