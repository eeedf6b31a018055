//! Writing into a span that somebody else ends.

use std::sync::Arc;
use std::time::SystemTime;

use super::active::ActiveSpan;
use super::local::LocalTrace;
use crate::model::{SpanId, TraceContext};
use crate::time::Tick;
use crate::trace::SpanMut;

/// A way to a span that is on record. It neither keeps the span running nor ends it, and leads nowhere
/// when the span has ended.
#[derive(Clone, Debug)]
pub(crate) struct SpanWriter {
    trace: Arc<LocalTrace>,
    id: SpanId,
    /// Where the span stands at most.
    index: u32,
}

impl SpanWriter {
    /// Says several things under one lock.
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>)) {
        let failed = self.trace.write(self.index, self.id, |span| {
            edit(span);
            span.has_failed()
        });
        if failed == Some(true) {
            self.trace.mark_worth_keeping();
        }
    }

    /// Whether the span has not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.trace.live().store.find_open(self.index, self.id).is_some()
    }

    /// How long any text may be before it is cut.
    pub(crate) fn value_bytes(&self) -> usize {
        let recorder = self.trace.recorder.as_ref();
        recorder.map_or(0, |recorder| recorder.limits.span.most_bytes())
    }

    /// The way to the span of a context; `None` when it is not of this process or not on record.
    pub(crate) fn of(context: &TraceContext) -> Option<Self> {
        let trace = context.local()?.downcast::<LocalTrace>()?;
        Some(Self { trace, id: context.span_id, index: u32::MAX })
    }

    /// The moment, unless the trace has gone.
    pub(crate) fn now(&self) -> Option<Tick> {
        self.trace.recorder.as_ref().map(|recorder| recorder.clock.now())
    }
}

impl ActiveSpan {
    /// A way to this span for others; `None` when it is not on record.
    pub(crate) fn writer(&self) -> Option<SpanWriter> {
        match self {
            Self::Recorded(span) => {
                let trace = Arc::clone(span.trace.as_ref()?);
                Some(SpanWriter { trace, id: span.id, index: span.index })
            }
            Self::OverLimit(_) | Self::Unrecorded(_) => None,
        }
    }

    /// The moment at which the wall clock shows `time`, if what is said about the span may be kept.
    pub(crate) fn tick_at(&self, time: SystemTime) -> Option<Tick> {
        let head = match self {
            Self::Recorded(span) => &span.trace.as_ref()?.head,
            Self::OverLimit(span) => &span.trace.head,
            Self::Unrecorded(_) => return None,
        };
        Some(Tick::at_wall(time, head.correction))
    }
}
