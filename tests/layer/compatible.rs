//! What `tracing-opentelemetry` does, where programs rely on it. All of it, side by side, is tested in
//! `compat/side-by-side`.

use crate::way;
use std::error::Error;

use super::support::{keeping, trace, trace_with};
use tailtrace::model::TagRef;
use tailtrace::{Pipeline, Status};
use tracing::{Level, debug, error, info, info_span};

#[test]
fn the_preset_says_the_target_of_events_whatever_spans_say() {
    let layer =
        |pipeline: &Pipeline| way::builder(pipeline).compatible().with_target(false).build();
    let outcome = trace_with(keeping(), layer, || {
        info_span!("s").in_scope(|| info!(target: "shop", "done"));
    });
    let span = outcome.span("s");
    assert_eq!(span.tag("target"), None);
    let fields: Vec<_> = span.logs().flat_map(|log| log.fields()).collect();
    assert!(fields.contains(&("target", TagRef::Str("shop"))), "{fields:?}");
}

#[test]
fn a_counting_filter_counts_the_events_it_lets_through_too() {
    let layer = |pipeline: &Pipeline| {
        let builder = way::builder(pipeline);
        builder.with_counting_event_filter(|event| *event.level() <= Level::INFO).build()
    };
    let outcome = trace_with(keeping(), layer, || {
        info_span!("s").in_scope(|| {
            info!("recorded");
            debug!("counted");
        });
    });
    let span = outcome.span("s");
    assert_eq!(span.logs().count(), 1);
    assert_eq!(span.tag("otel.tracing_event_count"), Some(TagRef::I64(2)));
}

#[test]
fn an_error_that_is_to_be_no_exception_does_not_name_its_event_so() {
    let layer =
        |pipeline: &Pipeline| way::builder(pipeline).with_error_fields_to_exceptions(false).build();
    let outcome = trace_with(keeping(), layer, || {
        let failed = std::io::Error::other("no paper");
        info_span!("s").in_scope(|| info!(failed = &failed as &dyn Error));
    });
    let span = outcome.span("s");
    let messages: Vec<_> = span.logs().map(|log| log.message()).collect();
    assert!(messages.len() == 1 && messages[0].starts_with("event "), "{messages:?}");
}

#[test]
fn the_message_of_an_error_does_not_replace_a_description_that_was_given() {
    let outcome = trace(|| {
        let span = info_span!("before", otel.status_description = "no paper");
        span.in_scope(|| error!("print failed"));
        let span = info_span!("after", otel.status_description = tracing::field::Empty);
        span.in_scope(|| error!("print failed"));
        span.record("otel.status_description", "no ink");
        let span = info_span!("never");
        span.in_scope(|| {
            error!("first");
            error!(error = "cause", "second");
        });
        let span = info_span!("returned");
        span.in_scope(|| {
            error!("first");
            error!(error = "returned");
        });
    });
    let status = |name: &str| outcome.span(name).status();
    assert_eq!(status("before"), Status::error("no paper"));
    assert_eq!(status("after"), Status::error("no ink"));
    assert_eq!(status("never"), Status::error("first"));
    assert_eq!(status("returned"), Status::error("returned"));
}
