//! Outages that are longer than memory, and processes that end meanwhile.

#[cfg(unix)]
mod full;
mod killed;
mod model;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use tailtrace::delivery::Spool;
use tailtrace::export::OtlpProtocol;
use tailtrace::{Exporter, OtlpExporter, Pipeline};

use super::server::{Reply, Server, Speaks};
use super::support::PLENTY;

/// A directory that goes with its test.
pub(super) struct TestDirectory(PathBuf);

impl TestDirectory {
    pub(super) fn new(name: &str) -> Self {
        let name = format!("faults-spool-{name}-{}", std::process::id());
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    pub(super) fn files(&self) -> usize {
        fs::read_dir(&self.0).map_or(0, Iterator::count)
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where no peer is.
pub(super) fn nowhere() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{free}/v1/traces")
}

pub(super) fn pipeline(directory: &TestDirectory, url: &str) -> Pipeline {
    let exporter = OtlpExporter::builder().with_endpoint(url).build().unwrap();
    let spool = Spool::new(&directory.0, exporter).unwrap();
    Pipeline::builder("test").with_exporter(spool).start().unwrap()
}

pub(super) fn record(pipeline: &Pipeline, spans: std::ops::Range<usize>) {
    for number in spans {
        drop(pipeline.tracer().start_span(format!("span {number}")));
        pipeline.flush(PLENTY).unwrap();
    }
}

/// The names of spans that arrive until there are so many.
fn arrived(server: &Server, spans: usize) -> Vec<String> {
    let mut names = Vec::new();
    while names.len() < spans {
        names.extend(server.next().names());
    }
    names.extend(server.so_far().iter().flat_map(|seen| seen.names()));
    names.sort();
    names
}

fn expected(spans: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..spans).map(|number| format!("span {number}")).collect();
    names.sort();
    names
}

#[test]
fn what_the_peer_does_not_take_waits_on_disk_and_arrives_when_it_is_back() {
    let directory = TestDirectory::new("back");
    let mut refusals = 3;
    let server = Server::start(Speaks::Http, move |_| {
        refusals -= i32::from(refusals > 0);
        if refusals > 0 { Reply::status(503) } else { Reply::ok() }
    });
    let pipeline = pipeline(&directory, &server.url("/v1/traces"));
    record(&pipeline, 0..10);
    while pipeline.stats().spooled > 0 {
        std::thread::yield_now();
    }
    pipeline.shutdown(PLENTY).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!((stats.exported, stats.spooled, directory.files()), (10, 0, 0));
    let mut names = arrived(&server, 10);
    names.dedup();
    assert_eq!(names, expected(10));
}

#[test]
fn what_is_left_when_a_program_ends_is_sent_by_the_next_one() {
    let directory = TestDirectory::new("next");
    let first = pipeline(&directory, &nowhere());
    record(&first, 0..5);
    first.shutdown(PLENTY).unwrap();
    let stats = first.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!((stats.exported, stats.spooled), (0, 5));
    assert!(stats.to_string().contains("spooled"), "{stats}");
    let server = Server::http(|_| Reply::ok());
    let next = pipeline(&directory, &server.url("/v1/traces"));
    assert_eq!(arrived(&server, 5), expected(5));
    next.shutdown(PLENTY).unwrap();
    assert_eq!(next.stats().exported, 0, "it is no span of this process");
}

#[test]
fn two_processes_that_live_send_no_batch_twice() {
    let directory = TestDirectory::new("two");
    let first = pipeline(&directory, &nowhere());
    record(&first, 0..30);
    first.shutdown(PLENTY).unwrap();
    let server = Server::http(|_| Reply::ok());
    let both = [(); 2].map(|()| pipeline(&directory, &server.url("/v1/traces")));
    let names = arrived(&server, 30);
    while directory.files() > 0 {
        std::thread::yield_now();
    }
    both.iter().for_each(|pipeline| drop(pipeline.shutdown(PLENTY)));
    assert_eq!(names, expected(30));
    assert!(server.so_far().is_empty(), "a batch was sent twice");
}

#[test]
fn a_file_that_is_damaged_costs_itself() {
    let directory = TestDirectory::new("damaged");
    let first = pipeline(&directory, &nowhere());
    record(&first, 0..3);
    first.shutdown(PLENTY).unwrap();
    let damaged = fs::read_dir(&directory.0).unwrap().next().unwrap().unwrap().path();
    fs::OpenOptions::new().append(true).open(damaged).unwrap().write_all(b"noise").unwrap();
    let server = Server::http(|_| Reply::ok());
    let next = pipeline(&directory, &server.url("/v1/traces"));
    assert_eq!(arrived(&server, 2).len(), 2);
    while directory.files() > 0 {
        std::thread::yield_now();
    }
    next.shutdown(PLENTY).unwrap();
}

#[test]
fn an_exporter_that_speaks_json_has_no_spool() {
    let directory = TestDirectory::new("json");
    let json = OtlpExporter::builder().with_protocol(OtlpProtocol::HttpJson).build().unwrap();
    let told = Spool::new(&directory.0, json).unwrap_err().to_string();
    assert!(told.contains("protobuf"), "{told}");
    let grpc = OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc).build().unwrap();
    assert_eq!(Spool::new(&directory.0, grpc).unwrap().name(), "Spool");
}

#[test]
fn a_peer_that_answers_nothing_is_waited_for_no_longer_than_the_disk_is_near() {
    let directory = TestDirectory::new("hung");
    let server = Server::http(|_| Reply::Hang);
    let far = OtlpExporter::builder().with_timeout(Duration::from_secs(600));
    let exporter = far.with_endpoint(server.url("/v1/traces")).build().unwrap();
    let spool = Spool::new(&directory.0, exporter).unwrap();
    let pipeline = Pipeline::builder("test").with_exporter(spool).start().unwrap();
    record(&pipeline, 0..5);
    let report = pipeline.shutdown(PLENTY).unwrap();
    assert_eq!((pipeline.stats().spooled, directory.files(), report.spooled()), (5, 5, 5));
    assert!(report.to_string().ends_with("; 5 wait on disk"), "{report}");
}

#[test]
fn a_peer_that_asked_for_time_is_left_alone_by_what_waits_on_disk() {
    let directory = TestDirectory::new("asked");
    let busy = Reply::status(503).with_header("retry-after", "30");
    let server = Server::replies(Speaks::Http, [busy]);
    let pipeline = pipeline(&directory, &server.url("/v1/traces"));
    record(&pipeline, 0..5);
    pipeline.shutdown(PLENTY).unwrap();
    assert_eq!((server.so_far().len(), directory.files()), (1, 5));
}

#[test]
fn what_must_not_be_told_does_not_reach_the_disk() {
    let directory = TestDirectory::new("redacted");
    let exporter = OtlpExporter::builder().with_endpoint(nowhere()).build().unwrap();
    let redact = tailtrace::model::Redact::new().with_denied_key("card").with_denied_value("*@*");
    let spool = Spool::new(&directory.0, exporter).unwrap();
    let builder = Pipeline::builder("test").with_redact(redact).with_exporter(spool);
    let pipeline = builder.start().unwrap();
    let span = pipeline.tracer().start_span("order");
    span.set_tag("card", "4711-secret");
    span.set_tag("customer", "a@example.org");
    drop(span);
    pipeline.shutdown(PLENTY).unwrap();
    assert_eq!((pipeline.stats().redacted, directory.files()), (2, 1));
    let file = fs::read_dir(&directory.0).unwrap().next().unwrap().unwrap().path();
    let written = fs::read(file).unwrap();
    let has = |text: &str| written.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("order") && !has("secret") && !has("example.org"));
}
