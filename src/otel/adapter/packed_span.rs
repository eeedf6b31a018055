//! Finished spans of OpenTelemetry's SDK in less memory than the SDK's own type takes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use super::convert;
use super::release_line::{self, SpanData};
use crate::model::TraceId;

/// How many libraries' spans one thread packs in turns without a copy of what all of a library's have alike.
const LIBRARIES: usize = 8;

/// A finished span, packed. It is unpacked as it was, field by field.
#[derive(Clone, Debug)]
pub(super) struct PackedSpan {
    /// An empty span of the same library.
    library: Arc<SpanData>,
    span_id: SpanId,
    parent_span_id: SpanId,
    name: Cow<'static, str>,
    start_time: SystemTime,
    end_time: SystemTime,
    /// What a bare span has not.
    details: Option<Box<SpanDetails>>,
    /// The memory of what it points to.
    elsewhere: u32,
    kind: SpanKind,
    flags: TraceFlags,
    is_remote: bool,
    is_parent_remote: bool,
}

#[derive(Clone, Debug)]
struct SpanDetails {
    attributes: Vec<KeyValue>,
    dropped_attributes: u32,
    events: SpanEvents,
    links: SpanLinks,
    status: Status,
    trace_state: TraceState,
}

impl PackedSpan {
    /// Packs a span that has [no room in empty lists](free_empty_lists) and points to so many bytes of details and of its
    /// library's names.
    pub(super) fn pack(mut data: SpanData, details_point_to: usize, scope: usize) -> Self {
        let details = SpanDetails::take(&mut data).map(Box::new);
        let details_bytes = details.as_ref().map_or(0, |_| size_of::<SpanDetails>());
        let context = mem::replace(&mut data.span_context, SpanContext::NONE);
        let name = mem::take(&mut data.name);
        let parent_span_id = data.parent_span_id;
        let kind = data.span_kind.clone();
        let start_time = data.start_time;
        let end_time = data.end_time;
        let is_parent_remote = release_line::is_parent_remote(&data);
        let (library, is_new) = RecentLibraries::known(data);
        // The span that brings a library along weighs it, and the others share it.
        let library_bytes = if is_new { size_of::<SpanData>() + scope } else { 0 };
        let elsewhere = details_point_to + details_bytes + library_bytes;
        Self {
            library,
            span_id: context.span_id(),
            parent_span_id,
            name,
            start_time,
            end_time,
            details,
            elsewhere: u32::try_from(elsewhere).unwrap_or(u32::MAX),
            kind,
            flags: context.trace_flags(),
            is_remote: context.is_remote(),
            is_parent_remote,
        }
    }

    /// The span as it was.
    pub(super) fn unpack(self, trace_id: TraceId) -> SpanData {
        let trace_id = convert::to_trace_id(trace_id);
        let mut data = Arc::unwrap_or_clone(self.library);
        let mut trace_state = TraceState::NONE;
        if let Some(details) = self.details {
            data.attributes = details.attributes;
            data.dropped_attributes_count = details.dropped_attributes;
            data.events = details.events;
            data.links = details.links;
            data.status = details.status;
            trace_state = details.trace_state;
        }
        data.span_context =
            SpanContext::new(trace_id, self.span_id, self.flags, self.is_remote, trace_state);
        data.parent_span_id = self.parent_span_id;
        release_line::set_parent_remote(&mut data, self.is_parent_remote);
        data.span_kind = self.kind;
        data.name = self.name;
        data.start_time = self.start_time;
        data.end_time = self.end_time;
        data
    }

    /// The memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.elsewhere as usize
    }
}

/// Gives back the memory of lists that have room and hold nothing.
pub(super) fn free_empty_lists(data: &mut SpanData) {
    if data.attributes.is_empty() {
        data.attributes = Vec::new();
    }
    if data.events.events.is_empty() {
        data.events.events = Vec::new();
    }
    if data.links.links.is_empty() {
        data.links.links = Vec::new();
    }
}

impl SpanDetails {
    /// Takes the details out of a span, which has none then.
    fn take(data: &mut SpanData) -> Option<Self> {
        let trace_state = data.span_context.trace_state();
        let is_bare = data.attributes.is_empty()
            && data.dropped_attributes_count == 0
            && data.events == SpanEvents::default()
            && data.links == SpanLinks::default()
            && data.status == Status::Unset
            && *trace_state == TraceState::NONE;
        (!is_bare).then(|| Self {
            trace_state: trace_state.clone(),
            attributes: mem::take(&mut data.attributes),
            dropped_attributes: mem::take(&mut data.dropped_attributes_count),
            events: mem::take(&mut data.events),
            links: mem::take(&mut data.links),
            status: mem::take(&mut data.status),
        })
    }
}

/// Empty spans of the libraries whose spans the thread packed last, the latest first.
#[derive(Default)]
struct RecentLibraries(Vec<Arc<SpanData>>);

thread_local! {
    static RECENT: RefCell<RecentLibraries> = const { RefCell::new(RecentLibraries(Vec::new())) };
}

impl RecentLibraries {
    /// An empty span of the library that made this one, whose details have been taken out; whether it is a new one.
    fn known(empty: SpanData) -> (Arc<SpanData>, bool) {
        let found = |recent: &RefCell<Self>| recent.try_borrow_mut().ok()?.find(&empty);
        if let Some(library) = RECENT.try_with(found).ok().flatten() {
            return (library, false);
        }
        let library = Arc::new(empty);
        let _ = RECENT.try_with(|recent| {
            if let Ok(mut recent) = recent.try_borrow_mut() {
                recent.insert(Arc::clone(&library));
            }
        });
        (library, true)
    }

    fn find(&mut self, span: &SpanData) -> Option<Arc<SpanData>> {
        let is_it = |known: &Arc<SpanData>| {
            release_line::scope(known) == release_line::scope(span)
                && release_line::span_resource(known) == release_line::span_resource(span)
        };
        let at = self.0.iter().position(is_it)?;
        if at > 0 {
            let library = self.0.remove(at);
            self.insert(library);
        }
        self.0.first().map(Arc::clone)
    }

    fn insert(&mut self, library: Arc<SpanData>) {
        self.0.insert(0, library);
        self.0.truncate(LIBRARIES);
    }
}
