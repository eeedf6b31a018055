//! What becomes of events.

use super::support::{keeping, trace, trace_with};
use crate::way;
use tailtrace::model::{Limits, TagRef};
use tailtrace::record::RecordLimits;
use tailtrace::{LogLevel, Pipeline};
use tracing::{Level, debug, error, event, field, info, info_span, trace as say, warn};

#[test]
fn an_event_goes_to_its_explicit_parent_wherever_the_thread_is() {
    let outcome = trace(|| {
        let (first, second) = (info_span!("first"), info_span!("second"));
        let _inside = first.enter();
        info!(parent: &second, "to second");
        info!(parent: second.id(), "to second too");
    });
    assert_eq!(outcome.logs("first"), Vec::<&str>::new());
    assert_eq!(outcome.logs("second"), ["to second", "to second too"]);
}

#[test]
fn an_event_without_a_span_is_recorded_nowhere() {
    let outcome = trace(|| {
        let span = info_span!("span");
        let id = span.id();
        span.in_scope(|| {
            info!(parent: None, "outside of all spans");
            error!(parent: None, "not the span's fault");
        });
        drop(span);
        info!(parent: id, "too late");
        info!("outside");
    });
    assert_eq!(outcome.trees(), "span");
}

#[test]
fn levels_messages_and_fields_arrive_as_they_are() {
    let outcome = trace(|| {
        let _span = info_span!("span").entered();
        say!(a = 1, "trace");
        debug!(b = true, "debug");
        info!(c = 1.5, "info {}", 1);
        warn!(d = ?Some("x"), "warn");
        error!(e = %"y", "error");
    });
    assert_eq!(
        outcome.trees(),
        "span error: \"error\"\n     trace: \"trace\" a=1\n     debug: \"debug\" b=true\n     \
         info: \"info 1\" c=1.5\n     warn: \"warn\" d=\"Some(\\\"x\\\")\"\n     \
         error: \"error\" e=\"y\""
    );
}

#[test]
fn an_event_without_a_message_is_called_by_its_name() {
    let outcome = trace(|| {
        let _span = info_span!("span").entered();
        event!(name: "order.placed", Level::INFO, order = 1);
        info!(message = "by a field");
        info!(message = 7);
        info!("");
    });
    let logs = outcome.logs("span");
    assert_eq!(logs[..2], ["order.placed", "by a field"]);
    assert_eq!(logs[3], "", "an empty message is one");
}

#[test]
fn whole_numbers_beyond_i64_are_decimal_text_in_events_too() {
    let outcome = trace(|| {
        let _span = info_span!("span").entered();
        info!(a = u64::MAX, b = u128::MAX, c = i128::MIN, d = 7_u64, e = 8_u128, "said");
    });
    let span = outcome.span("span");
    let log = span.logs().next().unwrap();
    let fields: Vec<_> = log.fields().map(|(key, value)| (key, value.to_string())).collect();
    let text = |number: String| format!("{number:?}").trim_matches('"').to_owned();
    assert_eq!(fields[0].1.trim_matches('"'), text(u64::MAX.to_string()));
    assert_eq!(fields[1].1.trim_matches('"'), text(u128::MAX.to_string()));
    assert_eq!(fields[2].1.trim_matches('"'), text(i128::MIN.to_string()));
    assert_eq!(log.fields().nth(3), Some(("d", TagRef::I64(7))));
    assert_eq!(log.fields().nth(4), Some(("e", TagRef::I64(8))));
}

#[test]
fn values_are_cut_at_the_limit_and_counted() {
    let span = Limits::default().with_value_bytes(8).with_text_bytes(8);
    let limits = RecordLimits::default().with_span(span);
    let outcome = trace_with(keeping().with_limits(limits), way::plain, || {
        let span = info_span!("span", a = "123456789", b = %"123456789", c = "12345678");
        let _inside = span.enter();
        info!(d = "123456789", e = &b"123456789"[..], "ninechars");
        info!("{}", "ninechars");
        span.record("c", "ééééé");
    });
    assert_eq!(
        outcome.trees(),
        "span a=\"12345678\" b=\"12345678\" c=\"éééé\"\n     \
         info: \"ninechar\" d=\"12345678\" e=3132333435363738\n     info: \"ninechar\""
    );
    assert_eq!(outcome.stats.cut_values, 7);
}

#[test]
fn a_counting_filter_counts_what_it_does_not_record() {
    let counting = |pipeline: &Pipeline| {
        let matters = |metadata: &tracing::Metadata<'_>| *metadata.level() <= Level::WARN;
        way::builder(pipeline).with_counting_event_filter(matters).build()
    };
    let outcome = trace_with(keeping(), counting, || {
        info_span!("span").in_scope(|| (0..5).for_each(|_| info!("noise")));
        info_span!("heard").in_scope(|| warn!("heard"));
        drop(info_span!("silent"));
    });
    assert_eq!((outcome.logs("span"), outcome.logs("heard")), (vec![], vec!["heard"]));
    let count = |name| outcome.span(name).tag("otel.tracing_event_count");
    assert_eq!((count("span"), count("silent")), (Some(TagRef::I64(5)), Some(TagRef::I64(0))));
}

#[test]
fn an_error_that_is_only_counted_still_fails_the_span() {
    let counting =
        |pipeline: &Pipeline| way::builder(pipeline).with_counting_event_filter(|_| false).build();
    let outcome = trace_with(keeping(), counting, || {
        info_span!("span").in_scope(|| error!("bad"));
    });
    assert!(outcome.span("span").is_error());
    assert_eq!(outcome.span("span").logs().count(), 0);
}

#[test]
fn at_the_limit_of_entries_errors_come_first() {
    let outcome = trace(|| {
        let _span = info_span!("span").entered();
        (0..1_000).for_each(|n| info!(n, "entry"));
        error!("the one that matters");
    });
    let span = outcome.span("span");
    assert_eq!(span.logs().count(), usize::from(Limits::default().logs));
    assert!(span.logs().any(|log| log.level() == LogLevel::Error));
}

#[test]
fn events_say_more_when_asked_to() {
    let all =
        |pipeline: &Pipeline| way::builder(pipeline).with_location(true).with_target(true).build();
    let outcome = trace_with(keeping(), all, || {
        info_span!("span").in_scope(|| info!(target: "shop", a = 1, "said"));
    });
    let span = outcome.span("span");
    let log = span.logs().next().unwrap();
    let keys: Vec<_> = log.fields().map(|(key, _)| key.to_owned()).collect();
    assert_eq!(keys, ["target", "a", "code.file.path", "code.module.name", "code.line.number"]);
    assert_eq!(log.fields().next(), Some(("target", TagRef::Str("shop"))));
}

#[test]
fn fields_that_are_empty_or_absent_are_left_out() {
    let outcome = trace(|| {
        let none: Option<u32> = None;
        let span = info_span!("span", a = field::Empty, b = none, c = Some(3));
        span.in_scope(|| info!(d = none, e = Some("x"), "said"));
    });
    assert_eq!(outcome.trees(), "span c=3\n     info: \"said\" e=\"x\"");
}
