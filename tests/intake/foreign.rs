//! Another tracer, as small as one can be.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tailtrace::adapter::{Intake, Original, Outline, SpanMut, Started};
use tailtrace::model::TraceFlags;
use tailtrace::{LogLevel, SpanId, SpanKind, Status, TraceContext, TraceId};

/// A span of another tracer.
#[derive(Clone)]
pub(crate) struct Foreign {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) name: Cow<'static, str>,
    pub(crate) start: SystemTime,
    pub(crate) lasted: Duration,
    pub(crate) status: Status,
    /// How often its details were read.
    pub(crate) reads: Arc<AtomicUsize>,
}

impl Original for Foreign {
    fn outline(&self) -> Outline<'_> {
        Outline {
            trace_id: self.trace_id,
            span_id: self.span_id,
            parent_span_id: self.parent,
            is_parent_remote: false,
            name: &self.name,
            kind: SpanKind::Server,
            start: self.start,
            end: self.start + self.lasted,
            status: self.status.clone(),
        }
    }

    fn describe(&self, span: &mut SpanMut<'_>) {
        self.reads.fetch_add(1, Ordering::Relaxed);
        span.set_tag("name", &*self.name);
        span.log_at(UNIX_EPOCH, LogLevel::Info, "said", [("key", 1)]);
        span.set_status(self.status.clone());
    }
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
}

/// Starts a local root.
pub(crate) fn root(intake: &Intake, trace_id: TraceId, name: &'static str) -> Foreign {
    flagged_root(intake, trace_id, name, TraceFlags::default())
}

pub(crate) fn flagged_root(
    intake: &Intake,
    trace_id: TraceId,
    name: &'static str,
    flags: TraceFlags,
) -> Foreign {
    start(intake, trace_id, None, true, name, flags)
}

/// Starts a span under one of this process.
pub(crate) fn child(intake: &Intake, parent: &Foreign, name: &'static str) -> Foreign {
    let flags = TraceFlags::default();
    start(intake, parent.trace_id, Some(parent.span_id), false, name, flags)
}

fn start(
    intake: &Intake,
    trace_id: TraceId,
    parent: Option<SpanId>,
    is_local_root: bool,
    name: &'static str,
    flags: TraceFlags,
) -> Foreign {
    let span_id = SpanId::new();
    intake.started(Started { trace_id, span_id, is_local_root }, || {
        TraceContext::new(trace_id, span_id).with_flags(flags)
    });
    Foreign {
        trace_id,
        span_id,
        parent,
        name: name.into(),
        start: at(0),
        lasted: Duration::from_millis(1),
        status: Status::Unset,
        reads: Arc::default(),
    }
}

impl Foreign {
    pub(crate) fn failed(mut self) -> Self {
        self.status = Status::error("it broke");
        self
    }

    pub(crate) fn lasting(mut self, lasted: Duration) -> Self {
        self.lasted = lasted;
        self
    }

    /// Starts later, as far as the spans say.
    pub(crate) fn starting(mut self, seconds: u64) -> Self {
        self.start = at(seconds);
        self
    }
}
