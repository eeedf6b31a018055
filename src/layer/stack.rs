//! Which spans a thread is inside of.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Beyond this depth, entries of spans that have closed are looked for and forgotten.
const DEPTH_TO_CLEAR: usize = 64;

thread_local! {
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
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
}

/// Notes that the thread entered a span; `is_open` tells whether one that was entered before still is.
///
/// A guard that is leaked, or dropped on another thread, leaves its entry behind: harmless, because ids
/// of closed spans lead nowhere, but worth clearing up.
#[inline]
pub(super) fn push(layer: LayerKey, span: u64, is_open: impl Fn(u64) -> bool) {
    // A thread that is ending has no stack any more, and starts no children.
    let _ = ENTERED.try_with(|entered| {
        if let Ok(mut entered) = entered.try_borrow_mut() {
            if entered.len() == entered.capacity() {
                make_room(&mut entered, layer, &is_open);
            }
            entered.push(Entered { layer, span });
        }
    });
}

#[cold]
fn make_room(entered: &mut Vec<Entered>, layer: LayerKey, is_open: &dyn Fn(u64) -> bool) {
    if entered.len() >= DEPTH_TO_CLEAR {
        entered.retain(|entry| entry.layer != layer || is_open(entry.span));
    }
    entered.reserve(1);
}

/// Notes that the thread left a span, the latest time it entered it.
#[inline]
pub(super) fn pop(layer: LayerKey, span: u64) {
    let _ = ENTERED.try_with(|entered| {
        let Ok(mut entered) = entered.try_borrow_mut() else { return };
        let left = Entered { layer, span };
        if entered.last() == Some(&left) {
            entered.pop();
        } else if let Some(at) = entered.iter().rposition(|entry| *entry == left) {
            entered.remove(at);
        }
    });
}

/// The span that this layer's thread is inside of; `above` is how many of its innermost to leave out.
#[inline]
pub(super) fn peek(layer: LayerKey, above: usize) -> Option<u64> {
    let peeked = ENTERED.try_with(|entered| {
        let entered = entered.try_borrow().ok()?;
        match entered.last() {
            Some(entry) if above == 0 && entry.layer == layer => Some(entry.span),
            _ => nth(&entered, layer, above),
        }
    });
    peeked.ok().flatten()
}

#[cold]
fn nth(entered: &[Entered], layer: LayerKey, above: usize) -> Option<u64> {
    let mine = entered.iter().rev().filter(|entry| entry.layer == layer);
    mine.map(|entry| entry.span).nth(above)
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
        let (depth, capacity) = ENTERED.with_borrow(|all| (all.len(), all.capacity()));
        assert!(depth <= 256 && capacity <= 256, "{depth} of {capacity}");
        assert!(ENTERED.with_borrow(|all| all.iter().any(|entry| entry.span == 7)));
        (0..100_000).for_each(|span| pop(layer, span));
    }
}
