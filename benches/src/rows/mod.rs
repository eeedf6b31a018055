//! What is measured.

mod layer;
mod native;
mod processor;
mod subscriber;
mod swap;

use crate::Job;

/// One workload under one library.
pub struct Row {
    pub workload: &'static str,
    pub library: &'static str,
    /// Spans that one call of the job makes: those of a trace, or one for each of many open traces.
    pub spans: usize,
    pub start: fn() -> Job,
}

const fn row(
    workload: &'static str,
    library: &'static str,
    spans: usize,
    start: fn() -> Job,
) -> Row {
    Row { workload, library, spans, start }
}

/// Every row, by workload: ours first.
pub fn workloads() -> impl Iterator<Item = &'static [Row]> {
    [native::ROWS, layer::ROWS, subscriber::ROWS, processor::ROWS, swap::ROWS]
        .into_iter()
        .flat_map(|rows| rows.chunk_by(|a, b| a.workload == b.workload))
}

/// The row of a workload and a library.
pub fn find(workload: &str, library: &str) -> Option<&'static Row> {
    workloads().flatten().find(|row| row.workload == workload && row.library == library)
}
