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
