//! The spans that a thread is inside of.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many spans a thread's array holds; most threads are never deeper.
const INLINE_DEPTH: usize = 32;

/// From this depth on, entries of spans that have closed are looked for when the overflow grows.
const MIN_SWEEP_DEPTH: usize = 64;

thread_local! {
    // Without a destructor: reading it is one instruction and works while a thread ends.
    static STACK: ThreadStack = const { ThreadStack::new() };
    /// The entries above [`INLINE_DEPTH`].
    static OVERFLOW: RefCell<Vec<EnteredSpan>> = const { RefCell::new(Vec::new()) };
}

/// The spans that the calling thread is inside of, of all layers, the outermost first.
struct ThreadStack {
    /// How many entries there are, those in [`OVERFLOW`] included.
    depth: Cell<usize>,
    outermost: [Cell<EnteredSpan>; INLINE_DEPTH],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EnteredSpan {
    layer: LayerKey,
    span: u64,
}

/// Tells the layers of a process apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LayerKey(u64);

/// The spans of one layer that the calling thread is inside of.
#[derive(Debug)]
pub(super) struct CurrentSpans(LayerKey);

impl EnteredSpan {
    /// An entry that is not in use.
    const NONE: Self = Self { layer: LayerKey(u64::MAX), span: 0 };
}

impl LayerKey {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Orders with nothing: the keys only have to differ.
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    #[inline(always)]
    pub(super) const fn number(self) -> u64 {
        self.0
    }
}

impl CurrentSpans {
    /// For a new layer.
    pub(super) fn of_new_layer() -> Self {
        Self(LayerKey::next())
    }

    #[inline(always)]
    pub(super) const fn key(&self) -> LayerKey {
        self.0
    }

    /// Notes that the thread entered a span.
    ///
    /// A guard that is leaked, or dropped on another thread, leaves its entry behind. That is harmless,
    /// because the id of a closed span leads nowhere; `is_open` tells which to forget, so that they do not
    /// pile up.
    #[inline]
    pub(super) fn push(&self, span: u64, is_open: impl Fn(u64) -> bool) {
        let new = EnteredSpan { layer: self.0, span };
        STACK.with(|stack| {
            let depth = stack.depth.get();
            match stack.outermost.get(depth) {
                Some(slot) => {
                    slot.set(new);
                    stack.depth.set(depth + 1);
                }
                None => stack.push_overflow(new, &is_open),
            }
        });
    }

    /// Notes that the thread exited a span: the latest of its entries goes.
    #[inline]
    pub(super) fn pop(&self, span: u64) {
        let exited = EnteredSpan { layer: self.0, span };
        STACK.with(|stack| {
            let innermost = stack.depth.get().wrapping_sub(1);
            match stack.outermost.get(innermost) {
                Some(slot) if slot.get() == exited => stack.depth.set(innermost),
                _ => stack.remove(exited),
            }
        });
    }

    /// The span that the thread is inside of, in the usual case: there is no other layer, and the thread's
    /// array holds it. It may have closed.
    #[inline(always)]
    pub(super) fn innermost(&self) -> Option<u64> {
        STACK.with(|stack| {
            let entry = stack.outermost.get(stack.depth.get().wrapping_sub(1))?.get();
            (entry.layer == self.0).then_some(entry.span)
        })
    }

    /// The span that the thread is inside of, when `skipped` of the innermost are left out.
    #[inline]
    fn peek(&self, skipped: usize) -> Option<u64> {
        STACK.with(|stack| {
            let innermost = stack.depth.get().wrapping_sub(1);
            match stack.outermost.get(innermost) {
                Some(slot) if skipped == 0 && slot.get().layer == self.0 => Some(slot.get().span),
                _ => stack.nth_innermost(self.0, skipped),
            }
        })
    }

    /// What `work` makes of the innermost span for which it makes something. Spans that have closed may
    /// be among those it is called with.
    #[inline(always)]
    pub(super) fn find_map<T>(&self, mut work: impl FnMut(u64) -> Option<T>) -> Option<T> {
        let mut skipped = 0;
        while let Some(span) = self.peek(skipped) {
            if let Some(found) = work(span) {
                return Some(found);
            }
            skipped += 1;
        }
        None
    }

    /// Whether the thread is inside of none of the layer's spans.
    pub(super) fn is_empty(&self) -> bool {
        self.peek(0).is_none()
    }
}

impl ThreadStack {
    const fn new() -> Self {
        let outermost = [const { Cell::new(EnteredSpan::NONE) }; INLINE_DEPTH];
        Self { depth: Cell::new(0), outermost }
    }

    /// The entry at a depth, counted from the outermost.
    fn at(&self, depth: usize) -> Option<EnteredSpan> {
        if let Some(entry) = self.outermost.get(depth) {
            return Some(entry.get());
        }
        let overflow =
            |all: &RefCell<Vec<_>>| all.try_borrow().ok()?.get(depth - INLINE_DEPTH).copied();
        OVERFLOW.try_with(overflow).ok()?
    }

