//! The traces that an exporter is handed at a time.

mod bytes_sent;
mod conversions;
#[cfg(test)]
mod tests;

use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use crate::kit::unwind_safe::lock;
use crate::ledger::KeptAccount;
use crate::trace::Trace;
pub(crate) use bytes_sent::TraceSizes;

/// Kept traces that an [`Exporter`](super::Exporter) is handed at a time.
///
/// It reads like a slice of traces, and gives them away by [`into_traces`](Self::into_traces) or in a
/// loop. An exporter that could not send all of it returns what is left in a
/// [retryable error](super::ExportError::retryable): delivery tries exactly that again and counts the
/// rest as sent.
///
/// An exporter that sends a batch in several requests says after each one what became of it, by
/// [`mark_accepted`](Self::mark_accepted) or [`mark_rejected`](Self::mark_rejected). Those spans leave
/// the batch, so that they are neither sent again nor counted as lost when the exporter runs out of
/// time, panics or is shut down half-way.
///
/// A clone has the same traces; delivery does not see what is marked in it.
///
/// ```
/// use tailtrace::export::Batch;
/// use tailtrace::testing::{span, trace};
///
/// let mut batch = Batch::from([trace(span("a").child(span("b"))), trace(span("c"))]);
/// assert_eq!((batch.len(), batch.span_count()), (2, 3));
/// batch.mark_accepted(1);
/// assert_eq!((batch.len(), batch.span_count(), batch.done_in_first()), (2, 2, 1));
/// batch.mark_accepted(1);
/// assert_eq!((batch.len(), batch.span_count(), batch.done_in_first()), (1, 1, 0));
/// ```
#[derive(Default)]
pub struct Batch {
    traces: Vec<Trace>,
    /// How many spans at the start of the first trace are done.
    done: usize,
    /// How many spans of traces that were taken out are not done; `None` while the traces are in.
    taken: Option<usize>,
    /// The operation of the trace of which the only one here is a part.
    operation: Option<Arc<str>>,
    /// Where delivery finds what is left when the exporter does not return it.
    loan: Option<Arc<Loan>>,
}

/// What delivery keeps of a batch while an exporter has it.
#[derive(Debug)]
pub(crate) struct Loan {
    returned: Mutex<Returned>,
    /// Where the bytes are counted that are sent.
    account: Arc<KeptAccount>,
}

#[derive(Debug, Default)]
struct Returned {
    progress: Progress,
    left: Option<Batch>,
    /// Whether delivery has accounted for the batch: what the exporter marks from then on comes too late.
    is_closed: bool,
}

/// How many spans of a batch a peer has answered for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
}

impl Batch {
    /// How many spans are left in the batch.
    #[must_use]
    pub fn span_count(&self) -> usize {
        let spans: usize = self.traces.iter().map(Trace::span_count).sum();
        spans.saturating_sub(self.done)
    }

    /// How many spans at the start of the first trace are done, and must not be sent again. They are
    /// still in the trace, because a trace is read as a whole.
    #[must_use]
    pub fn done_in_first(&self) -> usize {
        self.done
    }

    /// Takes the traces out of the batch.
    ///
    /// Delivery cannot try again what an exporter takes out and does not return: if the exporter runs
    /// out of time then, or fails and returns an empty batch, the traces are lost.
    #[must_use]
    pub fn into_traces(mut self) -> Vec<Trace> {
        self.loan = None;
        mem::take(&mut self.traces)
    }

    /// Takes the traces out of the batch, which still tells delivery what becomes of them: what is
    /// [marked](Self::mark_accepted) from now on are spans of these traces, in their order.
    ///
    /// As with [`into_traces`](Self::into_traces), delivery cannot try them again. What was marked when an
    /// exporter runs out of time or panics is not lost.
    #[must_use]
    pub fn take_traces(&mut self) -> Vec<Trace> {
        self.taken = Some(self.taken.unwrap_or(0) + self.span_count());
        self.done = 0;
        mem::take(&mut self.traces)
    }

    /// Takes the first `spans` spans that are left out of the batch: a peer has accepted them.
    pub fn mark_accepted(&mut self, spans: usize) {
        let _ = self.mark_accepted_in_time(spans);
    }

    /// [`mark_accepted`](Self::mark_accepted); whether it counts. It does not where delivery has given the batch up.
    pub(crate) fn mark_accepted_in_time(&mut self, spans: usize) -> bool {
        let accepted = self.advance(spans);
        self.report(Progress { accepted, rejected: 0 })
    }

    /// Takes the first `spans` spans that are left out of the batch: a peer has rejected them for good.
    pub fn mark_rejected(&mut self, spans: usize) {
        let rejected = self.advance(spans);
        let _ = self.report(Progress { accepted: 0, rejected });
    }

