//! Starting spans below others of their local trace.

use std::borrow::Cow;
use std::sync::Arc;

use parking_lot::MutexGuard;

use super::Recorder;
use crate::kit::reentrancy;
use crate::ledger::Reason;
use crate::model::{Baggage, SpanId, SpanKind, TagRef};
use crate::record::local::{LiveSpans, LocalTrace, Phase};
use crate::record::span::{ActiveSpan, RecordedSpan};
use crate::time::Tick;
use crate::trace::store::{NewSpan, RecordedSpans, SpanIndex};

impl Recorder {
    /// Starts a span in a local trace that is there, with no more than every span has.
    #[inline(always)]
    pub(in crate::record) fn start_child(
        &self,
        trace: &Arc<LocalTrace<Self>>,
        parent: SpanId,
        start: Tick,
        name: Cow<'static, str>,
        kind: SpanKind,
        baggage: Baggage,
    ) -> ActiveSpan {
        let mut live = trace.lock();
        let id = live.child_id(parent);
        let span = NewSpan { id, parent: Some(parent), start, name, kind };
        let len = live.store.len();
        let fits = len < self.first_spans;
        let was_empty = live.is_empty_beside(len);
        let is_refused = matches!(live.phase, Phase::Dropped(_))
            || reentrancy::is_own_thread()
            || (was_empty && self.is_closed());
        if !fits || is_refused {
            return self.start_in_full(trace, live, span, baggage, is_refused);
        }
        self.push_child(trace, live, span, baggage, was_empty)
    }

    /// Writes a span into a trace that has room for it.
    #[inline(always)]
    pub(super) fn push_child(
        &self,
        trace: &Arc<LocalTrace<Self>>,
        mut live: MutexGuard<'_, LiveSpans>,
        span: NewSpan,
        baggage: Baggage,
        was_empty: bool,
    ) -> ActiveSpan {
        let id = span.id;
        match live.store.recorded_mut().push_span(span, &self.limits.span) {
            Ok(index) => {
                live.open += 1;
                live.started += 1;
                if !baggage.is_empty() {
                    self.tag_child(live.store.recorded_mut(), index, &baggage);
                    self.traces.count_baggage(trace, &mut live, &baggage);
                }
                self.traces.unlock(trace, live, was_empty);
                ActiveSpan::Recorded(RecordedSpan::new(Arc::clone(trace), id, index, baggage))
            }
            Err(span) => {
                self.start_without_record(trace, live, span, baggage, Reason::BytesPerTrace)
            }
        }
    }

    /// Writes what its baggage says of a span below a local root.
    #[cold]
    pub(super) fn tag_child(
        &self,
        records: &mut RecordedSpans,
        index: SpanIndex,
        baggage: &Baggage,
    ) {
        for (key, value) in self.baggage_tags.of_child(baggage) {
            records.set_tag(index, key.clone(), TagRef::Str(value), &self.limits.span);
        }
    }
}
