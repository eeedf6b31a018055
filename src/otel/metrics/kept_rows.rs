//! The metrics that are counted by name, and those that came last.

use opentelemetry::KeyValue;

use super::row::{Report, Row, counter, gauge, up_down_counter};
use crate::ledger::KeptStats;

const POLICY: &str = "tailtrace.policy";
const OPERATION: &str = "tailtrace.operation";

/// Reports a count of each name, in the order of the names.
fn by_name(
    all: &[KeptStats],
    attribute: &'static str,
    count: fn(&KeptStats) -> u64,
    report: Report<'_>,
) {
    for kept in all {
        report(count(kept), Some(KeyValue::new(attribute, kept.name.clone())));
    }
}

pub(super) const KEPT_ROWS: [Row; 9] = [
    counter("tailtrace.policy.trace", "The traces that were kept, by policy.", |now, report| {
        by_name(&now.by_policy, POLICY, |kept| kept.traces, report);
    })
    .in_unit("{trace}"),
    counter("tailtrace.policy.span", "The spans that were kept, by policy.", |now, report| {
        by_name(&now.by_policy, POLICY, |kept| kept.spans, report);
    }),
    counter("tailtrace.policy.sent", "The bytes that were sent, by policy.", |now, report| {
        by_name(&now.by_policy, POLICY, |kept| kept.bytes_sent, report);
    })
    .in_unit("By"),
    counter(
        "tailtrace.operation.trace",
        "The traces that were kept, by the operation of the local root.",
        |now, report| by_name(&now.by_operation, OPERATION, |kept| kept.traces, report),
    )
    .in_unit("{trace}"),
    counter(
        "tailtrace.operation.span",
        "The spans that were kept, by the operation of the local root.",
        |now, report| by_name(&now.by_operation, OPERATION, |kept| kept.spans, report),
    ),
    counter(
        "tailtrace.operation.sent",
        "The bytes that were sent, by the operation of the local root.",
        |now, report| by_name(&now.by_operation, OPERATION, |kept| kept.bytes_sent, report),
    )
    .in_unit("By"),
    gauge(
        "tailtrace.queue.age",
        "How long the oldest kept trace has waited for an exporter.",
        |now, report| report(now.stats.oldest_queued.as_secs(), None),
    )
    .in_unit("s"),
    up_down_counter(
        "tailtrace.span.spooled",
        "The spans of kept traces that wait on disk.",
        |now, report| report(now.stats.spooled, None),
    ),
    counter("tailtrace.value.redacted", "The values that were taken out.", |now, report| {
        report(now.stats.redacted, None);
    })
    .in_unit("{value}"),
];
