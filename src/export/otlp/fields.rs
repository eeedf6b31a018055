//! What the encodings share: how our words become those of OTLP.

use crate::model::{LogLevel, SpanId, SpanKind, TagRef, TraceContext};
use crate::trace::{LogRef, SpanRef, Trace};

/// The next bit says where the parent is, or the span that a link points to.
const KNOWS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Which spans have the members of other systems in their trace state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForeignMembers {
    /// The local root alone.
    OnRoot,
    /// Every span.
    OnAll,
}

/// What is found out once for all spans of a trace.
#[derive(Debug)]
pub(super) struct TraceFields<'a> {
    pub(super) trace_id: [u8; 16],
    root_state: &'a str,
    /// The trace state of the other spans.
    inner_state: &'a str,
    flags: u32,
    /// The span that was called from another process.
    called: Option<SpanId>,
    trace: &'a Trace,
    /// The local root, on which the notes on the trace stand.
    noted: Option<SpanId>,
}

impl<'a> TraceFields<'a> {
    pub(super) fn of(trace: &'a Trace, foreign: ForeignMembers) -> Self {
        let root = trace.root();
        let flags = root.map_or(0, |root| u32::from(root.context().flags.bits()));
        // The parent of a late span ended before it, in this process as far as is known.
        let called = root.filter(|root| root.parent_span_id().is_some() && !trace.is_late());
        let state = trace.trace_state();
        let inner_state = match foreign {
            ForeignMembers::OnRoot => state.own_member(),
            ForeignMembers::OnAll => state.as_str(),
        };
        Self {
            trace_id: trace.trace_id().to_bytes(),
            root_state: state.as_str(),
            inner_state,
            flags: flags | KNOWS_IS_REMOTE,
            called: called.map(SpanRef::span_id),
            trace,
            noted: root.map(SpanRef::span_id),
        }
    }

    /// The trace state of a span.
    #[inline]
    pub(super) fn trace_state_of(&self, span: SpanRef<'_>) -> &'a str {
        if self.noted == Some(span.span_id()) { self.root_state } else { self.inner_state }
    }

    /// The tags of a span, and where it is the root, what is told of the decision.
    pub(super) fn tags_of<'s>(
        &'s self,
        span: SpanRef<'s>,
    ) -> impl Iterator<Item = (&'s str, TagRef<'s>)> {
        let is_root = self.noted == Some(span.span_id());
        let notes = is_root.then(|| self.trace.notes()).into_iter().flatten();
        // Names of the record live as long as the span.
        span.tags().chain(notes.map(|(name, value)| -> (&'s str, TagRef<'s>) { (name, value) }))
    }

    /// `Span.flags`: those of the trace, and whether the parent is in another process.
    #[inline]
    pub(super) fn flags_of(&self, span: SpanRef<'_>) -> u32 {
        if self.called == Some(span.span_id()) { self.flags | IS_REMOTE } else { self.flags }
    }

    /// `Link.flags`.
    pub(super) fn flags_of_link(context: &TraceContext) -> u32 {
        let remote = if context.is_remote { IS_REMOTE } else { 0 };
        u32::from(context.flags.bits()) | KNOWS_IS_REMOTE | remote
    }

    /// When a span started and ended. OTLP has no word for one that has not: it ends where it starts.
    #[inline]
    pub(super) fn times(&self, span: SpanRef<'_>) -> (u64, u64) {
        let start = span.start_nanos();
        (start, span.end_nanos().unwrap_or(start))
    }
}

/// `Span.SpanKind`.
#[inline]
pub(super) const fn kind_number(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// The level of a log entry, where it says something: not for `info`, which is what an event that
/// has no level becomes, nor where a field of that name says it.
pub(super) fn level_of(log: LogRef<'_>) -> Option<&'static str> {
    let level = log.level();
    let is_plain = level == LogLevel::Info;
    let says_it = || log.fields().any(|(name, _)| name == "level");
    (!is_plain && !says_it()).then(|| level.as_str())
}
