//! What leaves a trace that is decided in parts.

use parking_lot::MutexGuard;

use super::live_spans::{LiveSpans, Phase};
use super::open_parts::OpenParts;
use super::recent_parts::PartOutcome;
use crate::model::SpanId;
use crate::time::Tick;
use crate::trace::store::{PartFinder, PartRule, SpanIndex, SpanStore, TakenPart};

/// How many parts are taken under one hold of the trace's lock.
const TAKEN_AT_ONCE: usize = 256;

/// Buffers of at most this many spans are looked through whenever a span has ended.
const FEW: usize = 64;

impl LiveSpans {
    /// Has the trace decided in parts below the open spans that began no later than this; whether there is such a span.
    pub(in crate::record) fn enter_parts(&mut self, began_by: Tick) -> bool {
        let has_trunk = self.store.recorded_mut().mark_trunk(began_by);
        if has_trunk && !self.is_in_parts() {
            self.parts.get_or_insert_default().is_entered = true;
            self.count_ended();
        }
        has_trunk
    }

    /// Whether the trace is decided in parts.
    #[inline]
    pub(in crate::record) fn is_in_parts(&self) -> bool {
        self.parts.as_ref().is_some_and(|parts| parts.is_entered)
    }

    /// Has the trace decided as a whole again. The threads that are deciding parts of it stay counted.
    pub(in crate::record) fn leave_parts(&mut self) {
        self.parts = self.parts.take().and_then(|parts| parts.rest());
    }

    fn count_ended(&mut self) {
        let ended = self.store.recorded_mut().spans().iter().filter(|span| span.end().is_some());
        let ended = ended.count();
        if let Some(parts) = &mut self.parts {
            parts.ended = ended;
        }
    }

    /// Whether it is time to look for parts that are complete, as the span that stands there has ended in a trace that is
    /// decided in parts, while further spans are open.
    // Out of line, so that the end of a span in other traces does not pay for what this keeps in registers.
    #[cold]
    pub(in crate::record) fn may_have_parts(
        mut live: MutexGuard<'_, Self>,
        ended: Option<SpanIndex>,
    ) -> bool {
        let Self { phase: Phase::Open, store, parts: Some(parts), .. } = &mut *live else {
            return false;
        };
        let Some(ended) = ended else { return false };
        parts.count_ended() && store.recorded_mut().may_complete_part(ended, &mut parts.open_above)
    }

    /// Copies out the parts that are complete below any span that is open. Where there are any, the caller counts as an
    /// open span until it has decided them.
    pub(in crate::record) fn copy_parts(&mut self, stale: Tick) -> Vec<TakenPart<SpanStore>> {
        let is_deciding = self.deciding() > 0;
        let rule = PartRule { stale, is_all_trunk: true, is_deciding, most: TAKEN_AT_ONCE };
        let copies = self.store.copy_parts(rule, &mut PartFinder::default());
        self.begin_deciding(&copies);
        copies
    }

    /// Removes the spans of a part that was copied; false where they are not all there any more.
    pub(in crate::record) fn remove_part(&mut self, ids: &[SpanId]) -> bool {
        let there = self.store.ids().filter(|id| ids.contains(id)).count();
        if there == ids.len() {
            let parts = self.parts.get_or_insert_default();
            parts.is_entered = true;
            self.store.remove_all(ids, &mut parts.finder);
            self.count_ended();
        }
        there == ids.len()
    }

    /// Remembers what became of the spans of a part, or of some of them.
    pub(in crate::record) fn remember_part(
        &mut self,
        ids: impl Iterator<Item = SpanId>,
        outcome: PartOutcome,
    ) {
        if let Some(parts) = &mut self.parts {
            parts.recent.remember(ids, outcome);
        }
    }

    /// Remembers what became of a part as [`remember_part`](Self::remember_part) does, and takes its memory for the next.
    pub(in crate::record) fn remember_last_part(
        &mut self,
        mut part: TakenPart<SpanStore>,
        outcome: PartOutcome,
    ) {
        if let Some(parts) = &mut self.parts {
            parts.recent.remember(part.spans.ids(), outcome);
            part.spans.clear();
            parts.memory = part.spans;
        }
    }

    /// Counts the caller as an open span, so that the rest of the trace is decided when it is known what was kept below.
    fn begin_deciding(&mut self, parts: &[TakenPart<SpanStore>]) {
        if !parts.is_empty() {
            self.open += 1;
            self.parts.get_or_insert_default().deciding += 1;
        }
    }

