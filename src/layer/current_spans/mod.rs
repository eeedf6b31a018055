//! The spans that a thread is inside of.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kit::unwinding;

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
    pub(super) fn push(&self, span: u64, is_open: impl Fn(u64) -> bool) {
        if !self.push_inline(span) {
            let new = EnteredSpan { layer: self.0, span };
            STACK.with(|stack| stack.push_overflow(new, &is_open));
        }
    }

    /// [`push`](Self::push) where the thread's array has room; false, and nothing noted, where it has none.
    #[inline(always)]
    pub(super) fn push_inline(&self, span: u64) -> bool {
        STACK.with(|stack| {
            let depth = stack.depth.get();
            let Some(slot) = stack.outermost.get(depth) else { return false };
            slot.set(EnteredSpan { layer: self.0, span });
            stack.depth.set(depth + 1);
            true
        })
    }

    /// Notes that the thread exited a span: the latest of its entries goes.
    pub(super) fn pop(&self, span: u64) {
        if !self.pop_innermost(span) {
            STACK.with(|stack| stack.remove(EnteredSpan { layer: self.0, span }));
        }
    }

    /// [`pop`](Self::pop) where the thread's array holds the span as the innermost; false, and nothing noted,
    /// elsewhere.
    #[inline(always)]
    pub(super) fn pop_innermost(&self, span: u64) -> bool {
        STACK.with(|stack| {
            let innermost = stack.depth.get().wrapping_sub(1);
            let Some(slot) = stack.outermost.get(innermost) else { return false };
            let is_innermost = slot.get() == EnteredSpan { layer: self.0, span };
            if is_innermost {
                stack.depth.set(innermost);
            }
            is_innermost
        })
    }

    /// The span that the thread is inside of, in the usual case: there is no other layer, and the thread's
    /// array holds it. It may have closed.
    #[inline(always)]
    pub(super) fn innermost(&self) -> Option<u64> {
        self.with_innermost(Some)
    }

    /// What `work` makes of [`innermost`](Self::innermost). Each caller has a look of its own, small enough to be
    /// compiled into it.
    #[inline(always)]
    pub(super) fn with_innermost<R>(&self, work: impl FnOnce(u64) -> Option<R>) -> Option<R> {
        let innermost = STACK.with(|stack| {
            let entry = stack.outermost.get(stack.depth.get().wrapping_sub(1))?.get();
            (entry.layer == self.0).then_some(entry.span)
        });
        work(innermost?)
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

    /// Whether the thread is inside of no span of any layer.
    #[inline(always)]
    pub(super) fn is_thread_outside() -> bool {
        STACK.with(|stack| stack.depth.get() == 0)
    }

    /// Whether the thread is inside of none of the layer's spans.
    pub(super) fn is_empty(&self) -> bool {
        self.peek(0).is_none()
    }
}

/// Notes that the thread entered the innermost of its array while it unwinds.
#[cold]
pub(super) fn note_unwinding() {
    STACK.with(|stack| {
        if let Some(slot) = stack.outermost.get(stack.depth.get().wrapping_sub(1)) {
            let entry = slot.get();
            unwinding::enter(entry.layer.number(), entry.span);
        }
    });
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
