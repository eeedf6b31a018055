//! The spans of a trace as a tree, whatever their ids say.

use std::collections::HashMap;

use crate::model::SpanId;
use crate::trace::{SpanRef, Trace};

/// A span and its place in the tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) span: SpanRef<'a>,
    /// How many spans stand above it.
    pub(crate) depth: u32,
    /// Whether no sibling follows.
    pub(crate) is_last: bool,
    pub(crate) has_children: bool,
    /// For each depth above this one, whether a sibling of the ancestor there follows.
    rails: u64,
}

const NONE: u32 = u32::MAX;

/// The place of every span in the tree, as indices.
struct Links {
    parent: Vec<u32>,
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
}

/// Every span once, parents before their children and siblings in the order they started.
///
/// A span whose parent is not in the trace is a root. So is the earliest span of a circle of parents,
/// and the spans that share an id are all there, with their children below the first of them.
pub(crate) fn rows(trace: &Trace) -> Vec<Row<'_>> {
    let spans: Vec<SpanRef<'_>> = trace.spans().collect();
    let links = Links::of(&spans);
    let mut rows = Vec::with_capacity(spans.len());
    // What is left to draw, next on top: an index, its depth and the rails to its left.
    let mut left = Vec::new();
    let roots =
        (0..).zip(&links.parent).filter(|(_, parent)| **parent == NONE).map(|(root, _)| root);
    for root in roots {
        left.push((root, 0_u32, 0_u64));
        while let Some((index, depth, rails)) = left.pop() {
            let Some(span) = spans.get(index as usize) else {
                continue;
            };
            let sibling = at(&links.next_sibling, index);
            let is_last = sibling == NONE;
            if depth > 0 && !is_last {
                left.push((sibling, depth, rails));
            }
            let child = at(&links.first_child, index);
            if child != NONE {
                let rail = u64::from(depth > 0 && !is_last);
                let below = rails | rail.checked_shl(depth).unwrap_or(0);
                left.push((child, depth + 1, below));
            }
            rows.push(Row { span: *span, depth, is_last, has_children: child != NONE, rails });
        }
    }
    rows
}

impl Links {
    fn of(spans: &[SpanRef<'_>]) -> Self {
        let parent = parents(spans);
        let mut first_child = vec![NONE; spans.len()];
        let mut next_sibling = vec![NONE; spans.len()];
        // From the last to the first, so that each list ends up in the order of the spans.
        for (index, (parent, next)) in parent.iter().zip(&mut next_sibling).enumerate().rev() {
            if let Some(first) = first_child.get_mut(*parent as usize) {
                *next = *first;
                *first = u32::try_from(index).unwrap_or(NONE);
            }
        }
        Self { parent, first_child, next_sibling }
    }
}

/// The index of each span's parent, with circles cut open.
fn parents(spans: &[SpanRef<'_>]) -> Vec<u32> {
    let mut by_id: HashMap<SpanId, u32> = HashMap::with_capacity(spans.len());
    for (index, span) in (0..).zip(spans) {
        by_id.entry(span.span_id()).or_insert(index);
    }
    let parent_of = |span: &SpanRef<'_>| {
        let id = span.parent_span_id()?;
        by_id.get(&id).copied()
    };
    let mut parents: Vec<u32> = spans.iter().map(|span| parent_of(span).unwrap_or(NONE)).collect();
    // Each walk up marks what it passes; meeting its own mark it has found a circle.
    let mut walked_by = vec![NONE; spans.len()];
    for start in (0..).take(spans.len()) {
        let mut index = start;
        while let Some(mark) = walked_by.get_mut(index as usize) {
            if *mark == start {
                cut_circle(&mut parents, index);
            }
            if *mark != NONE {
                break;
            }
            *mark = start;
            index = at(&parents, index);
        }
    }
    parents
}

/// Makes the earliest span of the circle through `member` a root.
fn cut_circle(parents: &mut [u32], member: u32) {
    let mut earliest = member;
    let mut index = at(parents, member);
    while index != member && index != NONE {
        earliest = earliest.min(index);
        index = at(parents, index);
    }
    if let Some(parent) = parents.get_mut(earliest as usize) {
        *parent = NONE;
    }
}

fn at(list: &[u32], index: u32) -> u32 {
    list.get(index as usize).copied().unwrap_or(NONE)
}

impl Row<'_> {
    /// What stands to the left of the span, with its own branch. Spans below `deepest` are drawn at
    /// that depth and say their own.
    pub(crate) fn branch(&self, deepest: u32) -> String {
        if self.depth == 0 {
            return String::new();
        }
        let mut drawn = self.rails_above(deepest);
        drawn.push_str(if self.is_last { "└─ " } else { "├─ " });
        if self.depth > deepest {
            drawn.push_str(&format!("({}) ", self.depth));
        }
        drawn
    }

