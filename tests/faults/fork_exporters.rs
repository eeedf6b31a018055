//! Exporters in a process that is forked off while the parent uses them.

use std::env;
use std::io::{self, Write};
use std::process::{self, Output};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;

use fork::{Fork, fork, waitpid};
#[cfg(feature = "otel")]
use opentelemetry_sdk::error::OTelSdkResult;
#[cfg(feature = "otel")]
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
#[cfg(feature = "otel")]
use tailtrace::delivery::DeliveryConfig;
use tailtrace::ledger::Reason;
#[cfg(feature = "otel")]
use tailtrace::otel::OtelExporter;
use tailtrace::{ConsoleExporter, Pipeline};

use super::own_process;
use super::support::PLENTY;

/// Set for the programs below.
const IS_PROGRAM: &str = "TAILTRACE_TEST_FORK_EXPORTERS";

fn is_program() -> bool {
    env::var_os(IS_PROGRAM).is_some()
}

/// Runs a program of this file.
#[track_caller]
fn run<T>(program: T) -> Output {
    let mut process = own_process::command(program);
    process.env(IS_PROGRAM, "1");
    own_process::run(process)
}

/// Whether it holds in a process that is forked off here. A hang ends that process.
fn holds_in_child(check: impl FnOnce() -> bool) -> bool {
    if let Fork::Parent(child) = fork().unwrap() {
        return waitpid(child).unwrap() == 0;
    }
    let (done, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        if ended.recv_timeout(PLENTY).is_err() {
            process::exit(3);
        }
    });
    let holds = check();
    let _ = done.send(());
    process::exit(i32::from(!holds));
}

/// Holds something on a thread of its own until the end that is given out is dropped.
fn hold<T>(take: impl FnOnce() -> T + Send + 'static) -> Sender<()> {
    let (holds, is_held) = mpsc::channel();
    let (release, released): (Sender<()>, Receiver<()>) = mpsc::channel();
    thread::spawn(move || {
        let held = take();
        let _ = holds.send(());
        let _ = released.recv();
        drop(held);
    });
    is_held.recv().unwrap();
    release
}

/// The program of the test below; by itself it does nothing.
#[test]
fn a_program_that_forks_while_its_standard_output_is_held() {
    if !is_program() {
        return;
    }
    for on_stderr in [false, true] {
        let exporter = ConsoleExporter::builder().with_stderr(on_stderr).build();
        let pipeline = Pipeline::builder("forks").with_exporter(exporter).start().unwrap();
        let release = hold(move || {
            let held: (Option<io::StdoutLock<'_>>, Option<io::StderrLock<'_>>) = match on_stderr {
                false => (Some(io::stdout().lock()), None),
                true => (None, Some(io::stderr().lock())),
            };
            held
        });
        let is_drawn = holds_in_child(|| {
            drop(pipeline.tracer().start_span("in the child"));
            pipeline.flush(PLENTY).is_ok() && pipeline.stats().exported == 1
        });
        drop(release);
        assert!(is_drawn, "on stderr: {on_stderr}");
        drop(pipeline.tracer().start_span("in the parent"));
        pipeline.shutdown(PLENTY).unwrap();
    }
}

#[test]
fn a_process_that_is_forked_off_draws_though_its_parent_holds_the_standard_output() {
    let Output { stdout, stderr, .. } = run(a_program_that_forks_while_its_standard_output_is_held);
    for stream in [stdout, stderr] {
        let drawn = String::from_utf8(stream).unwrap();
        for span in ["forks · in the child", "forks · in the parent"] {
            assert_eq!(drawn.matches(span).count(), 1, "{drawn}");
        }
    }
}

/// Says that it is called, and returns when it is released.
struct Slow(SyncSender<()>, Mutex<Receiver<()>>);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(());
        let _ = self.1.get_mut().unwrap().recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The program of the test below; by itself it does nothing.
