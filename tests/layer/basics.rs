//! Names, fields, events.

use super::support::{keeping, trace, trace_with};
use crate::way;
use tailtrace::model::TagRef;
use tailtrace::{LogLevel, SpanKind, Status, TagValue};
use tracing::{Level, error, field, info, info_span};

#[test]
fn a_span_has_its_name_and_its_fields_with_their_types() {
    let outcome = trace(|| {
        let text = String::from("owned");
        drop(info_span!(
            "s",
            a = true, b = -3_i64, c = 3_u64, d = 1.5, e = "text", f = %text, g = ?Some(1), h = &[1_u8, 2][..],
        ));
    });
    let span = outcome.span("s");
    assert_eq!(span.tag("a"), Some(TagRef::Bool(true)));
    assert_eq!(span.tag("b"), Some(TagRef::I64(-3)));
    assert_eq!(span.tag("c"), Some(TagRef::I64(3)));
    assert_eq!(span.tag("d"), Some(TagRef::F64(1.5)));
    assert_eq!(span.tag("e"), Some(TagRef::Str("text")));
    assert_eq!(span.tag("f"), Some(TagRef::Str("owned")));
    assert_eq!(span.tag("g"), Some(TagRef::Str("Some(1)")));
    assert_eq!(span.tag("h"), Some(TagRef::Bytes(&[1, 2])));
}

#[test]
fn whole_numbers_beyond_i64_become_decimal_text() {
    let outcome = trace(|| {
        drop(info_span!("s", a = u64::MAX, b = u128::MAX, c = i128::MIN, d = 7_u128));
    });
    let span = outcome.span("s");
    let text = |key| span.tag(key).map(TagRef::to_value);
    assert_eq!(text("a"), Some(TagValue::from("18446744073709551615")));
    assert_eq!(text("b"), Some(TagValue::from(u128::MAX.to_string())));
    assert_eq!(text("c"), Some(TagValue::from(i128::MIN.to_string())));
    assert_eq!(text("d"), Some(TagValue::I64(7)));
}

#[test]
fn a_field_recorded_again_keeps_the_last_value() {
    let outcome = trace(|| {
        let span = info_span!("s", a = 1, b = field::Empty);
        span.record("a", 2).record("b", "first").record("b", 3);
    });
    let span = outcome.span("s");
    assert_eq!(span.tags().collect::<Vec<_>>(), [("a", TagRef::I64(2)), ("b", TagRef::I64(3))]);
}

#[test]
fn special_fields_are_honoured_until_the_span_closes() {
    let outcome = trace(|| {
        let span = info_span!(
            "s",
            otel.name = field::Empty,
            otel.kind = field::Empty,
            otel.status_code = field::Empty,
            otel.status_description = field::Empty
        );
        let inside = span.enter();
        drop(info_span!("child"));
        drop(inside);
        span.record("otel.name", "GET /orders").record("otel.kind", field::display("Server"));
        span.record("otel.status_description", field::debug("late"));
        span.record("otel.status_code", "ERROR");
    });
    let span = outcome.span("GET /orders");
    assert_eq!(span.kind(), SpanKind::Server);
    assert_eq!(span.status(), Status::error("\"late\""));
    assert_eq!(span.tags().count(), 0);
}

#[test]
fn an_event_is_a_log_entry_of_its_span() {
    let outcome = trace(|| {
        let span = info_span!("outer").entered();
        drop(info_span!("inner"));
        info!(rows = 3, "done");
        tracing::event!(name: "by name", Level::DEBUG, x = 1);
        drop(span);
        info!("in no span");
    });
    let span = outcome.span("outer");
    let logs: Vec<_> = span.logs().collect();
    assert_eq!(logs.len(), 2);
    assert_eq!((logs[0].level(), logs[0].message()), (LogLevel::Info, "done"));
    assert_eq!(logs[0].fields().collect::<Vec<_>>(), [("rows", TagRef::I64(3))]);
    assert_eq!((logs[1].level(), logs[1].message()), (LogLevel::Debug, "by name"));
    assert_eq!(span.status(), Status::Unset);
}

#[test]
fn an_event_at_the_level_error_makes_the_status_an_error() {
    let outcome = trace(|| {
        let _span = info_span!("s").entered();
        error!("no more paper");
    });
    assert_eq!(outcome.span("s").status(), Status::error("no more paper"));
}

#[test]
fn the_compatible_preset_says_what_tracing_opentelemetry_says() {
    let compatible = |pipeline: &_| way::builder(pipeline).compatible().build();
    let outcome = trace_with(keeping(), compatible, || drop(info_span!("s", a = 1)));
    let keys: Vec<_> = outcome.span("s").tags().map(|(key, _)| key.to_owned()).collect();
    assert_eq!(
        keys,
        [
            "code.file.path",
            "code.module.name",
            "code.line.number",
            "thread.id",
            "thread.name",
            "target",
            "a",
            "busy_ns",
            "idle_ns",
        ]
    );
}

#[test]
fn a_pipeline_that_ends_without_having_seen_a_span_asks_for_the_subscriber() {
    use super::support::Heard;
    use tracing_subscriber::prelude::*;

    let heard = Heard::default();
    let _default = tracing_subscriber::registry().with(heard.clone()).set_default();
    let start = || keeping().with_exporter(tailtrace::InMemoryExporter::new()).start().unwrap();
    let used = start();
    drop(used.tracer().start_span("s"));
    drop(used);
    assert_eq!(heard.said(), "");
    drop(start());
    let said = heard.said();
    assert!(said.contains("no span arrived during the whole life"), "{said}");
}