    /// A batch whose remains come back through the loan when the exporter drops it, and whose bytes are counted in an
    /// account.
    pub(crate) fn lend(mut self, account: &Arc<KeptAccount>) -> (Self, Arc<Loan>) {
        let loan = Arc::new(Loan::new(account));
        self.loan = Some(Arc::clone(&loan));
        (self, loan)
    }

    /// A batch whose remains come back through this loan when the exporter drops it.
    pub(crate) fn lent_by(mut self, loan: Arc<Loan>) -> Self {
        self.loan = Some(loan);
        self
    }

    /// This batch of the only part of a trace, which counts for the trace's operation; `None` for any other batch.
    pub(crate) fn of_operation(mut self, operation: Option<Arc<str>>) -> Self {
        self.operation = operation;
        self
    }

    /// Where the bytes of a batch are counted that an exporter was handed.
    pub(crate) fn account(&self) -> Option<&Arc<KeptAccount>> {
        self.loan.as_ref().map(|loan| &loan.account)
    }

    /// This batch without its loan: the caller is responsible for it again.
    pub(crate) fn reclaimed(mut self) -> Self {
        self.loan = None;
        self
    }

    /// Moves the traces of equal resources together, those of the first trace's resource first.
    #[cfg(feature = "otlp")]
    pub(crate) fn group_by_resource(&mut self) {
        // Traces of one pipeline share one resource: nothing is compared, allocated or moved then.
        let is_grouped = self.traces.chunk_by(has_resource_of).nth(1).is_none();
        if is_grouped {
            return;
        }
        // A trace without spans is not sent, and must not put its resource before another.
        self.traces.retain(|trace| trace.span_count() > 0);
        let mut known: Vec<Arc<crate::model::Resource>> = Vec::new();
        self.traces.sort_by_cached_key(|trace| {
            let resource = trace.resource();
            let found = known.iter().position(|known| known == resource);
            found.unwrap_or_else(|| {
                known.push(Arc::clone(resource));
                known.len() - 1
            })
        });
    }

    /// Takes out spans from the front; how many there were.
    fn advance(&mut self, spans: usize) -> u64 {
        if let Some(taken) = &mut self.taken {
            let done = spans.min(*taken);
            *taken -= done;
            return done as u64;
        }
        let before = self.span_count();
        let mut ahead = self.done.saturating_add(spans);
        let mut whole = 0;
        while let Some(trace) = self.traces.get(whole)
            && ahead >= trace.span_count()
        {
            ahead -= trace.span_count();
            whole += 1;
        }
        self.traces.drain(..whole);
        self.done = if self.traces.is_empty() { 0 } else { ahead };
        (before - self.span_count()) as u64
    }

    /// Tells delivery what became of spans; whether it is in time.
    fn report(&self, step: Progress) -> bool {
        self.loan.as_ref().is_none_or(|loan| loan.report(step))
    }
}

/// Whether two traces are of one resource.
#[cfg(feature = "otlp")]
pub(super) fn has_resource_of(one: &Trace, other: &Trace) -> bool {
    Arc::ptr_eq(one.resource(), other.resource()) || one.resource() == other.resource()
}

impl Loan {
    pub(crate) fn new(account: &Arc<KeptAccount>) -> Self {
        Self { returned: Mutex::default(), account: Arc::clone(account) }
    }

    /// What the exporter had marked in the batch so far.
    pub(crate) fn progress(&self) -> Progress {
        lock(&self.returned).progress
    }

    /// What the exporter had marked in the batch; nothing that it marks from now on counts.
    pub(crate) fn close(&self) -> Progress {
        let mut returned = lock(&self.returned);
        returned.is_closed = true;
        returned.progress
    }

    /// The batch as it was when the exporter dropped it; `None` when the exporter took the traces out
    /// or still has the batch.
    pub(crate) fn take_left(&self) -> Option<Batch> {
        lock(&self.returned).left.take()
    }

    /// The exporter marks spans; whether that is in time.
    fn report(&self, step: Progress) -> bool {
        let mut returned = lock(&self.returned);
        if returned.is_closed {
            return false;
        }
        returned.progress.accepted += step.accepted;
        returned.progress.rejected += step.rejected;
        true
    }

    /// The exporter drops the batch.
    fn give_back(&self, left: Batch) {
        lock(&self.returned).left = Some(left);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(loan) = self.loan.take()
            && self.taken.is_none()
        {
            let traces = mem::take(&mut self.traces);
            let operation = self.operation.take();
            let left = Self { traces, done: self.done, taken: None, operation, loan: None };
            loan.give_back(left);
        }
    }
}

impl Deref for Batch {
    type Target = [Trace];

    fn deref(&self) -> &[Trace] {
        &self.traces
    }
}

impl Clone for Batch {
    fn clone(&self) -> Self {
        let traces = self.traces.clone();
        let operation = self.operation.clone();
        Self { traces, done: self.done, taken: self.taken, operation, loan: None }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("traces", &self.traces.len())
            .field("spans", &self.span_count())
            .finish()
    }
}
