//! A trace drawn as text. Pure: what depends on the terminal comes in [`Style`].

use std::time::Duration;

use super::bar::bar;
use super::canvas::{Canvas, Ink};
use super::details;
use super::layout::{GAP, Label, Layout, Style, duration_text, end_of};
use super::numbers;
use super::selection::{Line, lines};
use crate::export::escape::{columns, escape, fit};
use crate::export::tree::{Row, rows};
use crate::model::SpanKind;
use crate::trace::{SpanRef, Trace};

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
                let text = gap_text(spans, errors);
                canvas.put(Ink::Dim, &nearest.rails_above(layout.deepest));
                canvas.put(Ink::Dim, &text).end_line();
            }
        }
    }
    canvas.finish()
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
    let duration = duration_text(span);
    canvas.pad_to(layout.durations - columns(&duration));
    canvas.put(Ink::Plain, &duration);
    let room = layout.style.width.saturating_sub(layout.durations + GAP);
    let start = layout.offset(span.start_tick());
    let end = layout.offset(end_of(span));
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

fn gap_text(spans: usize, errors: usize) -> String {
    let with_errors = match errors {
        0 => String::new(),
        some => format!(", {} among them", numbers::count(some, "error")),
    };
    format!("⋮  {} not drawn{with_errors}", numbers::count(spans, "span"))
}

/// The line above the spans: service and root on the left, the summary on the right.
fn header(canvas: &mut Canvas, trace: &Trace, rows: &[Row<'_>], layout: &Layout) {
    let width = layout.style.width;
    let summary = summary(trace, rows, layout);
    let summary_width =
        summary.iter().map(|(_, part)| columns(part) + 3).sum::<usize>().saturating_sub(3);
    let service = escape(trace.resource().service_name());
    let root = rows.first().map(|row| escape(row.span.operation_name()));
    let root = root.unwrap_or_default();
    // "── service · root ── summary"
    let title = columns(&service) + 3 + columns(&root);
    let on_one_line = width.saturating_sub(3 + 4 + summary_width);
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
        width.saturating_sub(used + 2 + summary_width)
    } else {
        width.saturating_sub(used + 1)
    };
    canvas.put(Ink::Dim, " ").put(Ink::Dim, &"─".repeat(rule));
    if !is_one_line {
        canvas.end_line();
    } else {
        canvas.put(Ink::Dim, " ");
    }
    let room = if is_one_line { usize::MAX } else { width };
    facts(canvas, &summary, room);
}

/// The facts side by side, in lines of at most `room` columns.
fn facts(canvas: &mut Canvas, summary: &[(Ink, String)], room: usize) {
    let mut used = 0;
    for (ink, part) in summary {
        let wide = columns(part);
        if used > 0 && used + 3 + wide > room {
            canvas.end_line();
            used = 0;
        }
        if used > 0 {
            canvas.put(Ink::Dim, " · ");
            used += 3;
        }
        canvas.put(*ink, part);
        used += wide;
    }
    canvas.end_line();
}

fn summary(trace: &Trace, rows: &[Row<'_>], layout: &Layout) -> Vec<(Ink, String)> {
    let mut summary = Vec::with_capacity(6);
    let errors = rows.iter().filter(|row| row.span.is_error()).count();
    if errors > 0 {
        summary.push((Ink::BoldRed, format!("✗ {}", numbers::count(errors, "error"))));
    }
    if trace.is_late() {
        summary.push((Ink::Yellow, "late".to_owned()));
    }
    if trace.is_part() {
        summary.push((Ink::Yellow, "part".to_owned()));
    }
    if trace.is_unfinished() {
        summary.push((Ink::Yellow, "unfinished".to_owned()));
    }
    let whole = Duration::from_nanos(layout.whole);
    summary.push((Ink::Bold, numbers::duration(whole)));
    summary.push((Ink::Plain, numbers::count(rows.len(), "span")));
    if !trace.kept_by().is_empty() {
        let by = escape(trace.kept_by());
        summary.push((Ink::Green, format!("kept by {}", fit(&by, 24))));
    }
    summary.push((Ink::Dim, trace.trace_id().to_hex()));
    summary
}
