//! What pipelines tell the operator, on whichever thread.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::lines::Lines;
use crate::support::PLENTY;

/// The program's log. What is told before the first call reaches it as soon as it is there.
pub(crate) fn told() -> &'static Lines {
    static TOLD: OnceLock<Lines> = OnceLock::new();
    TOLD.get_or_init(|| {
        let lines = Lines::default();
        let log = tracing_subscriber::fmt()
            .with_writer(lines.clone())
            .with_env_filter("off,tailtrace=warn")
            .finish();
        tracing::subscriber::set_global_default(log).unwrap();
        lines
    })
}

/// Waits for a line with these words: it comes from a thread that looks ten times a second.
#[track_caller]
pub(crate) fn wait_for(words: &str, mut meanwhile: impl FnMut()) -> String {
    let start = Instant::now();
    loop {
        let text = told().text();
        if let Some(line) = text.lines().find(|line| line.contains(words)) {
            return line.to_owned();
        }
        assert!(start.elapsed() < PLENTY, "not told: {words}; but: {text}");
        meanwhile();
        thread::park_timeout(Duration::from_millis(10));
    }
}
