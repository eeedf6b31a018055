//! A vector of originals as a column.

use std::any::Any;
use std::borrow::Cow;
use std::ops::Range;
use std::time::SystemTime;

use super::column::{OriginalColumn, PackedColumn};
use crate::kit::unwind_safe;
use crate::model::{Limits, SpanId, SpanKind, Status};
use crate::time::{ClockCorrection, Tick};
use crate::trace::store::recorded_spans::{NewSpan, RecordedSpans, SpanRecord};
use crate::trace::{Original, Outline, SpanMut};

impl<S: Original> OriginalColumn for Vec<S> {
    fn len(&self) -> usize {
        self.len()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn take(&mut self) -> Box<dyn OriginalColumn> {
        let mut taken = std::mem::take(self);
        if taken.capacity() / 2 > taken.len() {
            taken.shrink_to_fit();
        }
        Box::new(taken)
    }

    fn reserved(&self) -> usize {
        self.capacity() * (size_of::<S>() + size_of::<SpanRecord>())
    }

    fn outline(&self, index: usize, records: &mut RecordedSpans, correction: ClockCorrection) {
        let asked = self
            .get(index)
            .and_then(|original| unwind_safe::call(|| (original.outline(), original.is_error())));
        match asked {
            Some((outline, has_failed)) => push_outline(records, &outline, has_failed, correction),
            None => push_unknown(records),
        }
    }

    fn name(&self, index: usize) -> Option<&str> {
        let outline = unwind_safe::call(|| self.get(index).map(Original::outline));
        outline.flatten().map(|outline| &**outline.name)
    }

    fn describe(&self, index: usize, span: &mut SpanMut<'_>) {
        if let Some(original) = self.get(index) {
            original.describe(span);
        }
    }

    fn times(&self) -> Option<(SystemTime, SystemTime)> {
        let all = self.iter().filter_map(|original| unwind_safe::call(|| original.times()));
        all.reduce(|(first, last), (start, end)| (first.min(start), last.max(end)))
    }

    fn has_errors(&self) -> bool {
        self.iter().any(|original| unwind_safe::call(|| original.is_error()).unwrap_or(false))
    }

    fn pointed_to(&self) -> usize {
        let all = self.iter().filter_map(|original| unwind_safe::call(|| original.bytes()));
        all.map(|bytes| bytes.saturating_sub(size_of::<S>())).sum()
    }

    fn append(&mut self, more: &mut dyn OriginalColumn) -> bool {
        let more: &mut dyn Any = more;
        let more = more.downcast_mut::<Self>();
        more.map(|more| Vec::append(self, more)).is_some()
    }

    fn part(&self, places: Range<usize>) -> Box<dyn OriginalColumn> {
        Box::new(self.get(places).map_or_else(Vec::new, <[S]>::to_vec))
    }

    fn boxed_clone(&self) -> Box<dyn OriginalColumn> {
        Box::new(self.clone())
    }

    fn pack(self: Box<Self>) -> Result<Box<dyn PackedColumn>, Box<dyn OriginalColumn>> {
        match S::pack(*self) {
            Ok(packed) => Ok(packed.into_column()),
            Err(originals) => Err(Box::new(originals)),
        }
    }
}

/// Adds the record of an original.
fn push_outline(
    records: &mut RecordedSpans,
    outline: &Outline<'_>,
    has_failed: bool,
    correction: ClockCorrection,
) {
    let new = NewSpan {
        id: outline.span_id,
        parent: outline.parent_span_id,
        start: Tick::at_wall(outline.start, correction),
        name: outline.name.clone(),
        kind: outline.kind,
    };
    // A budget without a limit refuses nothing. The limits of a foreign span are those of its tracer.
    let Ok(index) = records.push_span(new, &Limits::NONE) else { return };
    records.note_start(Tick::at_wall(outline.start, correction));
    records.set_parent_remote(index, outline.is_parent_remote);
    // The description may be long, and stays with the original.
    match outline.status {
        Status::Unset => {}
        Status::Ok => records.set_status(index, Status::Ok, &Limits::NONE),
        Status::Error { .. } => records.fail(index),
    }
    if has_failed && !records.has_failed(index) {
        records.mark_failed(index);
    }
    records.finish_at(index, Tick::at_wall(outline.end, correction));
}

/// Adds a record in the place of an original whose adapter panicked.
#[cold]
fn push_unknown(records: &mut RecordedSpans) {
    let start = Tick::from_nanos(0);
    let new = NewSpan {
        id: SpanId::new(),
        parent: None,
        start,
        name: Cow::Borrowed("(its adapter panicked)"),
        kind: SpanKind::Internal,
    };
    if let Ok(index) = records.push_span(new, &Limits::NONE) {
        records.finish_at(index, start);
    }
}
