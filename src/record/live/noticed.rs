//! Spans that no policy keeps, of traces that another service keeps.

use super::LiveTraces;
use super::stripe::StripeState;
use crate::record::local::{LocalTrace, TraceOwner};
use crate::time::Tick;
use crate::trace::KeepReason;

impl<O: TraceOwner> LiveTraces<O> {
    /// Why spans of a trace are to be kept of which another service told. The caller holds the lock of its stripe: a notice
    /// is remembered before it is looked up under that, so that none falls between.
    #[inline]
    pub(super) fn keep_remembered(&self, trace: &LocalTrace<O>, now: Tick) -> Option<KeepReason> {
        let link = self.link().filter(|link| link.is_remembered(trace.trace_id(), now))?;
        link.keep_remembered(trace.trace_id())
    }

    /// Why a part is to be kept that had begun when a notice for its trace came, which is spent; `None`, which is counted,
    /// where as many parts of the trace were kept for notices as may be.
    pub(super) fn keep_for_notice(
        &self,
        trace: &LocalTrace<O>,
        stripe: &StripeState<O>,
    ) -> Option<KeepReason> {
        match self.link().filter(|link| !link.spend_part(trace.trace_id())) {
            None => Some(stripe.reason(trace)),
            Some(link) => {
                link.handle().count_over_budget(1);
                None
            }
        }
    }
}
