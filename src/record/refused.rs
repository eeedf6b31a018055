//! A span that came too late or from the wrong thread.

use std::sync::Arc;

use crate::ledger::{Ledger, Reason};
use crate::model::head::TraceHead;
use crate::model::{Baggage, SpanId, TraceContext};

/// A span of which only the identity exists, and the reason for that.
#[derive(Debug)]
pub(crate) struct Refused {
    head: TraceHead,
    id: SpanId,
    pub(super) baggage: Baggage,
    reason: Reason,
    ledger: Arc<Ledger>,
}

impl Refused {
    /// Counts a span that has not been counted as started.
    pub(super) fn new(
        head: TraceHead,
        id: SpanId,
        baggage: Baggage,
        reason: Reason,
        ledger: &Arc<Ledger>,
    ) -> Self {
        ledger.started(1);
        ledger.dropped(reason, 1);
        Self { head, id, baggage, reason, ledger: Arc::clone(ledger) }
    }

    pub(super) fn child(&self) -> Self {
        let (head, baggage) = (self.head.clone(), self.baggage.clone());
        Self::new(head, SpanId::new(), baggage, self.reason, &self.ledger)
    }

    pub(super) fn context(&self) -> TraceContext {
        let mut context =
            TraceContext::new(self.head.trace_id, self.id).with_flags(self.head.flags());
        context.trace_state = self.head.outgoing_state();
        context.baggage = self.baggage.clone();
        context
    }
}
