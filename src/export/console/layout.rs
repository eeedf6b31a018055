//! The columns of a drawing, and the texts of the first two.

use std::borrow::Cow;

use super::numbers;
use super::selection::Line;
use crate::export::escape::{columns, escape};
use crate::export::tree::Row;
use crate::model::SpanKind;
use crate::time::Tick;
use crate::time::nanos;
use crate::trace::SpanRef;

/// How a drawing is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) width: usize,
    pub(super) color: bool,
    pub(super) tags: bool,
    pub(super) logs: bool,
}

/// The columns of one drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) style: Style,
    pub(super) start: Tick,
    /// From the first start to the last end, in nanoseconds.
    pub(super) whole: u64,
    /// Where names end.
    pub(super) names: usize,
    /// Where durations end.
    pub(super) durations: usize,
    /// The depth below which branches stop moving to the right.
    pub(super) deepest: u32,
}

/// What stands between the columns.
pub(super) const GAP: usize = 2;
/// The least a name has to the right of its branches.
const LEAST_NAME: usize = 14;

impl Layout {
    pub(super) fn of(rows: &[Row<'_>], lines: &[Line<'_, '_>], style: Style) -> Self {
        let start = rows.iter().map(|row| row.span.start_tick()).min();
        let start = start.unwrap_or_default();
        let ends = rows.iter().map(|row| end_of(row.span).since(start));
        let whole = nanos(ends.max().unwrap_or_default());
        // Names get what they need, up to not quite half of the line.
        let most = (style.width * 9 / 20).max(LEAST_NAME);
        let deepest = most.saturating_sub(LEAST_NAME) / 3;
        let deepest = u32::try_from(deepest).unwrap_or(0).max(1);
        let drawn = || {
            lines.iter().filter_map(|line| match line {
                Line::Span(row) => Some(*row),
                Line::Gap { .. } => None,
            })
        };
        let needed = drawn().map(|row| Label::of(row, deepest).columns()).max();
        let names = needed.unwrap_or(0).min(most);
        let longest = drawn().map(|row| columns(&duration_text(row.span))).max();
        Self { style, start, whole, names, durations: names + GAP + longest.unwrap_or(0), deepest }
    }

    /// The nanoseconds from the start of the trace.
    pub(super) fn offset(&self, at: Tick) -> u64 {
        nanos(at.since(self.start))
    }
}

/// When a span ended; one that has not ends where it starts.
pub(super) fn end_of(span: SpanRef<'_>) -> Tick {
    span.end_tick().unwrap_or_else(|| span.start_tick())
}

pub(super) fn duration_text(span: SpanRef<'_>) -> String {
    if span.is_finished() { numbers::duration(span.duration()) } else { "open".to_owned() }
}

/// The text in the first column.
pub(super) struct Label<'a> {
    pub(super) branch: String,
    pub(super) mark: &'static str,
    pub(super) name: Cow<'a, str>,
    pub(super) kind: &'static str,
}

impl<'a> Label<'a> {
    pub(super) fn of(row: &Row<'a>, deepest: u32) -> Self {
        let kind = row.span.kind();
        Self {
            branch: row.branch(deepest),
            mark: if row.span.is_error() { "✗ " } else { "" },
            name: escape(row.span.operation_name()),
            kind: if kind == SpanKind::Internal { "" } else { kind.as_str() },
        }
    }

    pub(super) fn columns(&self) -> usize {
        let kind = match self.kind {
            "" => 0,
            kind => 1 + kind.len(),
        };
        columns(&self.branch) + columns(self.mark) + columns(&self.name) + kind
    }
}
