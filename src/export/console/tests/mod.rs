//! Drawings of traces.

mod properties;
mod writers;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::export::escape::columns;
use crate::model::{LogLevel, Resource, SpanId, SpanKind, TraceContext, TraceId};
use crate::testing::{block_on, kept_by, span, trace};
use crate::trace::{KeepReason, Span};

fn console() -> ConsoleExporterBuilder {
    ConsoleExporter::builder().with_writer(io::sink())
}

fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn order() -> Trace {
    let query = span("database_query")
        .kind(SpanKind::Client)
        .starting_after(us(14_000))
        .lasting(us(96_300))
        .tag("db.system", "postgresql")
        .tag("db.statement", "select 1")
        .log(LogLevel::Info, "query executed")
        .child(span("acquire_connection").lasting(us(30_100)))
        .child(span("read_rows").lasting(us(61_000)));
    let call = span("external_api")
        .kind(SpanKind::Client)
        .starting_after(us(112_000))
        .lasting(us(150_000))
        .error("connection timed out: payments.internal:443 did not answer within 150 ms")
        .child(span("connect").lasting(us(148_000)).error(""));
    let root = span("POST /orders")
        .kind(SpanKind::Server)
        .lasting(us(312_400))
        .child(span("authenticate").lasting(us(12_400)))
        .child(query)
        .child(call)
        .child(
            span("publish").kind(SpanKind::Producer).starting_after(us(305_000)).lasting(us(810)),
        );
    kept_by(trace(root), "Errors").with_resource(Resource::new("checkout"))
}

/// A trace of spans with these names, ids and parents; times grow with the position.
fn raw(spans: impl IntoIterator<Item = (String, u64, Option<u64>)>) -> Trace {
    let id = TraceId::from_bits(7).unwrap();
    let mut trace = Trace::new(id);
    for (at, (name, span, parent)) in (1..).zip(spans) {
        let mut context = TraceContext::new(id, SpanId::from_bits(span).unwrap());
        context.parent_span_id = parent.and_then(SpanId::from_bits);
        let start = std::time::UNIX_EPOCH + us(at);
        let mut span = Span::started_at(name, context, start);
        span.finish_at(start + us(5));
        trace.add_span(span);
    }
    trace
}

