//! How many bytes the traces of a batch were sent in, told to the ledger by policy and operation.

use super::Batch;
use crate::ledger::KeptNames;
use crate::trace::Trace;

/// How many bytes of a request each trace takes, in the order of the batch that it is written from.
#[derive(Debug, Default)]
pub(crate) struct TraceSizes(Vec<usize>);

impl TraceSizes {
    #[cfg(feature = "http-client")]
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The next trace took this many bytes.
    pub(crate) fn push(&mut self, bytes: usize) {
        self.0.push(bytes);
    }
}

impl Batch {
    /// Counts bytes in which the first `spans` spans that are left were sent, for
    /// [`stats_by_policy`](crate::Pipeline::stats_by_policy) and
    /// [`stats_by_operation`](crate::Pipeline::stats_by_operation), where each trace gets a share by its spans.
    ///
    /// For an exporter that knows how much it sent; called before the spans are [marked](Self::mark_accepted) or the
    /// traces taken out. The exporters of this crate that send something do it. Costs two look-ups for each trace.
    ///
    /// ```
    /// use async_trait::async_trait;
    /// use tailtrace::Exporter;
    /// use tailtrace::export::{Batch, ExportError};
    ///
    /// struct Telegraph;
    ///
    /// #[async_trait]
    /// impl Exporter for Telegraph {
    ///     async fn export(&self, batch: Batch) -> Result<(), ExportError> {
    ///         let message = format!("{} spans stop", batch.span_count());
    ///         batch.count_bytes(batch.span_count(), message.len());
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn count_bytes(&self, spans: usize, bytes: usize) {
        let mut left = spans.min(self.span_count());
        let all = left.max(1);
        let mut sizes = TraceSizes::default();
        for trace in self.iter() {
            let skipped = if sizes.0.is_empty() { self.done } else { 0 };
            let counted = (trace.span_count() - skipped).min(left);
            sizes.push(share(bytes, counted, all));
            left -= counted;
        }
        self.count_request(&sizes, bytes);
    }

    /// Counts the bytes of a request that was written from the first traces; what no trace took alone is shared.
    pub(crate) fn count_request(&self, sizes: &TraceSizes, bytes: usize) {
        let Some(loan) = &self.loan else { return };
        let written = sizes.0.iter().filter(|size| **size > 0).count();
        let mut envelope = bytes.saturating_sub(sizes.0.iter().sum());
        let each = envelope.div_ceil(written.max(1));
        let mut run: Option<(KeptNames<'_>, usize)> = None;
        let traces = self.traces.iter().zip(&sizes.0).filter(|(_, size)| **size > 0);
        for (trace, size) in traces {
            let size = size + each.min(envelope);
            envelope = envelope.saturating_sub(each);
            let names = self.names_of(trace);
            match &mut run {
                // Traces of one operation often come in a row, and looking names up is what costs.
                Some((of_run, sum)) if *of_run == names => *sum += size,
                _ => {
                    if let Some((names, sum)) = run.replace((names, size)) {
                        loan.account.sent(names, sum as u64);
                    }
                }
            }
        }
        if let Some((names, sum)) = run {
            loan.account.sent(names, sum as u64);
        }
    }

    fn names_of<'a>(&'a self, trace: &'a Trace) -> KeptNames<'a> {
        KeptNames {
            policy: trace.kept_by(),
            operation: self.operation.as_deref().unwrap_or_else(|| trace.operation()),
            is_late: trace.is_late(),
        }
    }
}

/// What `part` of `all` spans have of the bytes.
fn share(bytes: usize, part: usize, all: usize) -> usize {
    (bytes as u128 * part as u128 / all as u128) as usize
}
