//! CPU time per span, ours beside that of the peers; see `benches/clock.sh`.

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::process::ExitCode;

use tailtrace_benches::clock::rows::{self, CONTROL, Row};
use tailtrace_benches::clock::{chart, comparison, measure, verdicts, worker};

const USAGE: &str =
    "usage: clock check TURNS | clock chart TURNS FILE | clock table TURNS [WORKLOAD…]";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything is as good as it is known to be.
fn run(args: &[&str]) -> Result<bool, Box<dyn Error>> {
    match *args {
        ["worker", name, threads] => {
            let row = rows::find(name).ok_or_else(|| format!("there is no row {name:?}"))?;
            worker::serve(&row, threads.parse()?);
        }
        ["check", turns] => return Ok(verdicts::check(turns.parse()?)?),
        ["chart", turns, file] => {
            let costs = comparison::measure(turns.parse()?)?;
            comparison::print(&costs);
            fs::write(file, chart::draw(&costs)?)?;
        }
        ["table", turns, ref words @ ..] => table(turns.parse()?, words)?,
        _ => return Err(USAGE.into()),
    }
    Ok(true)
}

/// Every row, or those whose workload begins with a word, on 1, 2 and 4 threads.
fn table(turns: usize, words: &[&str]) -> io::Result<()> {
    println!("CPU ns per span on the caller's thread (on all threads), median of {turns} turns");
    println!("{:<34} {:>18} {:>18} {:>18}", "", "1 thread", "2 threads", "4 threads");
    let is_wanted = |row: &Row| words.is_empty() || words.iter().any(|w| row.name.starts_with(w));
    let wanted: Vec<Row> = rows::all().into_iter().filter(is_wanted).collect();
    for group in wanted.chunk_by(|a, b| workload(&a.name) == workload(&b.name)) {
        let is_flat = group[0].name.starts_with("flat") || group[0].name == CONTROL;
        let threads: &[usize] = if is_flat { &[1, 2, 4] } else { &[1] };
        let places: Vec<_> = group
            .iter()
            .flat_map(|row| threads.iter().map(|threads| (row.name.clone(), *threads)))
            .collect();
        let medians = measure::medians(&places, turns)?;
        for row in group {
            print!("{:<34}", row.name);
            for threads in threads {
                let cost = medians[&(row.name.clone(), *threads)];
                print!(" {:>18}", format!("{:.0} ({:.0})", cost.caller, cost.process));
            }
            println!();
        }
    }
    Ok(())
}

fn workload(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}
