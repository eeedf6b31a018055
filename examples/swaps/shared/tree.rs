//! The spans of a program as text, to be read and to be compared with those of another run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

/// One line for each span, its children below it, and its attributes beside it; ids, times, threads and ports
/// differ from run to run and are left out.
pub fn tree(spans: &[SpanData]) -> String {
    let mut traces = BTreeMap::<String, Vec<&SpanData>>::new();
    for span in spans {
        traces.entry(span.span_context.trace_id().to_string()).or_default().push(span);
    }
    let mut text: Vec<String> = traces.values().map(|spans| trace(spans)).collect();
    text.sort();
    text.concat()
}

fn trace(spans: &[&SpanData]) -> String {
    let is_here = |id| spans.iter().any(|span| span.span_context.span_id() == id);
    let mut roots: Vec<_> = spans.iter().filter(|span| !is_here(span.parent_span_id)).collect();
    roots.sort_by_key(|span| span.start_time);
    let mut text = String::from("trace\n");
    for root in roots {
        let is_lost = root.parent_span_id != SpanId::INVALID;
        line(&mut text, root, if is_lost { "  (its parent is missing) " } else { "  " });
        below(&mut text, spans, root, 2);
    }
    text
}

fn below(text: &mut String, spans: &[&SpanData], parent: &SpanData, depth: usize) {
    let id = parent.span_context.span_id();
    let mut children: Vec<_> = spans.iter().filter(|span| span.parent_span_id == id).collect();
    children.sort_by_key(|span| span.start_time);
    for child in children {
        line(text, child, &"  ".repeat(depth));
        below(text, spans, child, depth + 1);
    }
}

fn line(text: &mut String, span: &SpanData, before: &str) {
    let attributes = span.attributes.iter().map(|tag| (tag.key.as_str(), tag.value.to_string()));
    // The last of those with one key counts.
    let attributes: BTreeMap<_, _> = attributes.filter(|(key, _)| is_told(key)).collect();
    let _ = write!(text, "{before}{} {:?} {:?}", span.name, span.span_kind, span.status);
    for (key, value) in attributes {
        let _ = write!(text, " {key}={}", without_ports(&value));
    }
    for event in span.events.iter() {
        let _ = write!(text, " [{}]", event.name);
    }
    text.push('\n');
}

/// Whether an attribute is the same in each run, under each tracer.
fn is_told(key: &str) -> bool {
    const DIFFER: [&str; 8] = [
        "busy_ns",
        "code.",
        "idle_ns",
        "otel.scope.",
        "request_id",
        "tailtrace.",
        "thread.",
        "trace_id",
    ];
    !DIFFER.iter().any(|start| key.starts_with(start)) && !key.ends_with(".port")
}

fn without_ports(value: &str) -> String {
    let mut parts = value.split("127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "127.0.0.1:PORT" + part.trim_start_matches(|digit: char| digit.is_ascii_digit())
    })
}
