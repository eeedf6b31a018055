//! Finished spans of OpenTelemetry's SDK as they are.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::SystemTime;

use opentelemetry::trace::{Event, Link, SpanContext, Status as OtelStatus, TraceState};
use opentelemetry::{Array, KeyValue, StringValue, Value};

use super::convert;
use super::packed_span::{PackedSpan, free_empty_lists};
use super::release_line::{self, Scope, SpanData};
use crate::model::{SpanId, Status, Threshold, TraceId};
use crate::record::Ended;
use crate::trace::{Original, Outline, PackedOriginal, PackedOriginals, SpanMut, Trace};

/// The longest names of a scope that do not count as memory of its spans: a seventh of what a bare span takes.
const SHORT_SCOPE: usize = 64;

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
        let is_certain = threshold.is_none_or(|threshold| threshold == Threshold::ALWAYS);
        for Self(data) in &mut kept {
            let context = &data.span_context;
            // As nearly all are.
            if is_certain && context.is_sampled() && is_empty(context.trace_state()) {
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
    if is_empty(data.span_context.trace_state()) { ended_beside_state(data) } else { None }
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

/// The memory of a finished span.
#[inline(always)]
pub(super) fn bytes_of(data: &SpanData) -> usize {
    size_of::<SdkSpan>() + scope_bytes(release_line::scope(data)) + details_bytes(data)
}

/// The memory of what a finished span points to, but for its scope.
#[inline(always)]
fn details_bytes(data: &SpanData) -> usize {
    state_bytes(data.span_context.trace_state()) + details_bytes_beside_state(data)
}

/// The same but for its trace state.
#[inline(always)]
fn details_bytes_beside_state(data: &SpanData) -> usize {
    let description = match &data.status {
        OtelStatus::Error { description } => owned_bytes(description),
        _ => 0,
    };
    let texts = owned_bytes(&data.name) + description;
    let room =
        data.attributes.capacity() | data.events.events.capacity() | data.links.links.capacity();
    let lists = if room == 0 { 0 } else { lists_bytes(data) };
    texts + lists
}

/// The memory of a span's lists.
// In sight of the caller, who would copy the span once more otherwise.
#[inline]
fn lists_bytes(data: &SpanData) -> usize {
    let events = &data.events.events;
    let links = &data.links.links;
    let room = events.capacity() * size_of::<Event>() + links.capacity() * size_of::<Link>();
    let in_events: usize = events.iter().map(event_bytes).sum();
    let in_links: usize = links.iter().map(link_bytes).sum();
    room + tag_bytes(&data.attributes) + in_events + in_links
}

/// What an event points to.
#[inline]
fn event_bytes(event: &Event) -> usize {
    owned_bytes(&event.name) + tag_bytes(&event.attributes)
}

/// What a link points to.
#[inline]
fn link_bytes(link: &Link) -> usize {
    tag_bytes(&link.attributes) + state_bytes(link.span_context.trace_state())
}

/// What a scope points to, of which each span of the SDK has its own copy; none where it is short. OpenTelemetry does not
/// tell which texts are static, and short ones nearly always are: a bare span takes no memory beside itself then, which
/// spares the account of the trace a change.
#[inline]
fn scope_bytes(scope: &Scope) -> usize {
    let (name, version, schema_url) = release_line::scope_names(scope);
    let names = name.len() + version.map_or(0, str::len) + schema_url.map_or(0, str::len);
    let attributes = release_line::scope_attributes(scope);
    if names <= SHORT_SCOPE && attributes.size_hint() == (0, Some(0)) {
        return 0;
    }
    let tag = |tag: &KeyValue| size_of::<KeyValue>() + tag_text_bytes(tag);
    names + attributes.map(tag).sum::<usize>()
}

#[inline(always)]
fn is_empty(state: &TraceState) -> bool {
    *state == TraceState::NONE
}

/// The memory of a trace state, of which each span of the SDK has its own copy.
#[inline]
fn state_bytes(state: &TraceState) -> usize {
    thread_local! {
        /// The state that was measured last: those of the spans of a trace are equal, and measuring allocates.
        static LAST: RefCell<(TraceState, usize)> = const { RefCell::new((TraceState::NONE, 0)) };
    }
    if is_empty(state) {
        return 0;
    }
    let known = |last: &RefCell<(TraceState, usize)>| {
        let last = last.try_borrow().ok()?;
        (last.0 == *state).then_some(last.1)
    };
    LAST.try_with(known).ok().flatten().unwrap_or_else(|| {
        let bytes = measured(state);
        let _ = LAST.try_with(|last| {
            if let Ok(mut last) = last.try_borrow_mut() {
                *last = (state.clone(), bytes);
            }
        });
        bytes
    })
}

#[cold]
fn measured(state: &TraceState) -> usize {
    const MEMBER: usize = size_of::<(String, String)>() + 4 * size_of::<usize>();
    let header = state.header();
    let members = header.split(',').count();
    // A deque has room for up to twice of what it holds.
    header.len() + 2 * members * MEMBER
}

#[inline]
#[expect(clippy::ptr_arg, reason = "a static text takes no memory of the span")]
fn owned_bytes(text: &Cow<'static, str>) -> usize {
    if let Cow::Owned(text) = text { text.capacity() } else { 0 }
}

/// The memory of attributes, for which the SDK's vector has room for up to twice as many as there are.
#[inline]
fn tag_bytes(attributes: &Vec<KeyValue>) -> usize {
    let room = attributes.capacity() * size_of::<KeyValue>();
    room + attributes.iter().map(tag_text_bytes).sum::<usize>()
}

/// What an attribute points to. OpenTelemetry does not tell which texts are static: each counts as owned.
#[inline]
fn tag_text_bytes(tag: &KeyValue) -> usize {
    tag.key.as_str().len() + value_bytes(&tag.value)
}

#[inline]
fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(values)) => values.capacity(),
        Value::Array(Array::I64(values)) => values.capacity() * size_of::<i64>(),
        Value::Array(Array::F64(values)) => values.capacity() * size_of::<f64>(),
        Value::Array(Array::String(values)) => {
            let texts: usize = values.iter().map(|text| text.as_str().len()).sum();
            values.capacity() * size_of::<StringValue>() + texts
        }
        _ => 0,
    }
}