#[test]
fn a_program_that_forks_while_a_writer_writes() {
    if !is_program() {
        return;
    }
    let (calls, is_called) = mpsc::sync_channel(1);
    let (release, released) = mpsc::channel();
    let writer = Slow(calls, Mutex::new(released));
    let exporter = ConsoleExporter::builder().with_writer(writer).build();
    let pipeline = Pipeline::builder("forks").with_exporter(exporter).start().unwrap();
    drop(pipeline.tracer().start_span("in the parent"));
    is_called.recv().unwrap();
    assert!(holds_in_child(|| refuses_one(&pipeline)));
    drop(release);
    pipeline.shutdown(PLENTY).unwrap();
}

/// Whether a span that is recorded here is counted as refused when a flush is over.
fn refuses_one(pipeline: &Pipeline) -> bool {
    drop(pipeline.tracer().start_span("in the child"));
    // It knows of the loss where that comes after it, and the account in any case.
    let _ = pipeline.flush(PLENTY);
    let stats = pipeline.stats();
    // Whether the exporter could end is its own to say; it does not hang.
    let _ = pipeline.shutdown(PLENTY);
    stats.balances() && stats.dropped_by(Reason::Refused) == 1
}

#[test]
fn a_process_that_is_forked_off_from_a_writer_at_work_says_that_it_has_none() {
    run(a_program_that_forks_while_a_writer_writes);
}

/// Says that it is called, and returns when it is released.
#[cfg(feature = "otel")]
#[derive(Debug)]
struct SlowExporter(Sender<()>, Mutex<Receiver<()>>);

#[cfg(feature = "otel")]
impl SpanExporter for SlowExporter {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        let _ = self.0.send(());
        let _ = self.1.lock().unwrap().recv();
        Ok(())
    }
}

/// The program of the test below; by itself it does nothing.
#[cfg(feature = "otel")]
#[test]
fn a_program_that_forks_while_an_exporter_of_the_sdk_sends() {
    if !is_program() {
        return;
    }
    let (calls, is_called) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let exporter = OtelExporter::new(SlowExporter(calls, Mutex::new(released)));
    // No call ends by its time limit.
    let delivery = DeliveryConfig::default().with_export_timeout(10 * PLENTY);
    let builder = Pipeline::builder("forks").with_delivery(delivery).with_exporter(exporter);
    let pipeline = builder.start().unwrap();
    drop(pipeline.tracer().start_span("in the parent"));
    is_called.recv().unwrap();
    assert!(holds_in_child(|| refuses_one(&pipeline)));
    drop(release);
    pipeline.shutdown(PLENTY).unwrap();
}

#[cfg(feature = "otel")]
#[test]
fn a_process_that_is_forked_off_from_an_exporter_of_the_sdk_at_work_says_that_it_has_none() {
    run(a_program_that_forks_while_an_exporter_of_the_sdk_sends);
}

/// The program of the test below; by itself it does nothing.
#[cfg(feature = "spool")]
#[test]
fn a_program_that_forks_beside_a_spool() {
    if !is_program() {
        return;
    }
    let directory = super::spool::TestDirectory::new("fork");
    let pipeline = super::spool::pipeline(&directory, &super::spool::nowhere());
    super::spool::record(&pipeline, 0..3);
    assert_eq!(pipeline.stats().spooled, 3);
    assert!(holds_in_child(|| {
        super::spool::record(&pipeline, 3..5);
        let stats = pipeline.stats();
        let is_own = (stats.started, stats.spooled, stats.exported) == (2, 2, 0);
        is_own && stats.balances()
    }));
    let stats = pipeline.stats();
    assert_eq!((stats.started, stats.spooled), (3, 3));
    assert_eq!(directory.files(), 5);
    let _ = pipeline.shutdown(PLENTY);
}

#[cfg(feature = "spool")]
#[test]
fn the_account_of_a_spool_begins_at_zero_in_a_process_that_is_forked_off() {
    run(a_program_that_forks_beside_a_spool);
}
