//! Who holds what spans brought, and its heap against its limit.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::{Batch, Batching, ExportError};
use tailtrace::record::RecordLimits;
use tailtrace::{AlwaysOn, Exporter, Pipeline};
use tokio::sync::Semaphore;

use crate::{MIB, at_rest, dropping, grown_since};

pub(crate) const LIMIT: usize = 8 * MIB;

/// Who holds what spans brought.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder {
    Live,
    Ring,
    Queue,
}

/// Answers when the gate is closed.
struct Waiting(Arc<Semaphore>);

#[async_trait]
impl Exporter for Waiting {
    async fn export(&self, _: Batch) -> Result<(), ExportError> {
        let _ = self.0.acquire().await;
        Ok(())
    }
}

/// A pipeline with a limit for one holder, and as good as nothing for the others.
fn limited(holder: Holder, gate: &Arc<Semaphore>) -> Pipeline {
    let limits = RecordLimits::default().with_ring_bytes(0);
    match holder {
        Holder::Live => dropping(limits.with_live_bytes(LIMIT)).0,
        Holder::Ring => dropping(limits.with_ring_bytes(LIMIT)).0,
        Holder::Queue => {
            // The batch that is being sent comes on top of the limit: it is a small one.
            let delivery = DeliveryConfig::default().with_max_queued_bytes(LIMIT);
            let delivery = delivery.with_batching(Batching::default().with_max_bytes(1));
            let builder = Pipeline::builder("shop").with_sampler(AlwaysOn).with_limits(limits);
            builder.with_delivery(delivery).with_exporter(Waiting(gate.clone())).start().unwrap()
        }
    }
}

/// What `hold` leaves on the heap with this holder, without the bytes that it takes beside what is held, where that is more
/// than a fifth above the limit, or less than a sixteenth of it: then the kind is not held at all.
pub(crate) fn excess<T>(
    holder: Holder,
    kind: &str,
    beside: usize,
    hold: impl FnOnce(&Pipeline) -> T,
) -> Option<String> {
    let before = at_rest();
    let gate = Arc::new(Semaphore::new(0));
    let pipeline = limited(holder, &gate);
    let open = hold(&pipeline);
    let grown = grown_since(before).saturating_sub(beside);
    // All of it is given back before the next begins.
    gate.close();
    drop(open);
    let _ = pipeline.shutdown(Duration::from_secs(60));
    drop(pipeline);
    // Threads and empty tables take a little in any case.
    let is_held = (LIMIT / 16..=LIMIT + LIMIT / 5 + MIB / 4).contains(&grown);
    (!is_held).then(|| format!("{holder:?}, {kind}: {} KiB of {} KiB", grown / 1024, LIMIT / 1024))
}
