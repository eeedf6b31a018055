//! A trace drawn as text. Pure: what it is told about the terminal comes in [`Style`].

use std::time::Duration;

use super::bar::bar;
use super::elide::{Line, lines};
use super::escape::{columns, escape, fit};
use super::paint::{Canvas, Ink};
use super::{details, human};
use crate::export::tree::{Row, rows};
use crate::model::SpanKind;
use crate::time::Tick;
use crate::time::clock::nanos;
use crate::trace::{SpanRef, Trace};

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
    whole: u64,
    /// Where names end.
    names: usize,
    /// Where durations end.
    durations: usize,
    /// The depth below which branches stop moving to the right.
    pub(super) deepest: u32,
}

/// What stands between the columns.
const GAP: usize = 2;
/// The least a name has to the right of its branches.
const LEAST_NAME: usize = 14;

/// The drawing, every line ended.
pub(super) fn draw(trace: &Trace, style: Style) -> String {
    let rows = rows(trace);
    let lines = lines(&rows);
    let layout = Layout::of(&rows, &lines, style);
    let mut canvas = Canvas::new(style.color);
    header(&mut canvas, trace, &rows, &layout);
    for line in lines {
        match line {
            Line::Span(row) => {
                span_line(&mut canvas, row, &layout);
                details::below(&mut canvas, row, &layout);
            }
            Line::Gap { nearest, spans, errors } => {
                gap_line(&mut canvas, nearest, (spans, errors), &layout);
            }
        }
    }
    canvas.finish()
}

impl Layout {
    fn of(rows: &[Row<'_>], lines: &[Line<'_, '_>], style: Style) -> Self {
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
        let longest = drawn().map(|row| columns(&duration(row.span))).max();
        Self { style, start, whole, names, durations: names + GAP + longest.unwrap_or(0), deepest }
    }

    /// The nanoseconds from the start of the trace.
    pub(super) fn offset(&self, at: Tick) -> u64 {
        nanos(at.since(self.start))
    }
}

/// When a span ended; one that has not ends where it starts.
fn end_of(span: SpanRef<'_>) -> Tick {
    span.end_tick().unwrap_or_else(|| span.start_tick())
}

fn duration(span: SpanRef<'_>) -> String {
    if span.is_finished() { human::duration(span.duration()) } else { "open".to_owned() }
}

/// What stands in the first column.
struct Label<'a> {
    branch: String,
    mark: &'static str,
    name: std::borrow::Cow<'a, str>,
    kind: &'static str,
}

impl<'a> Label<'a> {
    fn of(row: &Row<'a>, deepest: u32) -> Self {
        let kind = row.span.kind();
        Self {
            branch: row.branch(deepest),
            mark: if row.span.is_error() { "✗ " } else { "" },
            name: escape(row.span.operation_name()),
            kind: if kind == SpanKind::Internal { "" } else { kind.as_str() },
        }
    }

    fn columns(&self) -> usize {
        let kind = match self.kind {
            "" => 0,
            kind => 1 + kind.len(),
        };
        columns(&self.branch) + columns(self.mark) + columns(&self.name) + kind
    }
}

fn span_line(canvas: &mut Canvas, row: &Row<'_>, layout: &Layout) {
    let label = Label::of(row, layout.deepest);
    let span = row.span;
    let is_error = span.is_error();
    let fixed = label.columns() - columns(&label.name);
    let name = fit(&label.name, layout.names.saturating_sub(fixed));
    let name_ink = if is_error { Ink::BoldRed } else { Ink::Plain };
    canvas.put(Ink::Dim, &label.branch);
    canvas.put(name_ink, label.mark).put(name_ink, &name);
    if !label.kind.is_empty() {
        canvas.put(Ink::Dim, " ").put(Ink::Dim, label.kind);
    }
    let duration = duration(span);
    canvas.pad_to(layout.durations - columns(&duration));
    canvas.put(Ink::Plain, &duration);
    let room = layout.style.width.saturating_sub(layout.durations + GAP);
    let (start, end) = (span.start_tick(), end_of(span));
    let (start, end) = (layout.offset(start), layout.offset(end));
    let drawn = bar(start, end, layout.whole, room);
    let blocks = drawn.trim_start();
    if !blocks.is_empty() {
        let blanks = columns(&drawn) - columns(blocks);
        canvas.pad_to(layout.durations + GAP + blanks);
        canvas.put(bar_ink(span), blocks);
    }
    canvas.end_line();
}

