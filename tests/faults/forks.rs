//! Processes that fork while a pipeline runs in them.

use std::any::type_name;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use async_trait::async_trait;
use fork::{Fork, fork, waitpid};
#[cfg(feature = "detect")]
use tailtrace::FileExporter;
#[cfg(feature = "otlp")]
use tailtrace::OtlpExporter;
#[cfg(feature = "otlp")]
use tailtrace::export::OtlpProtocol;
use tailtrace::export::{Batch, ExportError};
use tailtrace::model::Random;
#[cfg(feature = "detect")]
use tailtrace::model::Resource;
use tailtrace::tail::Slowest;
use tailtrace::{
    Exporter, Fraction, Pipeline, Sampler, SamplingRequest, SamplingResult, TailSampler,
};
use tracing_subscriber::layer::SubscriberExt;

use super::own_process;
#[cfg(feature = "otlp")]
use super::server::{Reply, Server};
use super::support::PLENTY;

const FORKS: usize = 200;
const FOLDER: &str = "TAILTRACE_TEST_FORKS";

/// Writes the ids of the spans that a process exports into a file of that process. It has no lock.
struct IdFiles(PathBuf);

impl IdFiles {
    fn write(&self, lines: &str) -> io::Result<()> {
        let path = self.0.join(process::id().to_string());
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(lines.as_bytes())
    }
}

#[async_trait]
impl Exporter for IdFiles {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        let mut lines = String::new();
        for span in batch.iter().flat_map(tailtrace::Trace::spans) {
            let context = span.context();
            writeln!(lines, "{} {}", context.trace_id, context.span_id)
                .map_err(|_| ExportError::permanent("cannot format"))?;
        }
        self.write(&lines).map_err(|error| ExportError::permanent(error.to_string()))
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("IdFiles")
    }
}

/// Records a trace of ten spans, by the layer and by the tracer in turn.
fn record_ten(pipeline: &Pipeline, by_layer: bool) {
    if by_layer {
        let root = tracing::info_span!("request");
        let _inside = root.enter();
        for _ in 0..9 {
            drop(tracing::info_span!("query"));
        }
    } else {
        let root = pipeline.tracer().start_span("request");
        for _ in 0..9 {
            drop(root.child("query"));
        }
    }
}

/// What a process does that was forked off: it exports a hundred spans, and what it flushes arrives in time.
fn live_as_child(pipeline: &Pipeline, held: tailtrace::SpanGuard) -> bool {
    // A hang ends the child, and fails the test.
    let (done, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        if ended.recv_timeout(PLENTY).is_err() {
            process::exit(3);
        }
    });
    for round in 0..5 {
        record_ten(pipeline, round % 2 == 0);
    }
    let flushed = pipeline.flush(PLENTY).is_ok_and(|report| report.sent == 50);
    for _ in 0..10 {
        drop(held.child("below a span of the parent"));
    }
    drop(held);
    for round in 0..4 {
        record_ten(pipeline, round % 2 == 0);
    }
    let shut_down = pipeline.shutdown(PLENTY).is_ok();
    let is_whole = pipeline.stats().balances() && pipeline.stats().exported == 100;
    let _ = done.send(());
    flushed && shut_down && is_whole
}

/// The program of the test below; by itself it does nothing.
#[test]
fn a_program_that_forks() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let pipeline = Pipeline::builder("forks")
        .with_tail(
            TailSampler::new()
                .keep(Slowest::percentile(0.5).unwrap())
                .keep(Fraction::new(1.0).unwrap()),
        )
        .with_exporter(IdFiles(folder.into()))
        .start()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let is_over = AtomicBool::new(false);
    let failed = thread::scope(|threads| {
        for number in 0..4 {
            let (pipeline, is_over) = (&pipeline, &is_over);
            threads.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    record_ten(pipeline, number % 2 == 0);
                    // So that the children get on with their work.
                    thread::yield_now();
                }
            });
        }
        let failed = (0..FORKS).filter(|_| {
            let held = pipeline.tracer().start_span("open during the fork");
            match fork().unwrap() {
                Fork::Child => process::exit(i32::from(!live_as_child(&pipeline, held))),
                Fork::Parent(child) => waitpid(child).unwrap() != 0,
            }
        });
        let failed = failed.count();
        is_over.store(true, Ordering::Relaxed);
        failed
    });
    pipeline.shutdown(PLENTY).unwrap();
    assert_eq!(failed, 0, "children that failed");
}

