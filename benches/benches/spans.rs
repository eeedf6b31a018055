//! Nanoseconds per span, for the same work under tailtrace and under its peers.
//!
//! ```sh
//! cargo bench -p tailtrace-benches              # every row
//! cargo bench -p tailtrace-benches -- bare rich # rows whose workload begins with one of the words
//! ```
//!
//! Time is what passes on the threads that make the spans; work left to background threads is waited
//! for between the samples and is not in it. The libraries of a workload take turns sample by sample,
//! so that what disturbs the machine disturbs all of them. The number is the median of the samples,
//! with the quickest and the slowest tenth beside it.
//!
//! Rows that begin with `layer` are traced with the macros of `tracing`. A process has one default
//! subscriber and these rows need many, so each thread makes a row's subscriber its own default for
//! the time of a sample. Beside a default of the process that adds to each span, under every
//! library alike, a look into the thread's variables at each use of the subscriber and two counts of
//! a reference to it; `benches/instructions.sh` measures without that.

use std::env;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use tailtrace_benches::Job;
use tailtrace_benches::rows::{self, Row};

/// Samples of each row.
const SAMPLES: usize = 120;

/// Spans of one sample and thread. Few enough that no queue overflows within it, on two threads: the
/// smallest holds 2,048 spans.
const SPANS: usize = 1_000;

/// Samples before the first that counts, until buffers and rings are full.
const WARM_UP: usize = 100;

fn main() {
    let words: Vec<String> = env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    println!("nanoseconds per span on the thread that makes it: median (10 % .. 90 %)");
    for rows in rows::workloads() {
        let workload = rows[0].workload;
        if !words.is_empty() && !words.iter().any(|word| workload.starts_with(word.as_str())) {
            continue;
        }
        println!("\n{workload:<26} {:>22} {:>22}", "1 thread", "2 threads");
        let jobs: Vec<Job> = rows.iter().map(|row| (row.start)()).collect();
        let one = measure(rows, &jobs, 1);
        let two = measure(rows, &jobs, 2);
        for (row, (one, two)) in rows.iter().zip(one.into_iter().zip(two)) {
            println!("  {:<24} {:>22} {:>22}", row.library, summary(one), summary(two));
        }
    }
}

/// For each job, the nanoseconds per span in each sample of each thread.
fn measure(rows: &[Row], jobs: &[Job], threads: usize) -> Vec<Vec<f64>> {
    let together = Barrier::new(threads);
    let per_thread: Vec<Vec<Vec<f64>>> = thread::scope(|scope| {
        let makers: Vec<_> = (0..threads)
            .map(|number| {
                let together = &together;
                scope.spawn(move || make(rows, jobs, together, number == 0))
            })
            .collect();
        makers.into_iter().map(|maker| maker.join().expect("no library panics")).collect()
    });
    (0..jobs.len())
        .map(|job| per_thread.iter().flat_map(|samples| samples[job].iter().copied()).collect())
        .collect()
}

/// One thread's samples; all threads are in the same sample at the same time.
fn make(rows: &[Row], jobs: &[Job], together: &Barrier, settles: bool) -> Vec<Vec<f64>> {
    let mut samples = vec![Vec::with_capacity(SAMPLES); jobs.len()];
    for sample in 0..WARM_UP + SAMPLES {
        for ((row, job), samples) in rows.iter().zip(jobs).zip(&mut samples) {
            let subscribed = job.subscribe_thread();
            together.wait();
            let traces = SPANS / row.spans;
            let start = Instant::now();
            for _ in 0..traces {
                (job.trace)();
            }
            let elapsed = start.elapsed();
            drop(subscribed);
            together.wait();
            if settles {
                (job.settle)();
            }
            if sample >= WARM_UP {
                samples.push(nanoseconds(elapsed) / (traces * row.spans) as f64);
            }
        }
    }
    samples
}

fn nanoseconds(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1e9
}

fn summary(mut samples: Vec<f64>) -> String {
    samples.sort_by(f64::total_cmp);
    let at = |tenths: usize| samples[(samples.len() - 1) * tenths / 10];
    format!("{:.0} ({:.0} .. {:.0})", at(5), at(1), at(9))
}
