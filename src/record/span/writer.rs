//! Writing into a span that another holder ends.

#![cfg_attr(
    not(feature = "bridge"),
    expect(unreachable_pub, reason = "the feature makes them public")
)]

#[cfg(feature = "bridge")]
use std::error::Error;
use std::sync::Arc;

use crate::model::SpanId;
use crate::record::local::LocalTrace;
use crate::record::recorder::Recorder;
use crate::trace::store::SpanIndex;
#[cfg(feature = "bridge")]
use crate::{
    model::TraceContext,
    trace::{ErrorDetails, SpanMut},
};

/// A way to a span that is on record, for a tracer that shows it in contexts of its own. It neither keeps the span running nor ends it, and leads nowhere
/// when the span has ended.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "bridge"), expect(dead_code, reason = "the other tracer writes by it"))]
pub struct SpanWriter {
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
#[cfg(feature = "bridge")]
impl SpanWriter {
    /// The way to the span of a context; `None` when it is not of this process or not on record.
    #[must_use]
    pub fn of(context: &TraceContext) -> Option<Self> {
        let trace = context.local()?.downcast::<LocalTrace<Recorder>>()?;
        Some(Self { trace, id: context.span_id, index: SpanIndex::LAST })
    }

    /// Writes into the span under one lock; false when it has ended.
    pub fn write(&self, write: impl FnOnce(&mut SpanMut<'_>)) -> bool {
        self.trace.owner.write(&self.trace, self.index, self.id, write)
    }

    /// Whether the span has not ended.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.trace.lock().store.recorded_mut().find_open(self.index, self.id).is_some()
    }

    /// Writes the log entry that describes an error, as the native API and the layer write it.
    pub fn write_error(&self, error: &dyn Error) {
        let most = self.trace.owner.limits.span.most_bytes();
        let details = ErrorDetails::of(error, most);
        let now = self.trace.owner.clock.now();
        self.write(|span| span.push_exception(now, &details));
    }
}
