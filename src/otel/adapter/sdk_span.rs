//! Finished spans of OpenTelemetry's SDK as they are.

use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, Status as OtelStatus, TraceState};

use super::convert;
use super::packed_span::{PackedSpan, free_empty_lists};
use super::release_line::{self, SpanData};
use super::span_weight::{
    bytes_of, details_bytes, details_bytes_beside_state, scope_bytes, state_bytes,
};
use crate::model::{SpanId, Status, Threshold, TraceId};
use crate::record::Ended;
use crate::trace::{Original, Outline, PackedOriginal, PackedOriginals, SpanMut, Trace};

/// A finished span of OpenTelemetry's SDK, as [`TailSpanProcessor`](super::TailSpanProcessor) records it.
///
/// [`Trace::originals`] gives them back from a trace that is made of them.
#[derive(Clone, Debug)]
pub struct SdkSpan(pub SpanData);

impl SdkSpan {
    /// Copies the spans of a kept trace as an exporter gets them: see [`take_all`](Self::take_all). `None` when the
    /// trace is not made of spans of the SDK.
    #[must_use]
    pub fn all_of(trace: &Trace) -> Option<Vec<SpanData>> {
        let kept = Self::take_all(trace.clone()).ok()?;
        Some(kept.into_iter().map(|Self(data)| data).collect())
    }

    /// Takes the spans out of a kept trace as an exporter gets them: flagged as sampled, and with the threshold the
    /// trace was kept with. Where every trace like it is kept, the trace state stays without a threshold if it has
    /// none: that says the same, and costs no copy of the state for each span.
    ///
    /// # Errors
    /// Gives the trace back when it is not made of spans of the SDK.
    pub fn take_all(trace: Trace) -> Result<Vec<Self>, Trace> {
        let threshold = trace.threshold();
        let mut kept: Vec<Self> = trace.into_originals()?;
        let mut outgoing = OutgoingState::default();
        let claims_nothing = convert::claims_nothing(threshold);
        for Self(data) in &mut kept {
            let context = &data.span_context;
            // As nearly all are.
            if claims_nothing
                && context.is_sampled()
                && convert::is_empty_state(context.trace_state())
            {
                continue;
            }
            let changed = outgoing.of(context.trace_state(), threshold);
            if changed.is_none() && context.is_sampled() {
                continue;
            }
            data.span_context = SpanContext::new(
                context.trace_id(),
                context.span_id(),
                context.trace_flags().with_sampled(true),
                context.is_remote(),
                changed.unwrap_or_else(|| context.trace_state()).clone(),
            );
        }
        Ok(kept)
    }
}

/// The trace state with which spans of one trace leave. Nearly always all of them carry the same, which is then changed
/// once.
#[derive(Default)]
struct OutgoingState {
    /// The state looked at last, and what it became if that is another.
    last: Option<(TraceState, Option<TraceState>)>,
}

impl OutgoingState {
    /// What becomes of a state; `None` when it stays as it is.
    fn of(&mut self, state: &TraceState, threshold: Option<Threshold>) -> Option<&TraceState> {
        if self.last.as_ref().is_none_or(|(before, _)| before != state) {
            self.last = Some((state.clone(), convert::change_threshold(state, threshold)));
        }
        self.last.as_ref().and_then(|(_, changed)| changed.as_ref())
    }
}

impl Original for SdkSpan {
    fn ids(&self) -> (TraceId, SpanId) {
        let context = &self.0.span_context;
        // A span without valid ids belongs to no known trace, and random ids belong to none either.
        let trace_id = convert::from_trace_id(context.trace_id()).unwrap_or_else(TraceId::new);
        (trace_id, convert::from_span_id(context.span_id()).unwrap_or_else(SpanId::new))
    }

    fn is_error(&self) -> bool {
        has_failed(&self.0)
    }

    fn times(&self) -> (SystemTime, SystemTime) {
        (self.0.start_time, self.0.end_time)
    }

    fn outline(&self) -> Outline<'_> {
        let Self(data) = self;
        let (trace_id, span_id) = self.ids();
        Outline {
            trace_id,
            span_id,
            parent_span_id: convert::from_span_id(data.parent_span_id),
            is_parent_remote: convert::is_parent_remote(data),
            name: &data.name,
            kind: convert::from_span_kind(&data.span_kind),
            start: data.start_time,
            end: data.end_time,
            status: match data.status {
                OtelStatus::Unset => Status::Unset,
                OtelStatus::Ok => Status::Ok,
                OtelStatus::Error { .. } => Status::error(""),
            },
        }
    }

    fn describe(&self, span: &mut SpanMut<'_>) {
        convert::write_span_data(&self.0, span);
    }

    fn bytes(&self) -> usize {
        bytes_of(&self.0)
    }

    fn pack(originals: Vec<Self>) -> Result<PackedOriginals<Self>, Vec<Self>> {
        let packed = originals.into_iter().map(|Self(mut data)| {
            free_empty_lists(&mut data);
            let scope = scope_bytes(release_line::scope(&data));
            let details = details_bytes(&data);
            PackedSpan::pack(data, details, scope)
        });
        Ok(PackedOriginals::new(packed.collect()))
    }
}

impl PackedOriginal for PackedSpan {
    type Original = SdkSpan;

    fn unpack(self, trace_id: TraceId) -> SdkSpan {
        SdkSpan(Self::unpack(self, trace_id))
    }

    fn bytes(&self) -> usize {
        Self::bytes(self)
    }
}

/// What is known of a finished span; `None` where its ids are not valid, so that it belongs to no known trace.
#[inline(always)]
pub(super) fn ended(data: &SpanData) -> Option<Ended> {
    let state = state_bytes(data.span_context.trace_state());
    let ended = ended_beside_state(data)?;
    Some(Ended { bytes: ended.bytes + state, ..ended })
}

/// The same of a span without a trace state; `None` also where it has one.
#[inline(always)]
pub(super) fn ended_without_state(data: &SpanData) -> Option<Ended> {
    if convert::is_empty_state(data.span_context.trace_state()) {
        ended_beside_state(data)
    } else {
        None
    }
}

#[inline(always)]
fn ended_beside_state(data: &SpanData) -> Option<Ended> {
    let context = &data.span_context;
    Some(Ended {
        trace_id: convert::from_trace_id(context.trace_id())?,
        span_id: convert::from_span_id(context.span_id())?,
        bytes: size_of::<SdkSpan>()
            + scope_bytes(release_line::scope(data))
            + details_bytes_beside_state(data),
        is_error: has_failed(data),
    })
}

/// Whether a finished span has failed.
#[inline]
fn has_failed(data: &SpanData) -> bool {
    matches!(data.status, OtelStatus::Error { .. })
        || data.events.events.iter().any(convert::is_error_event)
}
