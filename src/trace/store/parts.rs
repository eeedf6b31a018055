//! Parts of a trace that goes on: subtrees that are complete while spans above them are open.

use super::{PartFinder, PartRule, RecordedSpans, SpanIndex, SpanStore, TakenPart};
use crate::model::{Limits, SpanId, TagRef};
use crate::time::Tick;

impl SpanStore {
    /// Takes out the parts that are complete.
    pub(crate) fn take_parts(
        &mut self,
        rule: PartRule,
        finder: &mut PartFinder,
    ) -> Vec<TakenPart<Self>> {
        self.forget_empty_column();
        as_stores(self.recorded.take_parts(rule, finder))
    }

    /// Whether a span has ended below which each subtree was a part.
    pub(crate) fn has_ended_trunk(&self) -> bool {
        self.recorded.has_ended_trunk()
    }

    /// Takes out the part that stands behind spans that are all open, into `memory`; `None` where none does that is as
    /// simple as a loop's message.
    pub(crate) fn take_last_part(
        &mut self,
        is_all_trunk: bool,
        finder: &mut PartFinder,
        memory: &mut Self,
    ) -> Option<TakenPart<Self>> {
        self.forget_empty_column();
        self.recorded.take_last_part(is_all_trunk, finder, &mut memory.recorded).map(as_store)
    }

    /// Copies out the parts that are complete.
    pub(crate) fn copy_parts(
        &self,
        rule: PartRule,
        finder: &mut PartFinder,
    ) -> Vec<TakenPart<Self>> {
        as_stores(self.recorded.copy_parts(rule, finder))
    }

    /// Removes the recorded spans with these ids.
    pub(crate) fn remove_all(&mut self, ids: &[SpanId], finder: &mut PartFinder) {
        self.forget_empty_column();
        self.recorded.remove_all(ids, finder);
    }

    /// Whether something below one of the recorded spans was kept.
    pub(crate) fn has_kept_below(&self) -> bool {
        self.recorded.has_kept_below()
    }

    /// Whether the recorded spans are a part of a trace, of which other spans are decided apart.
    #[inline]
    pub(crate) fn is_part(&self) -> bool {
        self.recorded.is_part()
    }

    /// Copies of this recorded span and of those above it that have not ended, upwards.
    pub(crate) fn copy_open_upwards(&self, span: SpanId) -> Self {
        Self::of_recorded(self.recorded.copy_open_upwards(span))
    }

    /// Ends the recorded spans that are open, each with this tag if there is one; whether there were any.
    pub(crate) fn finish_open_as(&mut self, tag: Option<&'static str>, now: Tick) -> bool {
        let open = self.recorded.indexed().filter(|(_, span)| span.end().is_none());
        let open: Vec<SpanIndex> = open.map(|(index, _)| index).collect();
        for index in &open {
            if let Some(tag) = tag {
                let yes = TagRef::Bool(true);
                let _ = self.recorded.set_tag(*index, tag.into(), yes, &Limits::NONE);
            }
            self.recorded.finish_at(*index, now);
        }
        !open.is_empty()
    }

    /// The ids of the recorded spans.
    pub(crate) fn ids(&self) -> impl Iterator<Item = SpanId> {
        self.recorded.spans().iter().map(|span| span.id)
    }
}

fn as_stores(parts: Vec<TakenPart<RecordedSpans>>) -> Vec<TakenPart<SpanStore>> {
    parts.into_iter().map(as_store).collect()
}

#[inline(always)]
fn as_store(part: TakenPart<RecordedSpans>) -> TakenPart<SpanStore> {
    let TakenPart { spans, top, start, parent, is_below } = part;
    TakenPart { spans: SpanStore::of_recorded(spans), top, start, parent, is_below }
}
