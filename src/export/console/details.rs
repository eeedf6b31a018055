//! What stands below the line of a span: its error, tags and logs.

use super::canvas::{Canvas, Ink};
use super::layout::Layout;
use super::numbers;
use crate::export::escape::{columns, escape, fit, wrap};
use crate::export::tree::Row;
use crate::model::{LogLevel, TagRef};
use crate::trace::{LogRef, SpanRef};
use std::time::Duration;

/// The most lines one text takes.
const LINES: usize = 4;
/// The most columns one value takes.
const VALUE: usize = 120;

pub(super) fn below(canvas: &mut Canvas, row: &Row<'_>, layout: &Layout) {
    let span = row.span;
    let lead = row.below(layout.deepest);
    let room = room_behind(&lead, layout);
    let mut line = |ink: Ink, text: &str| {
        canvas.put(Ink::Dim, &lead).put(Ink::Plain, "  ");
        canvas.put(ink, text).end_line();
    };
    if let Some(error) = error_of(span) {
        for part in wrap(&escape(error), room, LINES) {
            line(Ink::Red, &part);
        }
    }
    if layout.style.tags {
        for part in flow(span.tags(), room) {
            line(Ink::Dim, &part);
        }
    }
    if layout.style.logs {
        for log in span.logs() {
            log_lines(canvas, span, log, layout, &lead);
        }
    }
}

/// The columns to the right of what leads to the text.
fn room_behind(lead: &str, layout: &Layout) -> usize {
    layout.style.width.saturating_sub(columns(lead) + 2).max(8)
}

/// What is known about the error: its description, else the last log entry of that level.
fn error_of(span: SpanRef<'_>) -> Option<&str> {
    if !span.is_error() {
        return None;
    }
    let description = span.status_description();
    if !description.is_empty() {
        return Some(description);
    }
    let errors = span.logs().filter(|log| log.level() >= LogLevel::Error);
    errors.last().map(LogRef::message)
}

fn log_lines(canvas: &mut Canvas, span: SpanRef<'_>, log: LogRef<'_>, layout: &Layout, lead: &str) {
    let offset = Duration::from_nanos(layout.offset(log.tick()));
    let time = format!("+{}", numbers::duration(offset));
    let ink = match log.level() {
        LogLevel::Error => Ink::Red,
        LogLevel::Warn => Ink::Yellow,
        LogLevel::Info => Ink::Green,
        LogLevel::Debug | LogLevel::Trace => Ink::Dim,
    };
    // What the line of the error says already.
    let said = TagRef::Str(span.status_description());
    let news = |(key, value): &(&str, TagRef<'_>)| *key != "exception.message" || *value != said;
    let fields: Vec<String> = log.fields().filter(news).map(pair).collect();
    let text = format!("{}  {}", escape(log.message()), fields.join("  "));
    let level = format!("{:5}", log.level());
    let before = columns(&time) + 1 + columns(&level) + 1;
    let room = room_behind(lead, layout);
    let mut parts = wrap(&text, room.saturating_sub(before).max(8), LINES).into_iter();
    canvas.put(Ink::Dim, lead).put(Ink::Plain, "  ");
    canvas.put(Ink::Dim, &time).put(Ink::Plain, " ");
    match parts.next() {
        Some(first) => canvas.put(ink, &level).put(Ink::Plain, " ").put(Ink::Plain, &first),
        None => canvas.put(ink, level.trim_end()),
    };
    canvas.end_line();
    for part in parts {
        canvas.put(Ink::Dim, lead);
        canvas.pad_to(columns(lead) + 2 + before);
        canvas.put(Ink::Plain, &part).end_line();
    }
}

/// `key=value` pairs side by side, in lines of at most `room` columns.
fn flow<'a>(tags: impl Iterator<Item = (&'a str, TagRef<'a>)>, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for tag in tags {
        let pair = pair(tag);
        let pair = fit(&pair, room);
        match lines.last_mut() {
            Some(line) if columns(line) + 2 + columns(&pair) <= room => {
                line.push_str("  ");
                line.push_str(&pair);
            }
            _ => lines.push(pair.into_owned()),
        }
    }
    lines
}

/// A key and its value, in quotes where its end could not be seen otherwise.
fn pair((key, value): (&str, TagRef<'_>)) -> String {
    let text = match value {
        TagRef::Str(text) if is_bare(text) => text.to_owned(),
        TagRef::Str(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    let key = escape(key);
    let text = escape(&text);
    format!("{}={}", fit(&key, VALUE), fit(&text, VALUE))
}

fn is_bare(text: &str) -> bool {
    let hides_its_end = |c: char| c.is_whitespace() || matches!(c, '"' | '=' | ',');
    !text.is_empty() && !text.contains(hides_its_end)
}