    #[cold]
    fn push_overflow(&self, new: EnteredSpan, is_open: &dyn Fn(u64) -> bool) {
        let _ = OVERFLOW.try_with(|overflow| {
            let Ok(mut overflow) = overflow.try_borrow_mut() else { return };
            // Only where the vector would grow, so that the sweep costs no more than the growth.
            if overflow.len() >= MIN_SWEEP_DEPTH && overflow.len() == overflow.capacity() {
                overflow.retain(|entry| entry.layer != new.layer || is_open(entry.span));
            }
            overflow.push(new);
            self.depth.set(INLINE_DEPTH + overflow.len());
        });
    }

    /// Removes the latest entry of a span that is not the innermost, or lies in the overflow.
    #[cold]
    fn remove(&self, exited: EnteredSpan) {
        let depth = self.depth.get();
        let Some(from) = (0..depth).rev().find(|at| self.at(*at) == Some(exited)) else { return };
        // The entries above move down by one, the first of the overflow into the array.
        for at in from..depth.min(INLINE_DEPTH) {
            if let (Some(slot), Some(next)) = (self.outermost.get(at), self.at(at + 1)) {
                slot.set(next);
            }
        }
        let _ = OVERFLOW.try_with(|overflow| {
            if let Ok(mut overflow) = overflow.try_borrow_mut()
                && !overflow.is_empty()
            {
                overflow.remove(from.saturating_sub(INLINE_DEPTH));
                // A thread that was deep once gives the memory back on its way out.
                let len = overflow.len();
                if overflow.capacity() > 4 * len.max(MIN_SWEEP_DEPTH) {
                    overflow.shrink_to(2 * len);
                }
            }
        });
        self.depth.set(depth - 1);
    }

    #[cold]
    fn nth_innermost(&self, layer: LayerKey, skipped: usize) -> Option<u64> {
        let entries = (0..self.depth.get()).rev().filter_map(|at| self.at(at));
        entries.filter(|entry| entry.layer == layer).map(|entry| entry.span).nth(skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_open(_: u64) -> bool {
        true
    }

    #[test]
    fn each_layer_sees_its_own_innermost_span() {
        let one = CurrentSpans::of_new_layer();
        let two = CurrentSpans::of_new_layer();
        one.push(1, all_open);
        two.push(2, all_open);
        one.push(3, all_open);
        assert_eq!((one.peek(0), one.peek(1), one.peek(2)), (Some(3), Some(1), None));
        assert_eq!((two.peek(0), two.peek(1)), (Some(2), None));
        one.pop(1);
        assert_eq!((one.peek(0), one.peek(1)), (Some(3), None));
        one.pop(3);
        two.pop(2);
        assert!(one.is_empty() && two.is_empty());
    }

    #[test]
    fn leaving_a_span_entered_twice_leaves_it_once() {
        let layer = CurrentSpans::of_new_layer();
        layer.push(1, all_open);
        layer.push(1, all_open);
        layer.pop(1);
        assert_eq!((layer.peek(0), layer.peek(1)), (Some(1), None));
        layer.pop(1);
        layer.pop(1);
        assert_eq!(layer.peek(0), None);
    }

    #[test]
    fn entries_of_closed_spans_do_not_pile_up() {
        let layer = CurrentSpans::of_new_layer();
        for span in 0..100_000 {
            layer.push(span, |span| span == 7);
        }
        assert!(STACK.with(|stack| stack.depth.get()) <= 256);
        assert!(OVERFLOW.with_borrow(Vec::capacity) <= 256);
        let is_seven = |entry: EnteredSpan| entry.span == 7;
        assert!(STACK.with(|stack| (0..256).any(|at| stack.at(at).is_some_and(is_seven))));
        (0..100_000).for_each(|span| layer.pop(span));
    }

    #[test]
    fn a_thread_that_was_deep_gives_its_memory_back_on_the_way_out() {
        let layer = CurrentSpans::of_new_layer();
        (0..10_000).for_each(|span| layer.push(span, all_open));
        (0..10_000).rev().for_each(|span| layer.pop(span));
        assert!(OVERFLOW.with_borrow(Vec::capacity) <= 4 * MIN_SWEEP_DEPTH);
    }

    #[test]
    fn deep_and_shallow_entries_come_back_in_the_order_they_were_left() {
        let layer = CurrentSpans::of_new_layer();
        let all: Vec<u64> = (1..100).collect();
        all.iter().for_each(|span| layer.push(*span, all_open));
        // One from below the border and one from above it.
        layer.pop(10);
        layer.pop(70);
        let mut seen = Vec::new();
        while let Some(span) = layer.peek(0) {
            seen.push(span);
            layer.pop(span);
        }
        seen.reverse();
        let left: Vec<u64> = all.into_iter().filter(|span| ![10, 70].contains(span)).collect();
        assert_eq!(seen, left);
    }
}
