//! Finding the subtrees of a buffer that are complete.
//!
//! The *trunk* of a trace that is decided in parts is the open spans below which each subtree is a part of its own:
//! those that have been open for long. What runs below a younger span waits for that span.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{ColumnIndex, OPEN, SpanIndex, SpanRecord};
use crate::model::SpanId;
use crate::time::Tick;

/// Buffers of at most this many spans are searched without an index.
const FEW: usize = 16;

/// Which subtrees of a buffer are taken out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartRule {
    /// A span that has ended no later than this does not wait for what is open below it.
    pub(crate) stale: Tick,
    /// Whether every open span counts as one of the trunk.
    pub(crate) is_all_trunk: bool,
    /// Whether other threads are deciding parts. What has ended may have to wait then, unless it is stale: a span of the
    /// trunk for what is kept below it, and one whose parent has left for what becomes of that.
    pub(crate) is_deciding: bool,
    /// How many parts are taken at the most.
    pub(crate) most: usize,
}

impl PartRule {
    /// Whether a span, whose parent may have left, stays whatever is below it.
    fn holds(self, span: &SpanRecord, parent: SpanIndex) -> bool {
        let has_lost_parent = || span.parent.is_some() && parent == SpanIndex::NONE;
        let may_wait = || span.part.is_trunk() || has_lost_parent();
        span.end == OPEN || (self.is_deciding && span.end > self.stale && may_wait())
    }
}

/// A subtree that was taken out of a buffer, or copied out of it.
#[derive(Debug)]
pub(crate) struct TakenPart<S> {
    pub(crate) spans: S,
    /// The span that all others are below.
    pub(crate) top: SpanId,
    pub(crate) start: Tick,
    /// The parent of the top, in this process or not.
    pub(crate) parent: Option<SpanId>,
    /// Whether the parent is among the spans that stay.
    pub(crate) is_below: bool,
}

/// Finds the subtrees that are complete. It keeps the memory that this needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartFinder {
    /// Where the parent of each span stands.
    parents: Vec<SpanIndex>,
    pub(super) fates: Vec<Fate>,
    /// The top of each part, and whether its parent is there.
    pub(super) tops: Vec<(SpanIndex, bool)>,
    places: HashMap<SpanId, SpanIndex, RandomState>,
    /// The memory of all these.
    bytes: usize,
    /// Whether a span that has ended stays because other threads are deciding parts.
    pub(crate) has_waiting: bool,
    /// The bytes of the buffer when nothing but its spans was in its columns.
    pub(super) least_bytes: usize,
}

/// What becomes of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Unknown,
    Stays,
    /// It belongs to the part of this number.
    Leaves(u32),
}

impl PartFinder {
    /// Finds the parts.
    pub(super) fn find(&mut self, spans: &[SpanRecord], rule: PartRule) {
        self.find_parents(spans);
        self.fates.clear();
        self.fates.resize(spans.len(), Fate::Unknown);
        self.tops.clear();
        self.has_waiting = false;
        for (at, span) in spans.iter().enumerate() {
            if rule.holds(span, self.parents[at]) {
                self.has_waiting |= span.end != OPEN;
                self.hold_above(spans, at, rule.stale);
            }
        }
        for at in 0..spans.len() {
            if self.fates[at] == Fate::Unknown {
                self.fates[at] = self.fate_of(spans, at, rule);
            }
        }
        self.bytes = self.parents.capacity() * size_of::<SpanIndex>()
            + self.fates.capacity() * size_of::<Fate>()
            + self.tops.capacity() * size_of::<(SpanIndex, bool)>()
            + self.places.capacity() * 8 / 7 * (size_of::<(SpanId, SpanIndex)>() + 1);
    }

    /// The memory that it keeps.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn find_parents(&mut self, spans: &[SpanRecord]) {
        self.parents.clear();
        if spans.len() <= FEW {
            self.parents.extend(spans.iter().map(|span| {
                let place = |parent| spans.iter().rposition(|other| other.id == parent);
                let place = span.parent.and_then(place).and_then(SpanIndex::after);
                place.unwrap_or(SpanIndex::NONE)
            }));
            return;
        }
        self.places.clear();
        self.places.extend((0..).map(SpanIndex::new).zip(spans).map(|(at, span)| (span.id, at)));
        let places = &self.places;
        self.parents.extend(spans.iter().map(|span| {
            let place = span.parent.and_then(|parent| places.get(&parent).copied());
            place.unwrap_or(SpanIndex::NONE)
        }));
    }

    /// Lets a span stay, and what it is below, up to what has ended long ago.
    fn hold_above(&mut self, spans: &[SpanRecord], span: usize, stale: Tick) {
        self.fates[span] = Fate::Stays;
        let mut at = self.parents[span].as_usize();
        // An open span holds what is above it by itself.
        while let Some(span) = spans.get(at)
            && self.fates[at] == Fate::Unknown
            && span.end != OPEN
            && span.end > stale
        {
            self.fates[at] = Fate::Stays;
            at = self.parents[at].as_usize();
        }
    }

    /// What becomes of a span that has ended, below which none is open: what becomes of the top of its subtree.
    fn fate_of(&mut self, spans: &[SpanRecord], span: usize, rule: PartRule) -> Fate {
        let mut top = span;
        // Parents that a program has set in a circle must not be followed for ever.
        for _ in 0..spans.len() {
            let parent = self.parents[top].as_usize();
            let Some(above) = spans.get(parent) else { return self.part_of(top, false, rule) };
            match self.fates[parent] {
                Fate::Leaves(part) => return Fate::Leaves(part),
                Fate::Unknown => top = parent,
                Fate::Stays
                    if rule.is_all_trunk || (above.end == OPEN && above.part.is_trunk()) =>
                {
                    return self.part_of(top, true, rule);
                }
                Fate::Stays => return Fate::Stays,
            }
        }
        Fate::Stays
    }

    fn part_of(&mut self, top: usize, is_below: bool, rule: PartRule) -> Fate {
        if self.tops.len() >= rule.most {
            return Fate::Stays;
        }
        let fate = Fate::Leaves(self.tops.len() as u32);
        self.tops.push((SpanIndex::new(top as u32), is_below));
        self.fates[top] = fate;
        fate
    }
}
