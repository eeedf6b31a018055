//! A test's body in a process of its own, with an environment of its own.

use std::any::type_name;
use std::env;
use std::process::{Command, Output};

/// Set in the process that runs the body.
const IS_CHILD: &str = "TAILTRACE_TEST_CHILD";

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
pub(crate) fn run<T>(test: T, vars: &[(&str, &str)]) -> Said {
    let output = command(test, vars).output().unwrap();
    said(&output)
}

/// The process that runs the body of `test`.
pub(crate) fn command<T>(_test: T, vars: &[(&str, &str)]) -> Command {
    let (_, test) = type_name::<T>().split_once("::").unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("OTEL_") || name.starts_with("TAILTRACE_") || name == "RUST_LOG" {
            child.env_remove(name);
        }
    }
    child.env(IS_CHILD, "1").env("RUST_BACKTRACE", "0").envs(vars.iter().copied());
    child
}

/// What a process said that ended well.
pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = Said { out: text(&output.stdout), err: text(&output.stderr) };
    assert!(output.status.success(), "{said:?}");
    said
}
