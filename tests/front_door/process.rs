//! A test's body in a process of its own, with an environment of its own.

use std::env;
use std::process::Command;

use crate::own_process;

/// Set in the process that runs the body.
const IS_CHILD: &str = "TEST_OF_TAILTRACE_CHILD";

/// What a process said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Whether this is the process that runs the body.
pub(crate) fn is_child() -> bool {
    env::var_os(IS_CHILD).is_some()
}

/// Runs `test`, a test function whose type has its name, in a process with these variables.
#[track_caller]
pub(crate) fn run<T>(test: T, vars: &[(&str, &str)]) -> Said {
    let output = own_process::run(command(test, vars));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { out: text(output.stdout), err: text(output.stderr) }
}

/// The process that runs the body of `test`.
pub(crate) fn command<T>(test: T, vars: &[(&str, &str)]) -> Command {
    let mut child = own_process::command(test);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("OTEL_") || name.starts_with("TAILTRACE_") || name == "RUST_LOG" {
            child.env_remove(name);
        }
    }
    child.env(IS_CHILD, "1").env("RUST_BACKTRACE", "0").envs(vars.iter().copied());
    child
}
