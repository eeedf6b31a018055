//! The part of a trace that stands behind all that is open, as that of a loop's message does.

use super::part_finder::{PartFinder, TakenPart};
use super::{OPEN, RecordedSpans, SpanRecord};
use crate::time::Tick;

/// A part of at most this many spans, behind no more that are open, may be taken without a search.
const FEW: usize = 64;

impl RecordedSpans {
    /// Takes out the part that stands behind spans that are all open: it is found without a search, and its records are
    /// copied at once, into `memory`. `None` where it is not as simple as that, or has more than bare spans.
    pub(in crate::trace::store) fn take_last_part(
        &mut self,
        is_all_trunk: bool,
        finder: &mut PartFinder,
        memory: &mut Self,
    ) -> Option<TakenPart<Self>> {
        let at = self.spans.iter().rposition(is_open)? + 1;
        let (trunk, part) = self.spans.split_at(at);
        let top = part.first()?;
        if trunk.len().max(part.len()) > FEW || self.has_rare() {
            return None;
        }
        let above = trunk.iter().rfind(|span| Some(span.id) == top.parent)?;
        let leaves = is_all_trunk || above.part.is_trunk();
        if !leaves || !trunk.iter().all(is_open) || !is_whole_and_bare(trunk, part) {
            return None;
        }
        let SpanRecord { id, start, parent, .. } = *top;
        let mut spans = std::mem::take(memory);
        spans.fill_bare(part);
        spans.mark_top();
        self.spans.truncate(at);
        if self.details.is_some() {
            self.recount_after_removal();
        }
        // None of those that stay has ended.
        self.last_end = Tick::default();
        self.compact(finder);
        Some(TakenPart { spans, top: id, start, parent, is_below: true })
    }

    /// Fills a buffer that is empty with copies of bare spans.
    fn fill_bare(&mut self, records: &[SpanRecord]) {
        self.budget.reserve(&mut self.spans, records.len(), 1);
        self.spans.extend_from_slice(records);
        if let Some(first_start) = records.iter().map(|record| record.start).min() {
            self.note_start(first_start);
        }
        self.last_end = records.iter().map(|record| record.end).max().unwrap_or_default();
    }
}

fn is_open(span: &SpanRecord) -> bool {
    span.end == OPEN
}

/// Whether all spans of a part are below its first and none of the trunk is, and nothing stands outside of their
/// records. A span that joined late may stand before its parent.
fn is_whole_and_bare(trunk: &[SpanRecord], part: &[SpanRecord]) -> bool {
    let [top, below @ ..] = part else { return false };
    let is_below = |span: &SpanRecord| {
        span.parent == Some(top.id) || part.iter().any(|other| Some(other.id) == span.parent)
    };
    top.is_bare()
        && below.iter().all(|span| span.is_bare() && is_below(span))
        && !trunk.iter().any(|span| span.parent.is_some() && is_below(span))
}