fn bar_ink(span: SpanRef<'_>) -> Ink {
    if span.is_error() {
        return Ink::Red;
    }
    match span.kind() {
        SpanKind::Internal => Ink::Blue,
        SpanKind::Server | SpanKind::Consumer => Ink::Cyan,
        SpanKind::Client | SpanKind::Producer => Ink::Magenta,
    }
}

fn gap_line(
    canvas: &mut Canvas,
    nearest: &Row<'_>,
    (spans, errors): (usize, usize),
    layout: &Layout,
) {
    let with_errors = match errors {
        0 => String::new(),
        some => format!(", {} among them", human::count(some, "error")),
    };
    let text = format!("⋮  {} not drawn{with_errors}", human::count(spans, "span"));
    canvas.put(Ink::Dim, &nearest.rails_above(layout.deepest));
    canvas.put(Ink::Dim, &text).end_line();
}

/// The line above the spans: what it was, and on the right the facts.
fn header(canvas: &mut Canvas, trace: &Trace, rows: &[Row<'_>], layout: &Layout) {
    let width = layout.style.width;
    let facts = facts(trace, rows, layout);
    let facts_width =
        facts.iter().map(|(_, fact)| columns(fact) + 3).sum::<usize>().saturating_sub(3);
    let service = escape(trace.resource().service_name());
    let root = rows.first().map(|row| escape(row.span.operation_name()));
    let root = root.unwrap_or_default();
    // "── service · root ── facts"
    let title = columns(&service) + 3 + columns(&root);
    let on_one_line = width.saturating_sub(3 + 4 + facts_width);
    let is_one_line = on_one_line >= title.min(24);
    let room = if is_one_line { on_one_line } else { width.saturating_sub(6) };
    let service = fit(&service, room / 2);
    let root = fit(&root, room.saturating_sub(columns(&service) + 3));
    canvas.put(Ink::Dim, "── ").put(Ink::Bold, &service);
    if !root.is_empty() {
        canvas.put(Ink::Dim, " · ").put(Ink::Bold, &root);
    }
    let used = 3 + columns(&service) + if root.is_empty() { 0 } else { 3 + columns(&root) };
    let rule = if is_one_line {
        width.saturating_sub(used + 2 + facts_width)
    } else {
        width.saturating_sub(used + 1)
    };
    canvas.put(Ink::Dim, " ").put(Ink::Dim, &"─".repeat(rule));
    if !is_one_line {
        canvas.end_line();
    } else {
        canvas.put(Ink::Dim, " ");
    }
    for (index, (ink, fact)) in facts.iter().enumerate() {
        let apart = if index == 0 { "" } else { " · " };
        canvas.put(Ink::Dim, apart).put(*ink, fact);
    }
    canvas.end_line();
}

fn facts(trace: &Trace, rows: &[Row<'_>], layout: &Layout) -> Vec<(Ink, String)> {
    let mut facts = Vec::with_capacity(6);
    let errors = rows.iter().filter(|row| row.span.is_error()).count();
    if errors > 0 {
        facts.push((Ink::BoldRed, format!("✗ {}", human::count(errors, "error"))));
    }
    if trace.is_late() {
        facts.push((Ink::Yellow, "late".to_owned()));
    }
    let whole = Duration::from_nanos(layout.whole);
    facts.push((Ink::Bold, human::duration(whole)));
    facts.push((Ink::Plain, human::count(rows.len(), "span")));
    if !trace.kept_by().is_empty() {
        let by = escape(trace.kept_by());
        facts.push((Ink::Green, format!("kept by {}", fit(&by, 24))));
    }
    let id = trace.trace_id().to_hex();
    facts.push((Ink::Dim, id.get(..8).unwrap_or(&id).to_owned()));
    facts
}
