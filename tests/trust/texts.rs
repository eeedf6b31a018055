//! The heap against the limits, for each kind of text that a span of ours brings.

use tailtrace::adapter::TagKey;
use tailtrace::model::Link;
use tailtrace::propagation::{CompositePropagator, Propagator};
use tailtrace::{Incoming, LogLevel, SpanGuard, Status, TagValue};

use crate::holders::{Holder, LIMIT, excess};
use crate::{alone, headers};

/// Writes one kind of text into a span; the number is another for each.
type Write = fn(&SpanGuard, u64);

/// Each kind, with about what one span takes.
const KINDS: [(&str, usize, Write); 13] = [
    ("bare", 500, |_, _| {}),
    ("names", 10_000, |span, number| {
        let mut name = String::with_capacity(10_000);
        name.push_str(&number.to_string());
        span.set_name(name);
    }),
    ("long names", 10_000, |span, number| {
        span.set_name(format!("{number:010000}"));
    }),
    ("statuses", 10_000, |span, number| {
        span.set_status(Status::error(format!("{number:010000}")));
    }),
    ("lent keys", 16_000, |span, number| {
        for tag in 0..65 {
            span.set_tag(TagKey::lent(&format!("key {number}/{tag:0200}")), tag);
        }
    }),
    ("owned keys", 4_000, |span, number| {
        for tag in 0..65 {
            span.set_tag(format!("{number}/{tag:020}"), true);
        }
    }),
    ("texts", 6_000, |span, number| {
        for tag in 0..65 {
            let mut text = String::with_capacity(200);
            text.push_str(&number.to_string());
            span.set_tag(format!("key {tag}"), text);
        }
    }),
    ("bytes", 20_000, |span, _| {
        span.set_tag("bytes", TagValue::Bytes(vec![7; 16_000]));
    }),
    ("arrays", 60_000, |span, number| {
        span.set_tag("numbers", TagValue::I64Array(vec![number as i64; 2_000]));
        span.set_tag("switches", TagValue::BoolArray(vec![true; 10_000]));
        span.set_tag("texts", vec![number.to_string(); 1_000]);
    }),
    ("values that are set anew", 20_000, |span, number| {
        for time in 0..20 {
            span.set_tag("again", format!("{number:0len$}", len = 100 * (time + 1)));
        }
    }),
    ("logs", 30_000, |span, number| {
        for entry in 0..65 {
            span.log(LogLevel::Info, format!("{number:0400} {entry}"));
        }
    }),
    ("log fields", 20_000, |span, number| {
        for entry in 0..3 {
            let fields = (0..65).map(|field| (format!("{entry} {field:050}"), number as i64));
            span.log_with_fields(LogLevel::Info, "fields", fields);
        }
    }),
    ("links", 30_000, |span, number| {
        for link in 0..3 {
            let headers = headers(number * 3 + link);
            let mut incoming = Incoming::default();
            CompositePropagator::default().extract(&headers, &mut incoming);
            let context = incoming.into_context().unwrap();
            span.add_link(Link::new(context).with_tag(format!("{link:0500}"), "v"));
        }
    }),
];

#[test]
fn whatever_a_span_brings_is_weighed_by_all_who_hold_it() {
    let _alone = alone();
    let mut found = Vec::new();
    for holder in [Holder::Live, Holder::Ring, Holder::Queue] {
        // The handle of an open span is the program's, also when the span was evicted: none is bare.
        let first = usize::from(matches!(holder, Holder::Live));
        for (kind, bytes, write) in KINDS.into_iter().skip(first) {
            found.extend(excess(holder, kind, 0, |pipeline| {
                let tracer = pipeline.tracer();
                let spans = (0..(3 * LIMIT / bytes) as u64).map(|number| {
                    let span = tracer.start_span("GET");
                    write(&span, number);
                    matches!(holder, Holder::Live).then_some(span)
                });
                // The program holds no place for a span that has ended.
                spans.flatten().collect::<Vec<_>>()
            }));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
