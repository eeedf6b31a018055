//! A disk that takes no more.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{TestDirectory, arrived, expected, pipeline, record};
use crate::lines::Lines;
use crate::own_process;
use crate::server::{Reply, Server};
use crate::support::PLENTY;

const CHILD: &str = "TAILTRACE_TEST_FULL_DISK";

/// The program of the test below, to which the system gives files of 512 bytes at most; by itself it does nothing.
#[test]
fn a_program_whose_disk_is_full() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let log = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let directory = TestDirectory(path.into());
    let is_back = Arc::new(AtomicBool::new(false));
    let well = Arc::clone(&is_back);
    let server = Server::http(move |_| match well.load(Ordering::SeqCst) {
        true => Reply::ok(),
        false => Reply::status(503),
    });
    let pipeline = pipeline(&directory, &server.url("/v1/traces"));
    // What is small enough finds its place.
    record(&pipeline, 0..2);
    assert_eq!(pipeline.stats().spooled, 2);
    let large = pipeline.tracer().start_span("span 2");
    large.set_tag("text", "x".repeat(2_000));
    drop(large);
    while !log.text().contains("does not take spans") {
        std::thread::yield_now();
    }
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!((stats.queued, stats.lost(), directory.files()), (1, 0, 2), "{stats}");
    is_back.store(true, Ordering::SeqCst);
    pipeline.flush(PLENTY).unwrap();
    while pipeline.stats().spooled > 0 {
        std::thread::yield_now();
    }
    pipeline.shutdown(PLENTY).unwrap();
    assert_eq!((pipeline.stats().exported, directory.files()), (3, 0));
    let mut names = arrived(&server, 3);
    names.dedup();
    assert_eq!(names, expected(3));
    assert_eq!(log.text().matches("does not take spans").count(), 1, "{}", log.text());
    println!("\nthe disk was full");
}

#[test]
fn a_full_disk_costs_nothing_but_its_room_and_is_told_once() {
    let directory = TestDirectory::new("full");
    let process = own_process::command(a_program_whose_disk_is_full);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(process.get_program())
        .args(process.get_args())
        .env(CHILD, &directory.0);
    let output = own_process::run(limited);
    assert!(String::from_utf8_lossy(&output.stdout).contains("the disk was full"), "{output:?}");
}
