//! Spans of another tracer that start where something has to be looked at first.

use std::sync::Arc;

use super::Intake;
use crate::model::{SpanId, TraceContext};
use crate::record::foreign::{FirstForeignSpan, ForeignStart};
use crate::record::local::{LocalTrace, Phase};
use crate::record::recorder::Recorder;
use crate::trace::header::HeadSample;

impl Intake {
    /// Counts a span that starts in a local trace in which none is open.
    #[inline(never)]
    pub(super) fn start_late(&self, span: SpanId, trace: &Arc<LocalTrace<Recorder>>) {
        let recorder = &**self.recorder();
        let live = trace.lock();
        if let Phase::Dropped(reason) = live.phase {
            drop(live);
            // The trace does not wait for it, and it must not make a new local root one of this trace.
            drop(recorder.traces.foreign.end_span(trace.trace_id(), span));
            return recorder.ledger.unrecorded(reason).add(1);
        }
        let was_empty = trace.spans(&live) == 0;
        recorder.ledger.started(1);
        trace.foreign_spans().add(&live);
        recorder.traces.unlock(trace, live, was_empty);
    }

    /// Counts a local root that starts in a local trace in which spans are open. Where that was dropped, it is to be
    /// decided anew, with the root.
    #[inline(never)]
    pub(super) fn start_root_in(&self, trace: &Arc<LocalTrace<Recorder>>) {
        let Recorder { traces, ledger, clock, .. } = &**self.recorder();
        ledger.started(1);
        let mut live = trace.lock();
        if let Phase::Held(place) = live.phase {
            traces.reopen(trace, &mut live, place, clock.now());
        }
    }

    /// Begins a local trace with its first span.
    #[inline(never)]
    pub(super) fn start_trace(&self, span: SpanId, context: &TraceContext) {
        let recorder = self.recorder();
        let sample = recorder.traces.foreign.remove_sample(context.trace_id);
        let mut header = recorder.header_below(context, recorder.clock.correction());
        if let Some(HeadSample { threshold }) = sample {
            header.sample(threshold);
        } else if context.is_sampled() && !recorder.deciders.has_tail() {
            header.sample(context.trace_state.threshold());
        }
        let refused = recorder.traces.make_room(&header).err();
        let mut trace = recorder.traces.acquire(recorder, header);
        if let Some(trace) = Arc::get_mut(&mut trace) {
            trace.make_foreign(refused);
        }
        let is_refused = refused.is_some();
        // Among the foreign traces first: a trace that is not the one of its id must not be live.
        let first = FirstForeignSpan { span, trace: &trace, sample, is_refused };
        match (recorder.traces.foreign.start_trace(&first), refused) {
            (ForeignStart::Counted, _) => recorder.ledger.started(1),
            (ForeignStart::CountedRoot(other), _) => self.start_root_in(&other),
            (ForeignStart::Uncounted(other), _) => self.start_late(span, &other),
            (ForeignStart::NewTrace, Some(reason)) => recorder.ledger.unrecorded(reason).add(1),
            (ForeignStart::NewTrace, None) => {
                recorder.ledger.started(1);
                recorder.traces.register(&trace);
            }
        }
    }
}
