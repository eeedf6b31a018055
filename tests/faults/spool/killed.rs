//! Programs that are killed while they write to a spool.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::{TestDirectory, arrived, nowhere, pipeline};
use crate::own_process;
use crate::server::{Reply, Server};
use crate::support::PLENTY;

const CHILD: &str = "TAILTRACE_TEST_SPOOL";

/// The program of the test below, which is killed; by itself it does nothing.
#[test]
fn a_program_that_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let directory = std::mem::ManuallyDrop::new(TestDirectory(path.into()));
    let pipeline = pipeline(&directory, &nowhere());
    for number in 0..100_000 {
        drop(pipeline.tracer().start_span(format!("span {number}")));
        pipeline.flush(PLENTY).unwrap();
        println!("\nspooled {number}");
    }
}

#[test]
fn what_was_spooled_outlives_a_program_that_is_killed_at_any_moment() {
    for kill_after in [1, 2, 7, 40] {
        let directory = TestDirectory::new(&format!("killed-{kill_after}"));
        let mut child = own_process::command(a_program_that_is_killed)
            .env(CHILD, &directory.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok).filter(|line| line.starts_with("spooled "));
        let before = lines.by_ref().take(kill_after).count();
        child.kill().unwrap();
        child.wait().unwrap();
        let spooled = before + lines.count();
        assert!(before == kill_after && spooled < 100_000, "the child was killed at work");
        let server = Server::http(|_| Reply::ok());
        let next = pipeline(&directory, &server.url("/v1/traces"));
        let mut names = arrived(&server, spooled);
        next.shutdown(PLENTY).unwrap();
        names.dedup();
        for number in 0..spooled {
            assert!(
                names.contains(&format!("span {number}")),
                "span {number} of {spooled} is lost"
            );
        }
    }
}
