//! What can be set about delivery.

use std::time::Duration;

use super::Retry;
use crate::export::Batching;

/// How much may wait for an exporter, and how it is sent.
///
/// The limits hold for each exporter on its own: one that hangs fills its own queue and no other.
///
/// ```
/// use tailtrace::delivery::DeliveryConfig;
/// let small = DeliveryConfig::default().with_max_queued_bytes(4 * 1024 * 1024);
/// assert_eq!(small.max_queued_traces, 131_072);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeliveryConfig {
    /// The most memory of the traces that wait for one exporter, in bytes. Default 32 MiB.
    ///
    /// A larger trace leaves in parts that each fit, as traces of the same id; a span that is larger by itself is
    /// refused. One such trace at a time comes on top of the limit, and so does the batch that is being sent.
    pub max_queued_bytes: usize,
    /// The most traces that wait for one exporter. Default 131,072.
    pub max_queued_traces: usize,
    /// How a failed batch is tried again.
    pub retry: Retry,
    /// How long one try may take without a peer's accepting any of it before it counts as failed, and how long an
    /// exporter may take to flush. Default 30 s. An exporter that blocks its thread cannot be interrupted.
    pub export_timeout: Duration,
    /// How traces are gathered, in place of what each exporter [asks for](crate::Exporter::batching).
    /// Default `None`.
    pub batching: Option<Batching>,
}

impl DeliveryConfig {
    /// Sets the most memory of the traces that wait for one exporter, in bytes.
    #[must_use]
    pub fn with_max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued_bytes = bytes;
        self
    }

    /// Sets the most traces that wait for one exporter.
    #[must_use]
    pub fn with_max_queued_traces(mut self, traces: usize) -> Self {
        self.max_queued_traces = traces;
        self
    }

    /// Sets how a failed batch is tried again.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets how long one try, or a flush of the exporter, may take.
    #[must_use]
    pub fn with_export_timeout(mut self, timeout: Duration) -> Self {
        self.export_timeout = timeout;
        self
    }

    /// Sets how traces are gathered, for every exporter.
    #[must_use]
    pub fn with_batching(mut self, batching: Batching) -> Self {
        self.batching = Some(batching);
        self
    }
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            max_queued_bytes: 32 * 1024 * 1024,
            max_queued_traces: 131_072,
            retry: Retry::default(),
            export_timeout: Duration::from_secs(30),
            batching: None,
        }
    }
}
