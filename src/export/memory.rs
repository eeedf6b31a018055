//! Traces kept in memory.

use std::mem;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Batch, Batching, ExportError, Exporter};
use crate::kit::fork::ForkLock;
use crate::model::TraceId;
use crate::trace::{Span, SpanRef, Trace};

/// Keeps every trace in memory, to be looked at in tests.
///
/// A clone is a handle to the same traces: give one to the pipeline and look into the other. It has no
/// bound: [`clear`](Self::clear) it, or use it only in tests.
///
/// ```
/// use tailtrace::testing::{span, trace};
/// use tailtrace::{Exporter, InMemoryExporter};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = InMemoryExporter::new();
/// let handle = memory.clone();
/// let trace = trace(span("checkout").child(span("charge_card")));
/// memory.export(trace.into()).await?;
/// assert_eq!(handle.span_count(), 2);
/// assert_eq!(handle.spans()[1].operation_name(), "charge_card");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(run())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct InMemoryExporter(Arc<ForkLock<Vec<Trace>>>);

impl InMemoryExporter {
    /// An exporter that holds nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The traces in the order they came.
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        self.0.lock().clone()
    }

    /// Copies of all spans, trace by trace, each in the order its spans started.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let traces = self.traces();
        let spans = traces.iter().flat_map(Trace::spans);
        spans.map(SpanRef::to_span).collect()
    }

    /// The first trace that came with this id. Spans that ended after their trace was decided come as
    /// a trace of their own with the same id; [`traces`](Self::traces) has those too.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Option<Trace> {
        let traces = self.0.lock();
        traces.iter().find(|trace| trace.trace_id() == id).cloned()
    }

    /// How many spans all its traces have.
    #[must_use]
    pub fn span_count(&self) -> usize {
        self.0.lock().iter().map(Trace::span_count).sum()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let forgotten = mem::take(&mut *self.0.lock());
        drop(forgotten);
    }
}

#[async_trait]
impl Exporter for InMemoryExporter {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        self.0.lock().extend(batch);
        Ok(())
    }

    fn batching(&self) -> Batching {
        Batching::immediate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block_on, span, trace, trace_with_id};

    #[test]
    fn a_clone_shows_what_was_exported_in_the_order_it_came() {
        let memory = InMemoryExporter::new();
        let handle = memory.clone();
        let id = TraceId::new();
        let first = trace(span("a").child(span("b")));
        let second = trace_with_id(id, span("c"));
        block_on(memory.export(first.into())).unwrap();
        block_on(memory.export(second.into())).unwrap();
        let names: Vec<_> =
            handle.spans().iter().map(|span| span.operation_name().to_owned()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(handle.span_count(), 3);
        assert_eq!(handle.trace(id).unwrap().span_count(), 1);
        assert!(handle.trace(TraceId::new()).is_none());
        handle.clear();
        assert_eq!((memory.span_count(), memory.traces().len()), (0, 0));
    }
}
