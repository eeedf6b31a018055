//! What the lock of a local trace guards.

use std::sync::Arc;

use super::counted_extras::CountedExtras;
use super::open_parts::OpenParts;
use crate::ledger::Reason;
use crate::model::SpanId;
use crate::record::ring::RingPlace;
use crate::trace::KeepReason;
use crate::trace::store::SpanStore;

/// The spans of a local trace that were not taken out of it, and how far its decision has come.
#[derive(Debug)]
pub(in crate::record) struct LiveSpans {
    pub(in crate::record) store: SpanStore,
    /// Bytes that the total of all live traces includes for this one.
    pub(in crate::record) counted_bytes: u32,
    /// Spans that have not ended, those over a limit included.
    pub(in crate::record) open: u32,
    /// Children that were started; what their ids are made of.
    children: u32,
    /// Spans that have started since the stripe last counted them.
    pub(in crate::record) started: u32,
    pub(in crate::record) phase: Phase,
    pub(in crate::record) extras: CountedExtras,
    /// What there is to know of a trace of which parts are decided, or which is full.
    pub(in crate::record) parts: Option<Box<OpenParts>>,
}

/// How far the decision has come.
#[derive(Clone, Debug)]
pub(in crate::record) enum Phase {
    /// Spans are being recorded.
    Open,
    /// A thread has taken the spans and is asking the tail.
    Deciding,
    /// It was kept: what ends from now on is late and follows.
    Kept(Arc<KeepReason>),
    /// It was dropped and the ring has it, while spans of it are open: what ends from now on follows it there.
    Held(RingPlace),
    /// It was dropped: what starts or ends from now on is dropped too.
    Dropped(Reason),
}

impl LiveSpans {
    /// The spans of a trace that begins with one, of which the total includes this many bytes.
    #[inline]
    pub(in crate::record) fn new(store: SpanStore, counted_bytes: usize) -> Self {
        let counted_bytes = u32::try_from(counted_bytes).unwrap_or(u32::MAX);
        Self {
            store,
            counted_bytes,
            open: 1,
            children: 0,
            started: 0,
            phase: Phase::Open,
            extras: CountedExtras::default(),
            parts: None,
        }
    }

    /// The id of the next child of `parent`.
    ///
    /// A bijective mix of a random id and a number that no other child of the trace has: as good as
    /// random, at a fraction of the cost of asking the generator.
    #[inline]
    pub(in crate::record) fn child_id(&mut self, parent: SpanId) -> SpanId {
        loop {
            self.children = self.children.wrapping_add(1);
            let step = u64::from(self.children).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut bits = parent.to_bits().wrapping_add(step);
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            if let Some(id) = SpanId::from_bits(bits ^ (bits >> 31)) {
                return id;
            }
        }
    }

    /// Whether it is a trace of ours that is not decided, which could be decided in parts.
    pub(in crate::record) fn may_enter_parts(&self) -> bool {
        matches!(self.phase, Phase::Open) && !self.store.is_foreign()
    }

    /// Spans of ours that no other column of the ledger counts.
    #[inline]
    pub(in crate::record) fn spans(&self) -> u64 {
        self.store.len() as u64 + u64::from(self.over_limit())
    }

    /// Whether it has none of those, where the buffer has this many.
    #[inline]
    pub(in crate::record) fn is_empty_beside(&self, len: usize) -> bool {
        len == 0 && self.over_limit() == 0
    }

    /// Whether the buffer has another size than the total of all live traces includes.
    #[inline]
    pub(in crate::record) fn has_uncounted_bytes(&self) -> bool {
        self.store.bytes() != self.counted_bytes as usize
    }
}
