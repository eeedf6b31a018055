//! Runs worker processes in turns.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::rows;
use super::worker::{Cost, Worker};

/// Spans of one turn and thread: some milliseconds.
const SPANS: usize = 20_000;

/// Spans before them in each turn that do not count: they bring back into the caches what the other
/// processes pushed out meanwhile.
const RUN_IN: usize = 10_000;

/// A row on a number of threads.
pub type Place = (String, usize);

/// The median cost of each place.
pub type Costs = BTreeMap<Place, Cost>;

/// Measures places in turns, each once however often it is named.
///
/// # Errors
/// When a row is not known or its process does not run.
pub fn medians(places: &[Place], turns: usize) -> io::Result<Costs> {
    let places = BTreeSet::from_iter(places);
    let mut workers = Vec::new();
    for (name, threads) in &places {
        let row = rows::find(name)
            .ok_or_else(|| io::Error::other(format!("there is no row {name:?}")))?;
        let mut worker = Worker::start(name, *threads)?;
        worker.run(if name == rows::CONTROL { SPANS } else { row.warm_up / threads })?;
        workers.push((worker, Vec::with_capacity(turns)));
    }
    for _ in 0..turns {
        for (worker, costs) in &mut workers {
            worker.run(RUN_IN)?;
            costs.push(worker.run(SPANS)?);
        }
    }
    let medians = workers.into_iter().map(|(_, costs)| Cost {
        caller: median(costs.iter().map(|cost| cost.caller)),
        process: median(costs.iter().map(|cost| cost.process)),
    });
    Ok(places.into_iter().cloned().zip(medians).collect())
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