/// The program of the test below; by itself it does nothing.
#[test]
fn a_program_that_forks_first() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    // The thread has a generator of ids already.
    let _ = Random::thread().next_u64();
    let ids = move || {
        let exporter = IdFiles(folder.into());
        // Ids mix the moment in, which would hide that both processes have one generator.
        exporter.write(&format!("drawn {}\n", Random::thread().next_u64())).unwrap();
        let pipeline = Pipeline::builder("forks").with_exporter(exporter).start().unwrap();
        for _ in 0..10 {
            record_ten(&pipeline, false);
        }
        pipeline.shutdown(PLENTY).unwrap();
    };
    match fork().unwrap() {
        Fork::Child => {
            ids();
            process::exit(0);
        }
        Fork::Parent(child) => {
            ids();
            assert_eq!(waitpid(child).unwrap(), 0);
        }
    }
}

/// Runs a program of this folder; how many lines it and its children wrote, each of which is of the ids of a span or of a
/// number, the fewest first. No two are the same.
#[track_caller]
fn lines_by_process<T>(program: T) -> Vec<usize> {
    let folder = TestFolder::of::<T>();
    let mut process = own_process::command(program);
    process.env(FOLDER, &folder.0);
    own_process::run(process);
    let mut owners: HashMap<String, PathBuf> = HashMap::new();
    let mut counts = Vec::new();
    for file in fs::read_dir(&folder.0).unwrap() {
        let path = file.unwrap().path();
        let lines = fs::read_to_string(&path).unwrap();
        counts.push(lines.lines().count());
        for ids in lines.lines() {
            let other = owners.insert(ids.to_owned(), path.clone());
            assert_eq!(other, None, "{ids} is in {path:?} too");
        }
    }
    counts.sort_unstable();
    counts
}

/// The program of the test below; by itself it does nothing.
#[cfg(feature = "otlp")]
#[test]
fn a_program_that_forks_beside_a_connection() {
    if std::env::var_os(FOLDER).is_none() {
        return;
    }
    for speaks_grpc in [false, true] {
        let server = match speaks_grpc {
            true => Server::grpc(|_| Reply::code(0)),
            false => Server::http(|_| Reply::ok()),
        };
        let builder = match speaks_grpc {
            true => OtlpExporter::builder()
                .with_protocol(OtlpProtocol::Grpc)
                .with_endpoint(server.url("")),
            false => OtlpExporter::builder().with_endpoint(server.url("/v1/traces")),
        };
        let pipeline =
            Pipeline::builder("forks").with_exporter(builder.build().unwrap()).start().unwrap();
        record_ten(&pipeline, false);
        pipeline.flush(PLENTY).unwrap();
        match fork().unwrap() {
            Fork::Child => {
                record_ten(&pipeline, false);
                process::exit(i32::from(pipeline.flush(CHILD_LIMIT).is_err()));
            }
            Fork::Parent(child) => assert_eq!(waitpid(child).unwrap(), 0),
        }
        record_ten(&pipeline, false);
        pipeline.shutdown(PLENTY).unwrap();
        let arrived: usize = server.so_far().iter().map(|request| request.names().len()).sum();
        assert_eq!(arrived, 30);
    }
}

/// Less than the time limit of a request, which a connection of the parent process would use up.
#[cfg(feature = "otlp")]
const CHILD_LIMIT: std::time::Duration = std::time::Duration::from_secs(8);

