//! What the ledger is told of live traces and of the ring when it is read.

use super::LiveTraces;
use crate::ledger::RecorderCounts;
use crate::record::local::TraceOwner;
use crate::time::Tick;

impl<O: TraceOwner> LiveTraces<O> {
    /// Counts the spans that no other column of the ledger counts, and what else there is to say of this moment.
    /// Takes each lock for some instructions, and one at a time.
    pub(in crate::record) fn counts(&self, now: Tick) -> RecorderCounts {
        let mut counts = RecorderCounts::default();
        self.for_each(|trace| {
            let live = trace.lock();
            counts.live += trace.spans(&live);
            counts.started += u64::from(live.started);
            counts.live_traces += 1;
            counts.open_spans += trace.open_spans(&live);
            let age = trace.since(&live, now).map(|since| now.since(since));
            counts.oldest_live = counts.oldest_live.max(age.unwrap_or_default());
        });
        for stripe in &self.stripes {
            let stripe = stripe.lock();
            counts.started += stripe.started;
            counts.held += stripe.ring.spans();
            counts.ring_bytes += stripe.ring.bytes() as u64;
            let reach = stripe.ring.reach(now, &self.ring);
            counts.ring_reach = counts.ring_reach.max(reach);
        }
        counts
    }

    /// How many spans have started in traces that are complete, which the ledger does not count.
    pub(in crate::record) fn started(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.lock().started).sum()
    }
}
