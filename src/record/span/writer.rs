//! Writing into a span that another holder ends.

use std::sync::Arc;

use crate::model::SpanId;
use crate::record::local::LocalTrace;
use crate::record::recorder::Recorder;
use crate::trace::store::SpanIndex;
#[cfg(feature = "otel")]
use crate::{model::TraceContext, time::Tick, trace::SpanMut};

/// A way to a span that is on record. It neither keeps the span running nor ends it, and leads nowhere
/// when the span has ended.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "the other tracer writes by it"))]
pub(crate) struct SpanWriter {
    trace: Arc<LocalTrace<Recorder>>,
    id: SpanId,
    /// Where the span stands at most.
    index: SpanIndex,
}

impl SpanWriter {
    #[cfg(feature = "layer")]
    pub(super) fn new(trace: &Arc<LocalTrace<Recorder>>, id: SpanId, index: SpanIndex) -> Self {
        Self { trace: Arc::clone(trace), id, index }
    }
}

/// What the other tracer does with it.
#[cfg(feature = "otel")]
impl SpanWriter {
    /// The way to the span of a context; `None` when it is not of this process or not on record.
    pub(crate) fn of(context: &TraceContext) -> Option<Self> {
        let trace = context.local()?.downcast::<LocalTrace<Recorder>>()?;
        Some(Self { trace, id: context.span_id, index: SpanIndex::LAST })
    }

    /// Writes into the span under one lock; false when it has ended.
    pub(crate) fn write(&self, write: impl FnOnce(&mut SpanMut<'_>)) -> bool {
        self.trace.owner.write(&self.trace, self.index, self.id, write)
    }

    /// Whether the span has not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.trace.lock().store.recorded_mut().find_open(self.index, self.id).is_some()
    }

    /// How long any text may be before it is cut.
    pub(crate) fn value_bytes(&self) -> usize {
        self.trace.owner.limits.span.most_bytes()
    }

    /// The moment, by the clock of the span's recorder.
    pub(crate) fn now(&self) -> Tick {
        self.trace.owner.clock.now()
    }
}
