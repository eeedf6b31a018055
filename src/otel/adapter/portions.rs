//! Kept traces as the spans of one call after another.

use std::sync::Arc;
use std::vec::IntoIter;

use opentelemetry::trace::{SpanContext, SpanId};
use opentelemetry::{KeyValue, StringValue};

use super::SdkSpan;
use super::convert::{spans_of, to_value, without_foreign};
use super::release_line::{SpanData, is_parent_remote};
use crate::model::TagRef;
use crate::trace::Trace;

/// How many spans an exporter of OpenTelemetry gets in one call: as many as from the SDK's batch processor.
pub(super) const MAX_SPANS: usize = 512;

/// How many bytes of our memory the spans of one call take at most; about one message of OTLP.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// The spans of traces, in portions of one call each.
pub(super) struct Portions {
    traces: IntoIter<Trace>,
    /// The spans of the trace that is being handed out.
    spans: IntoIter<SdkSpan>,
    /// What a span of that trace counts.
    bytes_of_each: usize,
    /// How many spans are in no portion yet.
    left: usize,
    /// Whether the members of other systems stand in the trace state of local roots alone.
    foreign_on_root: bool,
    notes: NotesReader,
}

/// What is told of the decisions about traces, most of which one policy kept.
#[derive(Default)]
struct NotesReader {
    /// The last text, shared by all spans that have the same.
    last: Option<StringValue>,
}

impl Portions {
    pub(super) fn of(traces: Vec<Trace>, foreign_on_root: bool) -> Self {
        let left = traces.iter().map(Trace::span_count).sum();
        let traces = traces.into_iter();
        let notes = NotesReader::default();
        let spans = IntoIter::default();
        Self { traces, spans, bytes_of_each: 0, left, foreign_on_root, notes }
    }

    /// The next portion, which is never empty.
    pub(super) fn next_portion(&mut self) -> Option<Vec<SpanData>> {
        let mut portion: Vec<SpanData> = Vec::with_capacity(self.left.min(MAX_SPANS));
        let mut taken = 0_usize;
        while self.has_spans() {
            let fitting = MAX_BYTES.saturating_sub(taken).checked_div(self.bytes_of_each);
            let room = fitting.unwrap_or(MAX_SPANS).min(MAX_SPANS - portion.len());
            // One goes in any case, or a large span would never leave.
            let room = room.max(usize::from(portion.is_empty()));
            let count = room.min(self.spans.len());
            if count == 0 {
                break;
            }
            taken = taken.saturating_add(count.saturating_mul(self.bytes_of_each));
            if count == self.spans.len() {
                let all = std::mem::take(&mut self.spans);
                portion.extend(all.map(|SdkSpan(data)| data));
            } else {
                portion.extend(self.spans.by_ref().take(count).map(|SdkSpan(data)| data));
            }
        }
        self.left = self.left.saturating_sub(portion.len());
        (!portion.is_empty()).then_some(portion)
    }

    /// Whether there are spans, for which the next trace is taken apart where need be.
    fn has_spans(&mut self) -> bool {
        while self.spans.as_slice().is_empty() {
            let Some(trace) = self.traces.next() else { return false };
            let bytes = trace.bytes();
            // Spans that came from the SDK are moved, not converted.
            let notes = self.notes.of(&trace);
            let spans = match SdkSpan::take_all(trace) {
                Ok(mut spans) => {
                    let root = root_at(&spans);
                    if let Some(SdkSpan(root)) = root.and_then(|at| spans.get_mut(at)) {
                        // A bare root takes the list as it is, which spares an allocation.
                        if root.attributes.capacity() == 0 {
                            root.attributes = notes;
                        } else {
                            root.attributes.extend(notes);
                        }
                    }
                    if self.foreign_on_root {
                        leave_foreign_on(&mut spans, root);
                    }
                    spans
                }
                Err(trace) => {
                    spans_of(&trace, notes, self.foreign_on_root).into_iter().map(SdkSpan).collect()
                }
            };
            self.bytes_of_each = bytes / spans.len().max(1);
            self.spans = spans.into_iter();
        }
        true
    }
}

impl NotesReader {
    fn of(&mut self, trace: &Trace) -> Vec<KeyValue> {
        // Nearly always there is one.
        let mut notes = Vec::with_capacity(1);
        for (key, value) in trace.notes() {
            notes.push(match value {
                TagRef::Str(text) => KeyValue::new(key, self.shared(text)),
                value => KeyValue::new(key, to_value(value)),
            });
        }
        notes
    }

    fn shared(&mut self, text: &str) -> StringValue {
        if let Some(last) = self.last.as_ref().filter(|last| last.as_str() == text) {
            return last.clone();
        }
        self.last.insert(StringValue::from(Arc::<str>::from(text))).clone()
    }
}

/// Takes the members of other systems out of the trace states of all spans but one.
fn leave_foreign_on(spans: &mut [SdkSpan], root: Option<usize>) {
    for (at, SdkSpan(span)) in spans.iter_mut().enumerate() {
        let context = &span.span_context;
        if Some(at) != root
            && let Some(own) = without_foreign(context.trace_state())
        {
            span.span_context = SpanContext::new(
                context.trace_id(),
                context.span_id(),
                context.trace_flags(),
                context.is_remote(),
                own,
            );
        }
    }
}

/// Where the local root is among spans of the SDK. It has most likely ended last, and is found without a look at the others.
// `Trace::root` would make records of all of them.
fn root_at(spans: &[SdkSpan]) -> Option<usize> {
    let begins =
        |SdkSpan(span): &SdkSpan| span.parent_span_id == SpanId::INVALID || is_parent_remote(span);
    spans.iter().rposition(begins).or_else(|| {
        // A line that does not tell remote parents.
        let mut ids: Vec<SpanId> = spans.iter().map(|span| span.0.span_context.span_id()).collect();
        ids.sort_unstable_by_key(|id| id.to_bytes());
        let is_here = |parent: SpanId| {
            ids.binary_search_by_key(&parent.to_bytes(), |id| id.to_bytes()).is_ok()
        };
        spans.iter().rposition(|span| !is_here(span.0.parent_span_id))
    })
}
