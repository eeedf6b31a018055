//! Which ratios are judged, and what they are to reach.

use std::io;

use super::measure::{self, Costs};
use super::rows::CONTROL;

/// A row on a number of threads.
type Place = (&'static str, usize);

/// A ratio of two rows.
struct Ratio {
    of: Place,
    to: Place,
    /// At most this.
    reach: f64,
    /// What `--check` fails above: a fifth more than is known, or than the reach where that is more,
    /// because a busy machine shifts even ratios. The manual's decisions say what was tried where the
    /// reach is missed.
    most: f64,
}

const fn ratio(of: Place, to: Place, reach: f64, most: f64) -> Ratio {
    Ratio { of, to, reach, most }
}

const RATIOS: &[Ratio] = &[
    ratio(("flat-1-bare layer", 2), ("flat-1-bare layer", 1), 1.15, 1.45),
    ratio(("flat-1-bare native", 2), ("flat-1-bare native", 1), 1.15, 1.4),
    ratio(("flat-10-bare native", 2), ("flat-10-bare native", 1), 1.15, 1.4),
    ratio(("flat-1-bare layer", 1), ("flat-1-bare otel-leanest", 1), 0.9, 1.25),
    ratio(("flat-1-bare layer", 2), ("flat-1-bare otel-leanest", 2), 0.7, 1.45),
    ratio(("flat-1-bare native", 1), ("flat-1-bare sdk", 1), 0.9, 1.9),
    ratio(("flat-1-bare native", 2), ("flat-1-bare sdk", 2), 0.6, 1.95),
    ratio(("flat-10-bare native", 1), ("flat-10-bare fastrace", 1), 1.0, 1.4),
    ratio(("open-10000-bare layer", 1), ("open-10000-bare otel-leanest", 1), 0.9, 1.1),
    ratio(("open-10000-rich layer", 1), ("open-10000-rich otel-leanest", 1), 0.9, 1.3),
    ratio(("open-10000-bare native", 1), ("open-10000-bare sdk", 1), 1.2, 2.0),
    ratio(("open-10000-rich native", 1), ("open-10000-rich sdk", 1), 1.2, 2.6),
    ratio(("ring-8-1000-bare native", 1), ("ring-1-1000-bare native", 1), 1.10, 1.35),
    ratio(("ring-8-1000-rich native", 1), ("ring-1-1000-rich native", 1), 1.10, 1.35),
    ratio(("ring-8-1000-bare layer", 1), ("ring-1-1000-bare layer", 1), 1.10, 1.35),
    ratio(("ring-8-1000-rich layer", 1), ("ring-1-1000-rich layer", 1), 1.10, 1.35),
    ratio(("ring-64-1000-bare native", 1), ("ring-1-1000-bare native", 1), 1.20, 1.5),
    ratio(("ring-64-1000-rich native", 1), ("ring-1-1000-rich native", 1), 1.20, 1.5),
    ratio(("ring-64-1000-bare layer", 1), ("ring-1-1000-bare layer", 1), 1.20, 1.5),
    ratio(("ring-64-1000-rich layer", 1), ("ring-1-1000-rich layer", 1), 1.20, 1.5),
    ratio(("ring-8-1000-bare native", 1), ("ring-0-1000-bare native", 1), 1.15, 1.45),
    ratio(("ring-8-1000-rich native", 1), ("ring-0-1000-rich native", 1), 1.25, 1.5),
    ratio(("ring-8-1000-bare layer", 1), ("ring-0-1000-bare layer", 1), 1.15, 1.4),
    ratio(("ring-8-1000-rich layer", 1), ("ring-0-1000-rich layer", 1), 1.25, 1.5),
    ratio(("tokio-10000 layer", 1), ("tokio-10000 otel-leanest", 1), 0.6, 0.8),
    ratio(("flat-10-bare subscriber", 1), ("flat-10-bare layer", 1), 0.6, 0.72),
    ratio(("flat-100-bare subscriber", 1), ("flat-100-bare layer", 1), 0.6, 0.72),
    ratio(("flat-10-rich subscriber", 1), ("flat-10-rich layer", 1), 0.6, 0.9),
    ratio(("flat-100-rich subscriber", 1), ("flat-100-rich layer", 1), 0.6, 0.86),
    ratio(("flat-1-bare subscriber", 1), ("flat-1-bare layer", 1), 1.0, 1.2),
    ratio(("flat-1-bare subscriber", 1), ("flat-1-bare otel-leanest", 1), 0.5, 1.15),
    ratio(("open-10000-bare subscriber", 1), ("open-10000-bare layer", 1), 1.0, 1.2),
    ratio(("tokio-10000 subscriber", 1), ("tokio-10000 layer", 1), 1.0, 1.2),
    ratio(("flat-10-bare subscriber", 1), ("flat-10-bare otel-leanest", 1), 0.5, 0.6),
    ratio(("flat-100-rich subscriber", 1), ("flat-100-rich otel-leanest", 1), 0.5, 0.6),
    ratio(("flat-100-bare subscriber", 2), ("flat-100-bare subscriber", 1), 1.15, 1.4),
    ratio(("tokio-10000 native", 1), ("tokio-10000 fastrace", 1), 0.3, 0.45),
];

impl Ratio {
    /// The first word of its workload, such as `ring`.
    fn family(&self) -> &'static str {
        self.of.0.split('-').next().unwrap_or(self.of.0)
    }

    /// As measured. One of two threads to one is divided by the same ratio of the control loop, which
    /// shares nothing.
    fn measured(&self, costs: &Costs) -> f64 {
        let cost = |(row, threads): Place| costs[&(row.to_owned(), threads)].caller;
        let measured = cost(self.of) / cost(self.to);
        if self.of.1 == self.to.1 {
            measured
        } else {
            measured / (cost((CONTROL, self.of.1)) / cost((CONTROL, self.to.1)))
        }
    }

    fn print(&self, measured: f64) {
        let verdict = if measured <= self.reach {
            "reached"
        } else if measured <= self.most {
            "FALLS SHORT, as known"
        } else {
            "FALLS SHORT, by more than is known"
        };
        let what = format!("{} x{} : {} x{}", self.of.0, self.of.1, self.to.0, self.to.1);
        println!("{what:<60} {measured:>6.2} {:>6.2} {:>6.2}  {verdict}", self.reach, self.most);
    }
}

/// Judges the ratios; whether all are as good as they are known to be.
///
/// # Errors
/// When a row does not run.
pub fn check(turns: usize) -> io::Result<bool> {
    println!(
        "{:<60} {:>6} {:>6} {:>6}",
        "CPU of the caller per span, of : to", "ratio", "reach", "known"
    );
    let mut all_hold = true;
    // Rows of one family are measured together, so that fewer processes wait for their turn.
    for family in RATIOS.chunk_by(|a, b| a.family() == b.family()) {
        let places: Vec<_> = family
            .iter()
            .flat_map(|ratio| [ratio.of, ratio.to, (CONTROL, ratio.of.1), (CONTROL, ratio.to.1)])
            .map(|(row, threads)| (row.to_owned(), threads))
            .collect();
        let costs = measure::medians(&places, turns)?;
        for ratio in family {
            let measured = ratio.measured(&costs);
            ratio.print(measured);
            all_hold &= measured <= ratio.most;
        }
    }
    Ok(all_hold)
}
