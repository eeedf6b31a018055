//! The table of metrics, but for what is counted by name.

use opentelemetry::KeyValue;

use super::row::{Component, Report, Row, counter, gauge, up_down_counter};
use super::snapshot::Snapshot;
use crate::ledger::Reason;

const RESULT: &str = "otel.span.sampling_result";
const ERROR: &str = "error.type";

/// Reports the spans lost for these reasons, each under its name in the semantic conventions.
fn errors(now: &Snapshot, reasons: &[(Reason, &'static str)], report: Report<'_>) {
    for (reason, name) in reasons {
        report(now.stats.dropped_by(*reason), Some(KeyValue::new(ERROR, *name)));
    }
}

/// The reasons for which exporters lose spans that had left the queues.
const BY_EXPORTERS: [(Reason, &str); 3] = [
    (Reason::Refused, "rejected"),
    (Reason::RetriesExhausted, "retries_exhausted"),
    (Reason::ExporterPanicked, "exporter_panicked"),
];

/// The reasons for which kept spans do not reach an exporter.
const BY_QUEUES: [(Reason, &str); 3] = [
    (Reason::QueueFull, "queue_full"),
    (Reason::ShutDown, "already_shutdown"),
    (Reason::ShutdownDeadline, "shutdown_deadline"),
];

pub(super) const ROWS: [Row; 26] = [
    counter("otel.sdk.span.started", "The spans that were started.", |now, report| {
        let dropped = now.stats.sampled_out;
        report(dropped, Some(KeyValue::new(RESULT, "DROP")));
        report(now.stats.started.saturating_sub(dropped), None);
    }),
    up_down_counter(
        "otel.sdk.span.live",
        "The recorded spans that have not ended.",
        |now, report| {
            report(now.open.recorded, Some(KeyValue::new(RESULT, "RECORD_ONLY")));
            report(now.open.sampled, Some(KeyValue::new(RESULT, "RECORD_AND_SAMPLE")));
        },
    ),
    up_down_counter(
        "otel.sdk.processor.span.queue.size",
        "The spans of kept traces on their way to an exporter.",
        |now, report| report(now.stats.queued, None),
    )
    .of(Component::Processor),
    counter(
        "otel.sdk.processor.span.processed",
        "The spans of kept traces that were handed to an exporter, or lost before.",
        |now, report| {
            let handed = BY_EXPORTERS.iter().map(|(reason, _)| now.stats.dropped_by(*reason));
            report(now.stats.exported + handed.sum::<u64>(), None);
            errors(now, &BY_QUEUES, report);
        },
    )
    .of(Component::Processor),
    counter(
        "otel.sdk.exporter.span.exported",
        "The spans that arrived at one exporter at least, or at none.",
        |now, report| {
            report(now.stats.exported, None);
            errors(now, &BY_EXPORTERS, report);
        },
    )
    .of(Component::Exporters),
    counter("tailtrace.span.started", "The spans that were started.", |now, report| {
        report(now.stats.started, None);
    }),
    counter("tailtrace.span.sampled_out", "The spans that the head dropped.", |now, report| {
        report(now.stats.sampled_out, None);
    }),
    counter(
        "tailtrace.span.dropped",
        "The spans that did not arrive, by reason.",
        |now, report| {
            for reason in Reason::ALL {
                let why = KeyValue::new("tailtrace.reason", reason.as_str());
                report(now.stats.dropped_by(reason), Some(why));
            }
        },
    ),
    counter(
        "tailtrace.span.exported",
        "The spans that arrived at one exporter at least.",
        |now, report| report(now.stats.exported, None),
    ),
    up_down_counter(
        "tailtrace.span.live",
        "The spans of traces that are not decided yet.",
        |now, report| {
            report(now.stats.live, None);
        },
    ),
    up_down_counter(
        "tailtrace.span.held",
        "The spans of dropped traces that can still be kept.",
        |now, report| report(now.stats.held, None),
    ),
    up_down_counter(
        "tailtrace.span.queued",
        "The spans of kept traces on their way to an exporter.",
        |now, report| report(now.stats.queued, None),
    ),
    counter(
        "tailtrace.span.late",
        "The kept spans that ended after their trace had been decided.",
        |now, report| report(now.stats.late, None),
    ),
    counter(
        "tailtrace.span.missed",
        "The spans that one exporter lost while another delivered them.",
        |now, report| report(now.stats.missed, None),
    ),
    counter("tailtrace.trace.kept", "The traces that were kept.", |now, report| {
        report(now.stats.traces_kept, None);
    })
    .in_unit("{trace}"),
    counter(
        "tailtrace.panic",
        "The panics of samplers, policies and exporters that were caught.",
        |now, report| report(now.stats.panics, None),
    )
    .in_unit("{panic}"),
    counter(
        "tailtrace.value.cut",
        "The values that were cut to the length limit.",
        |now, report| {
            report(now.stats.cut_values, None);
        },
    )
    .in_unit("{value}"),
    counter(
        "tailtrace.buffer.taken",
        "The buffers that local traces were recorded into.",
        |now, report| {
            let origin = |name| Some(KeyValue::new("tailtrace.buffer.origin", name));
            report(now.pool.hits(), origin("pool"));
            report(now.pool.misses(), origin("new"));
        },
    )
    .in_unit("{buffer}"),
    up_down_counter(
        "tailtrace.buffer.available",
        "The buffers that wait to be reused.",
        |now, report| {
            report(now.pool.available() as u64, None);
        },
    )
    .in_unit("{buffer}"),
    up_down_counter(
        "tailtrace.span.open",
        "The recorded spans that have not ended.",
        |now, report| {
            report(now.stats.open_spans, None);
        },
    ),
    up_down_counter(
        "tailtrace.trace.live",
        "The local traces that are not decided yet, or wait for late spans.",
        |now, report| report(now.stats.live_traces, None),
    )
    .in_unit("{trace}"),
    gauge("tailtrace.trace.age", "How long ago the oldest live trace began.", |now, report| {
        report(now.stats.oldest_live.as_secs(), None);
    })
    .in_unit("s"),
    gauge(
        "tailtrace.ring.reach",
        "How long ago the oldest trace of the ring was dropped.",
        |now, report| report(now.stats.ring_reach.as_secs(), None),
    )
    .in_unit("s"),
    up_down_counter(
        "tailtrace.ring.size",
        "The memory of the ring of dropped traces.",
        |now, report| report(now.stats.ring_bytes, None),
    )
    .in_unit("By"),
    counter(
        "tailtrace.coherence.trace",
        "What was told to other services, and what became of what was heard from them.",
        |now, report| {
            for (outcome, traces) in now.stats.coherence.rows() {
                report(traces, Some(KeyValue::new("tailtrace.coherence.outcome", outcome)));
            }
        },
    )
    .in_unit("{trace}"),
    gauge(
        "tailtrace.coherence.kept",
        "An estimate of how many of a million parts are kept, of traces that other services keep.",
        |now, report| {
            if let Some(share) = now.stats.coherence.kept_share() {
                report((share * 1e6) as u64, None);
            }
        },
    )
    .in_unit("{part}"),
];