    /// Takes out the part that is complete behind spans that are all open, which is what a loop's message leaves. The
    /// caller counts as an open span until it has decided it.
    pub(in crate::record) fn take_last_part(
        &mut self,
        is_all_trunk: bool,
    ) -> Option<TakenPart<SpanStore>> {
        let parts = self.parts.as_mut()?;
        let OpenParts { finder, memory, deciding, .. } = &mut **parts;
        // A span of the trunk that has ended may have to wait for other threads.
        if *deciding > 0 && self.store.has_ended_trunk() {
            return None;
        }
        let taken = self.store.take_last_part(is_all_trunk, finder, memory)?;
        self.open += 1;
        parts.deciding += 1;
        parts.ended = 0;
        parts.next_look = 1;
        Some(taken)
    }

    /// The memory of what it knows of its parts, as far as the total of all live traces includes it.
    #[inline]
    pub(in crate::record) fn counted_parts(&self) -> usize {
        self.parts.as_ref().map_or(0, |parts| parts.counted_bytes())
    }

    /// Notes that the total includes all of that memory, and gives its bytes.
    #[inline]
    pub(in crate::record) fn count_parts(&mut self) -> usize {
        self.parts.as_mut().map_or(0, |parts| parts.count_bytes())
    }

    /// How many threads are deciding parts of it, each of which counts as an open span.
    pub(in crate::record) fn deciding(&self) -> u32 {
        self.parts.as_ref().map_or(0, |parts| parts.deciding)
    }

    /// Counts a thread that has decided parts as an open span no more.
    pub(in crate::record) fn end_deciding(&mut self) {
        self.open = self.open.saturating_sub(1);
        if let Some(parts) = &mut self.parts {
            parts.deciding = parts.deciding.saturating_sub(1);
        }
        self.forget_needless();
    }

    /// Gives back what there is to know of the parts of a trace that has none.
    fn forget_needless(&mut self) {
        if self.parts.as_ref().is_some_and(|parts| parts.is_needless()) {
            self.parts = None;
        }
    }

    /// How many open spans of ours are not in the store, because a limit left no room for them.
    pub(in crate::record) fn over_limit(&self) -> u32 {
        self.parts.as_ref().map_or(0, |parts| parts.over_limit)
    }

    /// Counts another of those.
    pub(in crate::record) fn add_over_limit(&mut self) {
        self.parts.get_or_insert_default().over_limit += 1;
    }

    /// Counts one of those less.
    pub(in crate::record) fn remove_over_limit(&mut self) {
        if let Some(parts) = &mut self.parts {
            parts.over_limit = parts.over_limit.saturating_sub(1);
        }
        self.forget_needless();
    }

    /// Counts none of those any more.
    pub(in crate::record) fn forget_over_limit(&mut self) {
        if let Some(parts) = &mut self.parts {
            parts.over_limit = 0;
        }
    }

    /// Whether spans have waited for what is known now, as no thread is deciding parts any more. Asked once.
    #[inline]
    pub(in crate::record) fn take_waiting(&mut self) -> bool {
        let parts = self.parts.as_mut().filter(|parts| parts.deciding == 0);
        parts.is_some_and(|parts| std::mem::take(&mut parts.finder.has_waiting))
    }

    /// Takes out the parts that are complete, some hundred at the most; whether there may be more. Where there are
    /// any, the caller counts as an open span until it has decided them.
    pub(in crate::record) fn take_parts(
        &mut self,
        stale: Tick,
        is_all_trunk: bool,
    ) -> (Vec<TakenPart<SpanStore>>, bool) {
        let Some(parts) = &mut self.parts else { return (Vec::new(), false) };
        let is_deciding = parts.deciding > 0;
        let rule = PartRule { stale, is_all_trunk, is_deciding, most: TAKEN_AT_ONCE };
        let taken = self.store.take_parts(rule, &mut parts.finder);
        let has_more = taken.len() >= TAKEN_AT_ONCE;
        self.begin_deciding(&taken);
        self.count_ended();
        let len = self.store.len();
        if let Some(parts) = &mut self.parts {
            // Of many spans a fraction must have ended since: then a look costs each span the same, however many stay.
            let step = if len <= FEW { 1 } else { len / 4 };
            parts.next_look = if has_more { 0 } else { parts.ended + step };
        }
        (taken, has_more)
    }
}
