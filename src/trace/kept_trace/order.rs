//! The order of spans by their starts.

use crate::trace::store::{RecordedSpans, SpanIndex};

/// The order of spans by their starts, where it is not the order in which they stand.
#[derive(Clone, Debug, Default)]
pub(super) struct SpanOrder(Option<Box<[SpanIndex]>>);

impl SpanOrder {
    pub(super) fn of(records: &RecordedSpans) -> Self {
        let spans = records.spans();
        if spans.is_sorted_by_key(|span| span.start) {
            return Self(None);
        }
        let mut order: Box<[SpanIndex]> = records.indexed().map(|(index, _)| index).collect();
        order.sort_by_key(|index| records.span(*index).map(|span| span.start));
        Self(Some(order))
    }

    /// The order with the span that was added last. A trace of many spans is built span by span, and its spans may
    /// come children first: sorting it anew for each would cost the square of their number.
    pub(super) fn with_last(self, records: &RecordedSpans) -> Self {
        let Some(position) = records.len().checked_sub(1) else { return self };
        let start = |index: SpanIndex| records.span(index).map(|span| span.start);
        let last = SpanIndex::new(position as u32);
        let before = position.checked_sub(1).map(|before| SpanIndex::new(before as u32));
        if self.0.is_none() && start(last) >= before.and_then(start) {
            return Self(None);
        }
        let mut order = match self.0 {
            Some(order) => Vec::from(order),
            None => (0..position as u32).map(SpanIndex::new).collect(),
        };
        debug_assert_eq!(order.len(), position, "each span but the last has its place");
        let at = order.partition_point(|index| start(*index) <= start(last));
        order.insert(at, last);
        Self(Some(order.into_boxed_slice()))
    }

    /// Where the span stands that started at this position of the order; `None` beyond the last of an order that
    /// is not that of the store.
    pub(super) fn at(&self, position: u32) -> Option<SpanIndex> {
        match &self.0 {
            Some(order) => order.get(position as usize).copied(),
            None => Some(SpanIndex::new(position)),
        }
    }

    /// The memory it takes apart from itself, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.0.as_deref().map_or(0, size_of_val)
    }
}
