//! A test in a process of its own: this program, started again.

use std::any::type_name;
use std::env;
use std::process::{Command, Output};

/// A process that runs `test` and no other; `test` is the test function, whose type has its name.
pub(crate) fn command<T>(_test: T) -> Command {
    let (_, test) = type_name::<T>().split_once("::").unwrap();
    let mut process = Command::new(env::current_exe().unwrap());
    process.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    process
}

/// Runs such a process to its end, and what it said; its test must pass.
#[track_caller]
pub(crate) fn run(mut process: Command) -> Output {
    let output = process.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
    output
}
