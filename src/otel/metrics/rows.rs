//! The table of metrics.

use opentelemetry::KeyValue;

use super::Snapshot;
use crate::ledger::Reason;

pub(super) enum Kind {
    Counter,
    UpDown,
}

/// Which of the pipeline's parts a row is about.
#[derive(Clone, Copy)]
pub(super) enum Component {
    Processor,
    Exporters,
}

/// Takes a value and what tells it from the others of its row.
type Tell<'t> = &'t mut dyn FnMut(u64, Option<KeyValue>);

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: &'static str,
    pub(super) says: &'static str,
    pub(super) component: Option<Component>,
    pub(super) read: fn(&Snapshot, Tell<'_>),
}

const fn counter(name: &'static str, says: &'static str, read: fn(&Snapshot, Tell<'_>)) -> Row {
    Row { name, kind: Kind::Counter, unit: "{span}", says, component: None, read }
}

const fn gauge(name: &'static str, says: &'static str, read: fn(&Snapshot, Tell<'_>)) -> Row {
    Row { kind: Kind::UpDown, ..counter(name, says, read) }
}

impl Row {
    const fn of(self, component: Component) -> Self {
        Self { component: Some(component), ..self }
    }

    const fn in_unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }
}

const RESULT: &str = "otel.span.sampling_result";
const ERROR: &str = "error.type";

/// Tells what was lost for these reasons, each under the name it has in the semantic conventions.
fn errors(now: &Snapshot, reasons: &[(Reason, &'static str)], tell: Tell<'_>) {
    for (reason, name) in reasons {
        tell(now.stats.dropped_by(*reason), Some(KeyValue::new(ERROR, *name)));
    }
}

/// What exporters lost, after it had left the queues.
const BY_EXPORTERS: [(Reason, &str); 3] = [
    (Reason::Refused, "rejected"),
    (Reason::RetriesExhausted, "retries_exhausted"),
    (Reason::ExporterPanicked, "exporter_panicked"),
];

/// What did not get as far as an exporter though it was kept.
const BY_QUEUES: [(Reason, &str); 3] = [
    (Reason::QueueFull, "queue_full"),
    (Reason::ShutDown, "already_shutdown"),
    (Reason::ShutdownDeadline, "shutdown_deadline"),
];

// A source remembers in 64 bits which rows have read its snapshot.
const _: () = assert!(ROWS.len() <= 64);

pub(super) const ROWS: [Row; 19] = [
    counter("otel.sdk.span.started", "The spans that were started.", |now, tell| {
        let dropped = now.stats.sampled_out;
        tell(dropped, Some(KeyValue::new(RESULT, "DROP")));
        tell(now.stats.started.saturating_sub(dropped), None);
    }),
    gauge("otel.sdk.span.live", "The recorded spans that have not ended.", |now, tell| {
        tell(now.open.recorded, Some(KeyValue::new(RESULT, "RECORD_ONLY")));
        tell(now.open.sampled, Some(KeyValue::new(RESULT, "RECORD_AND_SAMPLE")));
    }),
    gauge(
        "otel.sdk.processor.span.queue.size",
        "The spans of kept traces on their way to an exporter.",
        |now, tell| tell(now.stats.queued, None),
    )
    .of(Component::Processor),
    counter(
        "otel.sdk.processor.span.processed",
        "The spans of kept traces that were handed to an exporter, or lost before.",
        |now, tell| {
            let handed = BY_EXPORTERS.iter().map(|(reason, _)| now.stats.dropped_by(*reason));
            tell(now.stats.exported + handed.sum::<u64>(), None);
            errors(now, &BY_QUEUES, tell);
        },
    )
    .of(Component::Processor),
    counter(
        "otel.sdk.exporter.span.exported",
        "The spans that arrived at one exporter at least, or at none.",
        |now, tell| {
            tell(now.stats.exported, None);
            errors(now, &BY_EXPORTERS, tell);
        },
    )
    .of(Component::Exporters),
    counter("tailtrace.span.started", "The spans that were started.", |now, tell| {
        tell(now.stats.started, None);
    }),
    counter("tailtrace.span.sampled_out", "The spans that the head dropped.", |now, tell| {
        tell(now.stats.sampled_out, None);
    }),
    counter("tailtrace.span.dropped", "The spans that did not arrive, by reason.", |now, tell| {
        for reason in Reason::ALL {
            let why = KeyValue::new("tailtrace.reason", reason.as_str());
            tell(now.stats.dropped_by(reason), Some(why));
        }
    }),
    counter(
        "tailtrace.span.exported",
        "The spans that arrived at one exporter at least.",
        |now, tell| tell(now.stats.exported, None),
    ),
    gauge("tailtrace.span.live", "The spans of traces that are not decided yet.", |now, tell| {
        tell(now.stats.live, None);
    }),
    gauge(
        "tailtrace.span.held",
        "The spans of dropped traces that can still be kept.",
        |now, tell| tell(now.stats.held, None),
    ),
    gauge(
        "tailtrace.span.queued",
        "The spans of kept traces on their way to an exporter.",
        |now, tell| tell(now.stats.queued, None),
    ),
    counter(
        "tailtrace.span.late",
        "The kept spans that ended after their trace had been decided.",
        |now, tell| tell(now.stats.late, None),
    ),
    counter(
        "tailtrace.span.missed",
        "The spans that one exporter lost while another delivered them.",
        |now, tell| tell(now.stats.missed, None),
    ),
    counter("tailtrace.trace.kept", "The traces that were kept.", |now, tell| {
        tell(now.stats.traces_kept, None);
    })
    .in_unit("{trace}"),
    counter(
        "tailtrace.panic",
        "The panics of samplers, policies and exporters that were caught.",
        |now, tell| tell(now.stats.panics, None),
    )
    .in_unit("{panic}"),
    counter("tailtrace.value.cut", "The values that were cut to the length limit.", |now, tell| {
        tell(now.stats.cut_values, None);
    })
    .in_unit("{value}"),
    counter(
        "tailtrace.buffer.taken",
        "The buffers that local traces were recorded into.",
        |now, tell| {
            let origin = |name| Some(KeyValue::new("tailtrace.buffer.origin", name));
            tell(now.pool.hits(), origin("pool"));
            tell(now.pool.misses(), origin("new"));
        },
    )
    .in_unit("{buffer}"),
    gauge("tailtrace.buffer.available", "The buffers that wait to be reused.", |now, tell| {
        tell(now.pool.available() as u64, None);
    })
    .in_unit("{buffer}"),
];
