//! What a set-up hides from the layer, or the layer from other layers: found out once, and told once.

use std::any::type_name;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use tracing::callsite::{Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Level, Metadata};

use crate::kit::internal_log::PendingWarnings;
use crate::record::Recorder;

const HIDDEN_ERRORS: &str = "the filter of the trace layer lets spans through and hides events at the level ERROR, so \
                             that an error that is only logged keeps no trace; let ERROR events through, as the filter \
                             `info` or `error` does";

const NO_SHARED_CONTEXT: &str = "a log bridge of OpenTelemetry stands beside the trace layer, and its records have no \
                                 trace ids; call `share_context(&pipeline)` once, from `tailtrace::otel` or the crate \
                                 for your line of OpenTelemetry";

/// Parts of the type names of layers that send log records on with OpenTelemetry's current context.
const LOG_BRIDGES: &[&str] = &["opentelemetry_appender_tracing"];

/// What the layer has found out about the set-up it is part of.
///
/// A filter is asked about two callsites that differ only in being a span or an event, so that a filter that names the
/// program's crates refuses both.
#[derive(Debug)]
pub(super) struct BlindSpots {
    warnings: Arc<PendingWarnings>,
    /// The recorder that the layer was made with.
    recorder: Weak<Recorder>,
    // Relaxed: set and read on the thread that installs the subscriber.
    is_span_let_through: AtomicBool,
    is_event_let_through: AtomicBool,
    // Relaxed: two threads that install at the same time may both tell.
    has_told: AtomicBool,
}

impl BlindSpots {
    pub(super) fn new(warnings: Arc<PendingWarnings>, recorder: &Arc<Recorder>) -> Self {
        Self {
            warnings,
            recorder: Arc::downgrade(recorder),
            is_span_let_through: AtomicBool::new(false),
            is_event_let_through: AtomicBool::new(false),
            has_told: AtomicBool::new(false),
        }
    }

    /// Notes a callsite that the layer's filter lets through.
    pub(super) fn note(&self, metadata: &Metadata<'_>) {
        if metadata.callsite() == probe(Kind::SPAN).callsite() {
            let seen = if metadata.is_span() {
                &self.is_span_let_through
            } else {
                &self.is_event_let_through
            };
            seen.store(true, Ordering::Relaxed);
        }
    }

    /// Asks the filters of a new subscriber what the layer would see, and tells of errors that it would not.
    pub(super) fn look(&self, dispatch: &Dispatch) {
        // A filter is asked as it is about any callsite. What it answers is not remembered for the next event, as
        // the answer of `enabled` would be.
        for kind in [Kind::SPAN, Kind::EVENT] {
            let _: Interest = dispatch.register_callsite(probe(kind));
        }
        let hides_errors = self.is_span_let_through.load(Ordering::Relaxed)
            && !self.is_event_let_through.load(Ordering::Relaxed);
        if hides_errors && !self.has_told.swap(true, Ordering::Relaxed) {
            self.warnings.add(HIDDEN_ERRORS.to_owned());
        }
    }

    /// Tells of a log bridge below the layer, whose type is part of `S`, unless contexts are shared by the time that the
    /// warning can be logged.
    pub(super) fn look_below<S>(&self) {
        let below = type_name::<S>();
        if LOG_BRIDGES.iter().any(|bridge| below.contains(bridge)) {
            let recorder = Weak::clone(&self.recorder);
            let is_shared =
                move || recorder.upgrade().is_none_or(|recorder| recorder.shares_context());
            self.warnings.add_unless(NO_SHARED_CONTEXT.to_owned(), Box::new(is_shared));
        }
    }
}

/// The callsite of the two probes, which nothing ever enters.
#[derive(Debug)]
struct ProbeCallsite;

static CALLSITE: ProbeCallsite = ProbeCallsite;

impl Callsite for ProbeCallsite {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        probe(Kind::EVENT)
    }
}

fn probe(kind: Kind) -> &'static Metadata<'static> {
    static SPAN: OnceLock<Metadata<'static>> = OnceLock::new();
    static EVENT: OnceLock<Metadata<'static>> = OnceLock::new();
    let make = |kind| {
        let fields = FieldSet::new(&[], Identifier(&CALLSITE));
        Metadata::new("probe", "tailtrace", Level::ERROR, None, None, None, fields, kind)
    };
    if kind == Kind::SPAN {
        SPAN.get_or_init(|| make(Kind::SPAN))
    } else {
        EVENT.get_or_init(|| make(Kind::EVENT))
    }
}
