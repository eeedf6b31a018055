//! What a spool tells the ledger.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Ledger, Reason};

/// The account of a pipeline, for what its only exporter holds on disk.
///
/// Handed to [`Exporter::attach`](crate::Exporter::attach).
#[derive(Clone, Debug)]
pub struct SpoolAccount(Arc<Ledger>);

#[cfg_attr(
    not(feature = "spool"),
    expect(dead_code, reason = "only a spool has something to tell")
)]
impl SpoolAccount {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self(ledger)
    }

    /// Spans are on disk. They are about to be counted as exported, because the exporter took them.
    pub(crate) fn spooled(&self, spans: u64) {
        self.0.spooled.fetch_add(spans, Ordering::Relaxed);
        self.0.exported.fetch_sub(spans, Ordering::Relaxed);
    }

    /// Spans that were on disk have arrived.
    pub(crate) fn sent(&self, spans: u64) {
        self.0.exported.fetch_add(spans, Ordering::Relaxed);
        self.0.spooled.fetch_sub(spans, Ordering::Relaxed);
    }

    /// Spans that were on disk are gone.
    pub(crate) fn lost(&self, spans: u64) {
        self.0.dropped(Reason::SpoolLost, spans);
        self.0.spooled.fetch_sub(spans, Ordering::Relaxed);
    }
}
