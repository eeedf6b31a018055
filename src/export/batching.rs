//! How large batches are and how long they wait.

use std::time::Duration;

/// How traces are gathered before they are handed to an [`Exporter`](crate::Exporter).
///
/// A batch is full when any of its bounds is reached. One that is not full leaves when its oldest
/// trace has waited for `max_age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batching {
    /// The most spans in a batch; one larger trace still goes, alone. Default 4096.
    pub max_spans: usize,
    /// The most bytes of memory in a batch. Default 2 MiB.
    pub max_bytes: usize,
    /// How long a trace waits for more to come. Default 200 ms; zero sends at once what is there.
    pub max_age: Duration,
}

impl Batching {
    /// Batches that leave at once: what gathers while one is being sent makes the next.
    #[must_use]
    pub fn immediate() -> Self {
        Self { max_age: Duration::ZERO, ..Self::default() }
    }

    /// Sets the most spans in a batch.
    #[must_use]
    pub fn with_max_spans(mut self, spans: usize) -> Self {
        self.max_spans = spans;
        self
    }

    /// Sets the most bytes of memory in a batch.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how long a trace waits for more to come.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }
}

impl Default for Batching {
    fn default() -> Self {
        Self { max_spans: 4096, max_bytes: 2 * 1024 * 1024, max_age: Duration::from_millis(200) }
    }
}
