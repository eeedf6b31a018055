//! A test in a process of its own.

use crate::way;
use std::any::type_name;
use std::env;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::support::{Outcome, PATIENCE, Run};
use tailtrace::Pipeline;
use tailtrace::pipeline::PipelineBuilder;
use tracing::Subscriber;
use tracing::dispatcher;

/// Tells a process which case it is.
const CASE: &str = "TAILTRACE_TEST_CASE";

/// Which subscriber is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    Scoped,
    Global,
}

/// Runs a body in processes of their own; `test` is the test function it stands in, whose type has its
/// name.
pub(crate) fn alone<T>(_test: T, body: impl Fn(Default)) {
    let (_, test) = type_name::<T>().split_once("::").unwrap();
    match env::var(CASE).as_deref() {
        Ok("scoped") => body(Default::Scoped),
        Ok("global") => body(Default::Global),
        _ => {
            run(test, "scoped");
            run(test, "global");
        }
    }
}

fn run(test: &str, case: &str) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (said, saying) = channel();
    read(child.stdout.take().unwrap(), said.clone());
    read(child.stderr.take().unwrap(), said);
    let mut output = String::new();
    // Both pipes close when the process ends.
    for _ in 0..2 {
        if let Ok(text) = saying.recv_timeout(PATIENCE) {
            output.push_str(&text);
            continue;
        }
        child.kill().unwrap();
        output.extend(saying.iter());
        panic!("{test} ({case}) hangs:\n{output}");
    }
    let status = child.wait().unwrap();
    assert!(
        status.success() && output.contains("1 passed"),
        "{test} ({case}), {status}:\n{output}"
    );
}

/// Reads a pipe to its end on a thread of its own.
fn read(mut pipe: impl Read + Send + 'static, said: Sender<String>) {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = said.send(String::from_utf8_lossy(&bytes).into_owned());
    });
}

/// Runs a program under a layer in the default subscriber.
pub(crate) fn trace(
    default: Default,
    builder: PipelineBuilder,
    program: impl FnOnce(&Pipeline),
) -> Outcome {
    let layered = |pipeline: &Pipeline| way::under(way::plain(pipeline));
    trace_under(default, builder, layered, program)
}

/// The same with a subscriber of one's own.
pub(crate) fn trace_under<S>(
    default: Default,
    builder: PipelineBuilder,
    subscriber: impl FnOnce(&Pipeline) -> S,
    program: impl FnOnce(&Pipeline),
) -> Outcome
where
    S: Subscriber + Send + Sync + 'static,
{
    let run = Run::start(builder, subscriber);
    match default {
        Default::Scoped => dispatcher::with_default(&run.dispatch, || program(&run.pipeline)),
        Default::Global => {
            dispatcher::set_global_default(run.dispatch.clone()).unwrap();
            program(&run.pipeline);
        }
    }
    run.end()
}
