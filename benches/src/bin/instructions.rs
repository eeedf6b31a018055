//! Runs one row for `benches/instructions.sh`, which counts instructions with callgrind.
//!
//! `instructions list` prints the rows; `instructions WORKLOAD LIBRARY WARM_UP SPANS` runs one: first
//! so many spans until the steady state, then so many to be counted.

use std::env;
use std::hint::black_box;
use std::process::ExitCode;

use tailtrace_benches::heap::{self, Counting};
use tailtrace_benches::rows;

#[global_allocator]
static HEAP: Counting = Counting;

/// Callgrind starts to count when this is called. The two bodies differ, or they would be one function.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn tailtrace_bench_begin() {
    black_box("begin");
}

/// Callgrind writes down what it counted when this is called.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn tailtrace_bench_end() {
    black_box("end");
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["list"] => {
            for row in rows::workloads().flatten() {
                println!("{} {}", row.workload, row.library);
            }
            ExitCode::SUCCESS
        }
        [workload, library, warm_up, spans] => {
            match (rows::find(workload, library), warm_up.parse(), spans.parse()) {
                (Some(row), Ok(warm_up), Ok(spans)) => run(row, warm_up, spans),
                _ => usage(),
            }
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: instructions list | instructions WORKLOAD LIBRARY WARM_UP SPANS");
    ExitCode::from(2)
}

fn run(row: &rows::Row, warm_up: usize, spans: usize) -> ExitCode {
    let mut job = (row.start)();
    job.subscribe_process();
    job.run(warm_up.div_ceil(row.spans), row.spans);
    let traces = spans.div_ceil(row.spans);
    let before = heap::allocations();
    tailtrace_bench_begin();
    job.run(traces, row.spans);
    tailtrace_bench_end();
    let allocations = heap::allocations() - before;
    println!("spans {} allocations {allocations}", traces * row.spans);
    ExitCode::SUCCESS
}