#[cfg(feature = "otlp")]
#[test]
fn a_process_that_is_forked_off_makes_a_connection_of_its_own() {
    assert!(lines_by_process(a_program_that_forks_beside_a_connection).is_empty());
}

/// The program of the test below; by itself it does nothing.
#[cfg(feature = "detect")]
#[test]
fn a_program_that_forks_beside_a_file() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let resource = Resource::detect();
    let pid_of = |process: u32| format!("\"process.pid\":{process}");
    let instance = resource.get("service.instance.id").unwrap().as_str().unwrap().to_owned();
    let folder = PathBuf::from(folder);
    let whole = folder.join("traces.jsonl");
    let pipeline = Pipeline::builder("forks")
        .with_resource(resource)
        .with_exporter(FileExporter::new(&whole).unwrap())
        .start()
        .unwrap();
    record_ten(&pipeline, false);
    pipeline.flush(PLENTY).unwrap();
    match fork().unwrap() {
        Fork::Child => {
            record_ten(&pipeline, false);
            pipeline.flush(PLENTY).unwrap();
            let path = folder.join(format!("traces-{}.jsonl", process::id()));
            let lines = fs::read_to_string(path).unwrap_or_default();
            let tells_itself = lines.contains(&pid_of(process::id())) && !lines.contains(&instance);
            process::exit(i32::from(!tells_itself));
        }
        Fork::Parent(child) => assert_eq!(waitpid(child).unwrap(), 0),
    }
    let lines = fs::read_to_string(whole).unwrap();
    assert!(lines.contains(&pid_of(process::id())) && lines.contains(&instance));
    pipeline.shutdown(PLENTY).unwrap();
}

#[cfg(feature = "detect")]
#[test]
fn a_process_that_is_forked_off_has_a_file_and_a_resource_of_its_own() {
    assert_eq!(lines_by_process(a_program_that_forks_beside_a_file), [10, 10]);
}

/// Traces what it does itself, as a sampler may that asks a service.
struct TracingSampler;

impl Sampler for TracingSampler {
    fn should_sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        let _inside = tracing::info_span!("asks").entered();
        SamplingResult::sample()
    }
}

/// The program of the test below; by itself it does nothing.
#[test]
fn a_program_that_forks_inside_of_a_span() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let pipeline = Pipeline::builder("forks")
        .with_sampler(TracingSampler)
        .with_exporter(IdFiles(folder.into()))
        .start()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let root = tracing::info_span!("root").entered();
    drop(tracing::info_span!("child"));
    if let Fork::Parent(child) = fork().unwrap() {
        assert_eq!(waitpid(child).unwrap(), 0);
        drop(root);
        pipeline.shutdown(PLENTY).unwrap();
        return;
    }
    let (done, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        if ended.recv_timeout(PLENTY).is_err() {
            process::exit(3);
        }
    });
    for _ in 0..3 {
        drop(tracing::info_span!("child"));
    }
    let is_over = pipeline.shutdown(PLENTY).is_ok();
    let _ = done.send(());
    process::exit(i32::from(!is_over));
}

#[test]
fn a_sampler_may_trace_when_a_child_process_asks_it_below_a_span_of_the_parent() {
    assert_eq!(lines_by_process(a_program_that_forks_inside_of_a_span), [2, 3]);
}

#[test]
fn two_processes_that_start_their_pipelines_after_a_fork_share_no_id() {
    let counts = lines_by_process(a_program_that_forks_first);
    assert_eq!(counts, [101, 101], "a hundred spans and a number that was drawn");
}

#[test]
fn two_hundred_forks_under_four_recording_threads_hang_nowhere_lose_nothing_and_share_no_id() {
    let counts = lines_by_process(a_program_that_forks);
    assert_eq!(counts.len(), FORKS + 1);
    assert_eq!(counts[..FORKS], [100; FORKS], "a hundred spans arrive of each child");
}

struct TestFolder(PathBuf);

impl TestFolder {
    /// The folder of a program, whose type has its name.
    fn of<T>() -> Self {
        let name = type_name::<T>().replace("::", "-");
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
