//! Which spans a thread is inside of.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

/// Most threads are never deeper than this.
const SHALLOW: usize = 32;

/// Beyond this depth, entries of spans that have closed are looked for and forgotten.
const DEPTH_TO_CLEAR: usize = 64;

thread_local! {
    // Without a destructor: reading it is one instruction and works while a thread ends.
    static ENTERED: Shallow = const { Shallow::new() };
    /// What lies above, where a thread is that deep.
    static DEEP: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

/// The outermost spans that a thread is inside of.
struct Shallow {
    /// How deep the thread is in all.
    depth: Cell<usize>,
    entered: [Cell<Entered>; SHALLOW],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entered {
    layer: LayerKey,
    span: u64,
}

/// Tells the layers of a process apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LayerKey(u64);

impl LayerKey {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) const fn number(self) -> u64 {
        self.0
    }
}

impl Shallow {
    const fn new() -> Self {
        let entered =
            [const { Cell::new(Entered { layer: LayerKey(u64::MAX), span: 0 }) }; SHALLOW];
        Self { depth: Cell::new(0), entered }
    }

    /// The entry at a depth, counted from the outermost.
    fn at(&self, at: usize) -> Option<Entered> {
        match self.entered.get(at) {
            Some(entry) => Some(entry.get()),
            None => {
                DEEP.try_with(|deep| deep.try_borrow().ok()?.get(at - SHALLOW).copied()).ok()?
            }
        }
    }

    #[cold]
    fn push_deep(&self, new: Entered, is_open: &dyn Fn(u64) -> bool) {
        let _ = DEEP.try_with(|deep| {
            let Ok(mut deep) = deep.try_borrow_mut() else { return };
            if deep.len() >= DEPTH_TO_CLEAR && deep.len() == deep.capacity() {
                deep.retain(|entry| entry.layer != new.layer || is_open(entry.span));
            }
            deep.push(new);
            self.depth.set(SHALLOW + deep.len());
        });
    }

    /// Takes out an entry that is not the innermost, or lies deep.
    #[cold]
    fn take_out(&self, left: Entered) {
        let depth = self.depth.get();
        let Some(from) = (0..depth).rev().find(|at| self.at(*at) == Some(left)) else { return };
        for at in from..depth.min(SHALLOW) {
            if let (Some(slot), Some(next)) = (self.entered.get(at), self.at(at + 1)) {
                slot.set(next);
            }
        }
        let _ = DEEP.try_with(|deep| {
            if let Ok(mut deep) = deep.try_borrow_mut()
                && !deep.is_empty()
            {
                deep.remove(from.saturating_sub(SHALLOW));
            }
        });
        self.depth.set(depth - 1);
    }
}

/// Notes that the thread entered a span; `is_open` tells whether one that was entered before still is.
///
/// A guard that is leaked, or dropped on another thread, leaves its entry behind: harmless, because ids
/// of closed spans lead nowhere, but worth clearing up.
#[inline]
pub(super) fn push(layer: LayerKey, span: u64, is_open: impl Fn(u64) -> bool) {
    let new = Entered { layer, span };
    ENTERED.with(|entered| {
        let depth = entered.depth.get();
        match entered.entered.get(depth) {
            Some(slot) => {
                slot.set(new);
                entered.depth.set(depth + 1);
            }
            None => entered.push_deep(new, &is_open),
        }
    });
}

/// Notes that the thread left a span, the latest time it entered it.
#[inline]
pub(super) fn pop(layer: LayerKey, span: u64) {
    let left = Entered { layer, span };
    ENTERED.with(|entered| {
        let innermost = entered.depth.get().wrapping_sub(1);
        match entered.entered.get(innermost) {
            Some(slot) if slot.get() == left => entered.depth.set(innermost),
            _ => entered.take_out(left),
        }
    });
}

/// The span that this layer's thread is inside of; `above` is how many of its innermost to leave out.
#[inline]
pub(super) fn peek(layer: LayerKey, above: usize) -> Option<u64> {
    ENTERED.with(|entered| {
        let innermost = entered.depth.get().wrapping_sub(1);
        match entered.entered.get(innermost) {
            Some(slot) if above == 0 && slot.get().layer == layer => Some(slot.get().span),
            _ => nth(entered, layer, above),
        }
    })
}

#[cold]
fn nth(entered: &Shallow, layer: LayerKey, above: usize) -> Option<u64> {
    let all = (0..entered.depth.get()).rev().filter_map(|at| entered.at(at));
    all.filter(|entry| entry.layer == layer).map(|entry| entry.span).nth(above)
}

/// Which of two layers this thread entered a span of most recently; for whoever knows only a span's id.
pub(super) fn is_inside(layer: LayerKey) -> bool {
    peek(layer, 0).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_open(_: u64) -> bool {
        true
    }

    #[test]
    fn each_layer_sees_its_own_innermost_span() {
        let (one, two) = (LayerKey::next(), LayerKey::next());
        push(one, 1, all_open);
        push(two, 2, all_open);
        push(one, 3, all_open);
        assert_eq!((peek(one, 0), peek(one, 1), peek(one, 2)), (Some(3), Some(1), None));
        assert_eq!((peek(two, 0), peek(two, 1)), (Some(2), None));
        pop(one, 1);
        assert_eq!((peek(one, 0), peek(one, 1)), (Some(3), None));
        pop(one, 3);
        pop(two, 2);
        assert!(!is_inside(one) && !is_inside(two));
    }

    #[test]
    fn leaving_a_span_entered_twice_leaves_it_once() {
        let layer = LayerKey::next();
        push(layer, 1, all_open);
        push(layer, 1, all_open);
        pop(layer, 1);
        assert_eq!((peek(layer, 0), peek(layer, 1)), (Some(1), None));
        pop(layer, 1);
        pop(layer, 1);
        assert_eq!(peek(layer, 0), None);
    }

    #[test]
    fn entries_of_closed_spans_do_not_pile_up() {
        let layer = LayerKey::next();
        for span in 0..100_000 {
            push(layer, span, |span| span == 7);
        }
        assert!(ENTERED.with(|all| all.depth.get()) <= 256);
        assert!(DEEP.with_borrow(Vec::capacity) <= 256);
        assert!(ENTERED.with(|all| (0..256).any(|at| all.at(at).is_some_and(|it| it.span == 7))));
        (0..100_000).for_each(|span| pop(layer, span));
    }
    #[test]
    fn deep_and_shallow_entries_come_back_in_the_order_they_were_left() {
        let layer = LayerKey::next();
        let all: Vec<u64> = (1..100).collect();
        all.iter().for_each(|span| push(layer, *span, all_open));
        // One from below the border and one from above it.
        pop(layer, 10);
        pop(layer, 70);
        let mut seen = Vec::new();
        while let Some(span) = peek(layer, 0) {
            seen.push(span);
            pop(layer, span);
        }
        seen.reverse();
        let left: Vec<u64> = all.into_iter().filter(|span| ![10, 70].contains(span)).collect();
        assert_eq!(seen, left);
    }
}