    /// What stands to the left of the lines that follow the span's own.
    pub(crate) fn below(&self, deepest: u32) -> String {
        let mut drawn = self.rails_above(deepest);
        let rail = |on: bool| if on { "│  " } else { "   " };
        if self.depth >= deepest {
            drawn.push_str(rail(!self.is_last || self.has_children));
        } else {
            if self.depth > 0 {
                drawn.push_str(rail(!self.is_last));
            }
            drawn.push_str(rail(self.has_children));
        }
        drawn
    }

    /// The rails of the ancestors of the span, without its own.
    pub(crate) fn rails_above(&self, deepest: u32) -> String {
        (1..self.depth.min(deepest))
            .map(|depth| match self.rails.checked_shr(depth) {
                Some(rails) if rails & 1 == 1 => "│  ",
                _ => "   ",
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;
    use crate::model::{TraceContext, TraceId};
    use crate::trace::Span;

    /// Spans with these ids and parents, each starting after the one before it.
    fn made(spans: &[(u64, Option<u64>)]) -> Trace {
        let id = TraceId::from_bits(1).unwrap();
        let mut trace = Trace::new(id);
        for (at, (span, parent)) in (1..).zip(spans) {
            let mut context = TraceContext::new(id, SpanId::from_bits(*span).unwrap());
            context.parent_span_id = parent.and_then(SpanId::from_bits);
            let start = UNIX_EPOCH + Duration::from_secs(at);
            trace.add_span(Span::started_at("span", context, start));
        }
        trace
    }

    proptest! {
        #[test]
        fn every_span_stands_once_below_its_parent_whatever_the_ids_say(
            spans in prop::collection::vec((1_u64..20, prop::option::of(0_u64..20)), 0..40),
        ) {
            let trace = made(&spans);
            let rows = rows(&trace);
            // Their starts tell them apart.
            let starts: HashSet<_> = rows.iter().map(|row| row.span.start_tick()).collect();
            prop_assert_eq!((rows.len(), starts.len()), (spans.len(), spans.len()));
            let mut path: Vec<Row<'_>> = Vec::new();
            for row in &rows {
                prop_assert!(row.depth as usize <= path.len());
                path.truncate(row.depth as usize);
                if let Some(above) = path.last() {
                    prop_assert_eq!(row.span.parent_span_id(), Some(above.span.span_id()));
                    prop_assert!(above.has_children);
                }
                path.push(*row);
            }
        }

        #[test]
        fn without_circles_and_twins_only_spans_without_a_parent_are_roots(
            parents in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        ) {
            // Each parent is an earlier span, or 0, which none is.
            let spans: Vec<_> = (1_u64..)
                .zip(&parents)
                .map(|(id, parent)| (id, Some(parent.index(id as usize) as u64)))
                .collect();
            let trace = made(&spans);
            let roots: Vec<_> = rows(&trace)
                .iter()
                .filter(|row| row.depth == 0)
                .map(|row| row.span.span_id().to_bits())
                .collect();
            let orphans: Vec<_> = spans
                .iter()
                .filter(|(_, parent)| *parent == Some(0))
                .map(|(id, _)| *id)
                .collect();
            prop_assert_eq!(roots, orphans);
        }
    }

    #[test]
    fn the_earliest_span_of_a_circle_becomes_its_root() {
        // 9 hangs off a circle of three that starts with 7.
        let trace = made(&[(9, Some(8)), (7, Some(6)), (8, Some(7)), (6, Some(8))]);
        let order: Vec<_> = rows(&trace)
            .iter()
            .map(|row| (row.depth, row.span.span_id().to_bits(), row.is_last))
            .collect();
        assert_eq!(order, [(0, 7, true), (1, 8, true), (2, 9, false), (2, 6, true)]);
    }
}
