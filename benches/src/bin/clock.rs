//! CPU time per span, ours beside that of the peers; see `benches/clock.sh`.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::process::ExitCode;

use tailtrace_benches::clock::rows::{self, Row};
use tailtrace_benches::clock::verdicts::{CONTROL, Place, RATIOS, Ratio};
use tailtrace_benches::clock::worker::{self, Cost, Worker};

/// Spans of one turn and thread; no queue of a peer overflows within it.
const SPANS: usize = 10_000;

/// Spans until pools and rings are full.
const WARM_UP: usize = 600_000;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args[..] {
        ["worker", name, threads] => match (find(name), threads.parse()) {
            (Some(row), Ok(threads)) => {
                worker::serve(&row, threads);
                Ok(true)
            }
            _ => Err(io::Error::other(format!("there is no row {name:?}"))),
        },
        ["check", turns] => turns.parse().map_err(io::Error::other).and_then(check),
        ["table", turns, ref words @ ..] => {
            turns.parse().map_err(io::Error::other).and_then(|turns| table(turns, words))
        }
        _ => Err(io::Error::other("usage: clock check TURNS | clock table TURNS [WORKLOAD…]")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn find(name: &str) -> Option<Row> {
    rows::all().into_iter().find(|row| row.name == name)
}

/// Measures places in turns, and gives each its median.
fn measure(
    places: &[(String, usize)],
    turns: usize,
) -> io::Result<BTreeMap<(String, usize), Cost>> {
    let mut workers = Vec::new();
    for (row, threads) in places {
        let mut worker = Worker::start(row, *threads)?;
        worker.run(if row.starts_with("control") { SPANS } else { WARM_UP / threads })?;
        workers.push((worker, Vec::new()));
    }
    for _ in 0..turns {
        for (worker, costs) in &mut workers {
            costs.push(worker.run(SPANS)?);
        }
    }
    let medians = workers.into_iter().map(|(_, costs)| {
        let median = |of: fn(&Cost) -> f64| {
            let mut numbers: Vec<f64> = costs.iter().map(of).collect();
            numbers.sort_by(f64::total_cmp);
            numbers[numbers.len() / 2]
        };
        Cost { caller: median(|cost| cost.caller), process: median(|cost| cost.process) }
    });
    Ok(places.iter().cloned().zip(medians).collect())
}

/// Every row, or those whose workload begins with a word, on 1, 2 and 4 threads.
fn table(turns: usize, words: &[&str]) -> io::Result<bool> {
    println!("CPU ns per span on the caller's thread (on all threads), median of {turns} turns");
    println!("{:<34} {:>18} {:>18} {:>18}", "", "1 thread", "2 threads", "4 threads");
    let is_wanted = |row: &&Row| words.is_empty() || words.iter().any(|w| row.name.starts_with(w));
    let rows = rows::all();
    let wanted: Vec<&Row> = rows.iter().filter(is_wanted).collect();
    for group in wanted.chunk_by(|a, b| workload(&a.name) == workload(&b.name)) {
        let is_flat = group[0].name.starts_with("flat") || group[0].name == CONTROL;
        let threads: &[usize] = if is_flat { &[1, 2, 4] } else { &[1] };
        let places: Vec<_> = group
            .iter()
            .flat_map(|row| threads.iter().map(|threads| (row.name.clone(), *threads)))
            .collect();
        let medians = measure(&places, turns)?;
        for row in group {
            print!("{:<34}", row.name);
            for threads in threads {
                let cost = medians[&(row.name.clone(), *threads)];
                print!(" {:>18}", format!("{:.0} ({:.0})", cost.caller, cost.process));
            }
            println!();
        }
    }
    Ok(true)
}

fn workload(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

/// Judges the ratios; whether all are as good as they are known to be.
fn check(turns: usize) -> io::Result<bool> {
    let owned = |(row, threads): Place| (row.to_owned(), threads);
    let mut all_hold = true;
    println!("{:<58} {:>8} {:>8}", "CPU per span, of : to", "ratio", "reach");
    // Rows of one family are measured together, so that fewer processes wait for their turn.
    for family in RATIOS.chunk_by(|a, b| family(a) == family(b)) {
        let mut places: Vec<_> =
            family.iter().flat_map(|ratio| [owned(ratio.of), owned(ratio.to)]).collect();
        places.extend([(CONTROL.to_owned(), 1), (CONTROL.to_owned(), 2)]);
        places.sort();
        places.dedup();
        let medians = measure(&places, turns)?;
        let cost = |place: Place| medians[&owned(place)].caller;
        let control = cost((CONTROL, 2)) / cost((CONTROL, 1));
        for ratio in family {
            let mut measured = cost(ratio.of) / cost(ratio.to);
            if ratio.compares_threads {
                measured /= control;
            }
            let verdict = if measured <= ratio.reach {
                "reached"
            } else if ratio.known.is_some_and(|known| measured <= known) {
                "FALLS SHORT, as known"
            } else {
                all_hold = false;
                "FALLS SHORT"
            };
            let what = format!("{} x{} : {} x{}", ratio.of.0, ratio.of.1, ratio.to.0, ratio.to.1);
            println!("{what:<58} {measured:>8.2} {:>8.2}  {verdict}", ratio.reach);
        }
    }
    Ok(all_hold)
}

/// The first word of a workload, such as `ring`.
fn family(ratio: &Ratio) -> &str {
    ratio.of.0.split('-').next().unwrap_or(ratio.of.0)
}
