//! `OTEL_BSP_*`: how traces wait and are gathered.

use std::time::Duration;

use super::variables::Variables;
use crate::delivery::DeliveryConfig;
use crate::export::Batching;

const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
const BATCH: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";

pub(super) fn read(vars: &mut Variables<'_>) -> DeliveryConfig {
    let mut config = DeliveryConfig::default();
    let age = vars.millis("OTEL_BSP_SCHEDULE_DELAY");
    let timeout = vars.millis("OTEL_BSP_EXPORT_TIMEOUT");
    let queue = vars.size(QUEUE);
    let mut batch = vars.size(BATCH);
    if let (Some(queue), Some(spans)) = (queue, batch)
        && spans > queue
    {
        let about = format!("={spans} is lowered to {QUEUE}={queue}: a batch comes from the queue");
        vars.warn(BATCH, &about);
        batch = Some(queue);
    }
    config.export_timeout = timeout.map_or(config.export_timeout, unlimited_if_zero);
    config.max_queued_traces = queue.unwrap_or(config.max_queued_traces);
    if age.is_some() || batch.is_some() {
        let default = Batching::default();
        config.batching = Some(Batching {
            max_age: age.unwrap_or(default.max_age),
            max_spans: batch.unwrap_or(default.max_spans),
            ..default
        });
    }
    config
}

/// The specification: a timeout of zero is no limit.
fn unlimited_if_zero(timeout: Duration) -> Duration {
    if timeout.is_zero() { Duration::MAX } else { timeout }
}