fn assert_fits(drawing: &str, width: usize) {
    for line in drawing.lines() {
        assert!(columns(line) <= width, "{width} columns: {line:?}");
        assert_eq!(line, line.trim_end());
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn a_trace_is_drawn_as_a_tree_with_bars_to_scale() {
    let drawing = console().build().render(&order());
    assert_eq!(
        drawing,
        "\
── checkout · POST /orders ─────────────────────────────────────────────────────────────────────────
✗ 2 errors · 312 ms · 8 spans · kept by Errors · 4bf92f3577b34da6a3ce929d0e0e4736
POST /orders server        312 ms  █████████████████████████████████████████████████████████████████
├─ authenticate           12.4 ms  ██▌
├─ database_query client  96.3 ms    ▕███████████████████▉
│  ├─ acquire_connection  30.1 ms    ▕██████▏
│  └─ read_rows             61 ms           ████████████▊
├─ ✗ external_api client   150 ms                         ███████████████████████████████▌
│  │    connection timed out: payments.internal:443 did not answer within 150 ms
│  └─ ✗ connect            148 ms                         ███████████████████████████████
└─ publish producer        810 µs                                                                 ▋
"
    );
    assert_fits(&drawing, 100);
}

#[test]
fn facts_that_do_not_fit_beside_the_title_follow_on_a_line_of_their_own() {
    let drawing = console().with_width(60).build().render(&order());
    assert_eq!(
        drawing,
        "\
── checkout · POST /orders ─────────────────────────────────
✗ 2 errors · 312 ms · 8 spans · kept by Errors
4bf92f3577b34da6a3ce929d0e0e4736
POST /orders server        312 ms  █████████████████████████
├─ authenticate           12.4 ms  ▉
├─ database_query client  96.3 ms   ███████▊
│  ├─ acquire_connection  30.1 ms   ██▌
│  └─ read_rows             61 ms     ▐████▍
├─ ✗ external_api client   150 ms          ▕███████████▉
│  │    connection timed out: payments.internal:443 did not
│  │    answer within 150 ms
│  └─ ✗ connect            148 ms          ▕███████████▊
└─ publish producer        810 µs                          ▌
"
    );
    assert_fits(&drawing, 60);
}

#[test]
fn tags_and_logs_stand_below_their_span_on_request() {
    let made = trace(
        span("GET /cart")
            .tag("http.url", "/cart?a=b")
            .tag("user", "x y\n")
            .tag("retries", 3)
            .child(
                span("query")
                    .lasting(us(2_000))
                    .starting_after(us(1_500))
                    .log(LogLevel::Info, "executed\x1b[2J")
                    .log(
                        LogLevel::Warn,
                        "a sentence that takes more than the one line it has in this drawing",
                    )
                    .child(span("row")),
            ),
    );
    assert_eq!(console().with_width(70).build().render(&made).lines().count(), 5);
    let drawing = console().with_width(70).with_tags(true).with_logs(true).build().render(&made);
    assert_eq!(
        drawing,
        "\
── unknown_service · GET /cart ───────────────────────────────────────
3.5 ms · 3 spans · 4bf92f3577b34da6a3ce929d0e0e4736
GET /cart  3.5 ms  ███████████████████████████████████████████████████
│    http.url=\"/cart?a=b\"  user=\"x y\\n\"  retries=3
└─ query     2 ms                       ▕█████████████████████████████
   │    +1.5 ms INFO  executed\\u{1b}[2J
   │    +1.5 ms WARN  a sentence that takes more than the one line it
   │                  has in this drawing
   └─ row    1 ms                       ▕██████████████▍
"
    );
    assert_fits(&drawing, 70);
}

#[test]
fn an_error_without_a_description_shows_its_last_error_log() {
    let made = trace(
        span("a")
            .log(LogLevel::Error, "first")
            .log(LogLevel::Error, "disk on fire")
            .log(LogLevel::Info, "noise")
            .error(""),
    );
    let drawing = console().build().render(&made);
    assert!(drawing.ends_with("\n     disk on fire\n"), "{drawing}");
}

#[test]
fn colours_add_nothing_but_colours() {
    let plain = console().with_tags(true).with_logs(true).build();
    let painted = console().with_tags(true).with_logs(true).with_color(true).build();
    let plain = plain.render(&order());
    let painted = painted.render(&order());
    let mut stripped = String::new();
    for (index, part) in painted.split("\x1b[").enumerate() {
        let text = match index {
            0 => part,
            _ => part.split_once('m').unwrap().1,
        };
        stripped.push_str(text);
    }
    assert_eq!(stripped, plain);
    assert_ne!(painted, plain);
    // A program that filters lines never cuts a colour in two.
    for line in painted.lines().filter(|line| line.contains('\x1b')) {
        let on = line.matches("\x1b[").count();
        let off = line.matches("\x1b[0m").count();
        assert_eq!(on, 2 * off, "{line:?}");
    }
}

#[test]
fn late_spans_and_open_spans_say_so() {
    let late = raw([("a".to_owned(), 1, None)]).with_reason(KeepReason {
        policy: "Errors".into(),
        is_late: true,
        ..KeepReason::default()
    });
    let drawing = console().build().render(&late);
    let facts = "─ late · 5 µs · 1 span · kept by Errors · 00000000000000000000000000000007\n";
    assert!(drawing.contains(facts), "{drawing}");
    let mut open = Trace::new(TraceId::from_bits(7).unwrap());
    let context = TraceContext::new(open.trace_id(), SpanId::new());
    open.add_span(Span::started_at("a", context, std::time::UNIX_EPOCH));
    assert!(console().build().render(&open).ends_with("\na  open  ▏\n"));
    let none = Trace::new(TraceId::from_bits(7).unwrap());
    assert!(
        console()
            .build()
            .render(&none)
            .ends_with("─ 0 ns · 0 spans · 00000000000000000000000000000007\n")
    );
}

#[test]
fn spans_of_one_id_circles_and_orphans_are_drawn_once() {
    let made = raw([
        ("orphan".to_owned(), 1, Some(99)),
        ("self".to_owned(), 2, Some(2)),
        ("circle b".to_owned(), 3, Some(4)),
        ("circle a".to_owned(), 4, Some(3)),
        ("twin".to_owned(), 1, Some(1)),
        ("child".to_owned(), 5, Some(1)),
    ]);
    let drawing = console().with_width(40).build().render(&made);
    let tree: Vec<_> = drawing.lines().skip(3).collect();
    assert_eq!(
        tree,
        [
            "orphan       5 µs  ██████████▌",
            "├─ twin      5 µs          ▐█████████▉",
            "└─ child     5 µs            ▐██████████",
            "self         5 µs    ██████████▌",
            "circle b     5 µs      ██████████▋",
            "└─ circle a  5 µs        ██████████▊",
        ]
    );
}

#[test]
fn many_spans_are_left_out_in_the_middle_but_no_error() {
    let mut root = span("batch");
    for index in 0..400 {
        let mut item = span(format!("item {index}")).child(span("part"));
        if index == 150 {
            item = item.child(span("step").child(span("write").error("disk full")));
        }
        root = root.child(item);
    }
    let drawing = console().with_width(60).build().render(&trace(root));
    let lines: Vec<_> = drawing.lines().collect();
    assert!(lines.len() < 150);
    let gap = lines.iter().position(|line| line.contains('⋮')).unwrap();
    let middle = lines.get(gap..gap + 7).unwrap();
    let tree: Vec<_> =
        middle.iter().map(|line| line.trim_end_matches(|c| " ▏▎▍▌▋▊▉█▐▕".contains(c))).collect();
    assert_eq!(
        tree,
        [
            "⋮  201 spans not drawn",
            "├─ item 150         2 ms",
            "│  ⋮  1 span not drawn",
            "│  └─ step          1 ms",
            "│     └─ ✗ write    1 ms",
            "│             disk full",
            "⋮  468 spans not drawn",
        ]
    );
    // Nothing is forgotten: what is drawn and what is not make the whole.
    let not_spans = ["title", "facts", "id", "⋮", "⋮", "⋮", "disk full"];
    let drawn = lines.len() - not_spans.len();
    assert_eq!(drawn + 201 + 1 + 468, 803);
}

#[test]
fn of_many_errors_only_some_are_drawn_and_the_rest_counted() {
    let mut root = span("batch");
    for index in 0..2_000 {
        root = root.child(span(format!("item {index}")).error("broken"));
    }
    let drawing = console().build().render(&trace(root));
    let shown = drawing.lines().filter(|line| line.contains("✗ item")).count();
    assert_eq!(shown, 199);
    assert!(drawing.contains("⋮  1,801 spans not drawn, 1,801 errors among them\n"));
}

#[test]
fn a_chain_of_thousands_keeps_within_the_width() {
    let chain = (1..=5_000_u64).map(|id| (format!("level {id}"), id, Some(id - 1)));
    let made = raw(chain);
    for width in [40, 80, 160] {
        let drawing = console().with_width(width).build().render(&made);
        assert_fits(&drawing, width);
        assert!(drawing.contains("└─ (4999) lev"), "{drawing}");
    }
}
