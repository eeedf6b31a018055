//! What errors say of spans and events.

use crate::way;
use std::error::Error;
use std::io;

use super::support::{keeping, trace, trace_with};
use tailtrace::model::TagRef;
use tailtrace::{Pipeline, Status};
use tracing::{error, info, info_span, warn};

#[derive(Debug, thiserror::Error)]
#[error("order failed")]
struct OrderFailed(#[source] io::Error);

fn order_failed() -> OrderFailed {
    OrderFailed(io::Error::new(io::ErrorKind::TimedOut, "no answer"))
}

type Dyn<'e> = &'e (dyn Error + 'static);

#[test]
fn an_error_of_a_span_says_its_message_and_its_causes() {
    let outcome = trace(|| {
        drop(info_span!("span", failure = &order_failed() as Dyn<'_>));
    });
    assert_eq!(
        outcome.trees(),
        "span failure=\"order failed\" failure.chain=[\"no answer\"] \
         exception.message=\"order failed\""
    );
}

#[test]
fn an_error_whose_type_is_known_says_it() {
    let outcome = trace(|| {
        let parsed = "x".parse::<i32>().unwrap_err();
        drop(info_span!("span", failure = &parsed as Dyn<'_>));
    });
    let span = outcome.span("span");
    assert_eq!(span.tag("exception.type"), Some(TagRef::Str("std::num::ParseIntError")));
    assert_eq!(span.tag("failure.chain"), None);
}

#[test]
fn an_error_of_an_event_is_said_of_its_span_as_well() {
    let outcome = trace(|| {
        let _span = info_span!("span").entered();
        warn!(cause = &order_failed() as Dyn<'_>, "trying again");
    });
    let span = outcome.span("span");
    assert_eq!(span.tag("exception.message"), Some(TagRef::Str("order failed")));
    let log = span.logs().next().unwrap();
    let mut fields: Vec<_> = log.fields().map(|(key, value)| format!("{key}={value}")).collect();
    fields.sort();
    assert_eq!(log.message(), "trying again");
    assert_eq!(
        fields,
        ["cause.chain=[\"no answer\"]", "cause=order failed", "exception.message=order failed"]
    );
    assert_eq!(outcome.span("span").status(), Status::Unset);
}

#[test]
fn an_event_at_error_makes_the_status_an_error_with_the_most_telling_words() {
    let status = |said: fn()| {
        let outcome = trace(|| info_span!("span").in_scope(said));
        outcome.span("span").status()
    };
    assert_eq!(status(|| error!("message")), Status::error("message"));
    assert_eq!(status(|| error!(error = "field", "message")), Status::error("field"));
    let with_error = || error!(cause = &order_failed() as Dyn<'_>, "message");
    assert_eq!(status(with_error), Status::error("order failed"));
    assert_eq!(status(|| error!(code = 7)), Status::error(""));
    assert_eq!(status(|| warn!("message")), Status::Unset);
}

#[test]
fn a_good_status_said_on_purpose_stays() {
    let outcome = trace(|| {
        info_span!("good", otel.status_code = "ok").in_scope(|| error!("not so bad"));
    });
    assert_eq!(outcome.span("good").status(), Status::Ok);
}

#[test]
fn an_event_with_nothing_but_an_error_is_an_exception() {
    #[tracing::instrument(err)]
    fn fails() -> Result<(), OrderFailed> {
        Err(order_failed())
    }
    let outcome = trace(|| {
        fails().unwrap_err();
        info_span!("info").in_scope(|| info!(error = "at any level"));
    });
    assert_eq!(
        outcome.trees(),
        "fails error: \"order failed\"\n     error: \"exception\" \
         exception.message=\"order failed\"\n\
         info error: \"at any level\"\n     info: \"exception\" \
         exception.message=\"at any level\""
    );
}

#[test]
fn an_error_beside_a_message_stays_a_field() {
    let outcome = trace(|| {
        info_span!("span").in_scope(|| info!(error = "detail", "message"));
    });
    assert_eq!(outcome.trees(), "span\n     info: \"message\" error=\"detail\"");
}

#[test]
fn every_mapping_can_be_turned_off() {
    let plain = |pipeline: &Pipeline| {
        way::builder(pipeline)
            .with_error_fields_to_exceptions(false)
            .with_error_records_to_exceptions(false)
            .with_error_events_to_exceptions(false)
            .with_error_events_to_status(false)
            .build()
    };
    let outcome = trace_with(keeping(), plain, || {
        let span = info_span!("span", failure = &order_failed() as Dyn<'_>).entered();
        info!(error = "detail");
        info!(cause = &order_failed() as Dyn<'_>, "said");
        drop(span);
    });
    let span = outcome.span("span");
    assert_eq!((span.status(), span.tag("exception.message")), (Status::Unset, None));
    let exceptions = |log: tailtrace::trace::LogRef<'_>| {
        log.fields().filter(|(key, _)| key.starts_with("exception")).count()
    };
    assert_eq!(span.logs().map(exceptions).sum::<usize>(), 0);
}

#[test]
fn a_span_that_failed_counts_as_an_error_for_the_tail() {
    let errors = || Pipeline::builder("layer").with_tail(tailtrace::Errors);
    let outcome = trace_with(errors(), way::plain, || {
        info_span!("fine").in_scope(|| info!("fine"));
        info_span!("failed").in_scope(|| info_span!("below").in_scope(|| error!("bad")));
        let late = info_span!("late", otel.status_description = tracing::field::Empty);
        late.record("otel.status_description", "bad");
    });
    let mut names = outcome.names();
    names.sort_unstable();
    assert_eq!(names, ["below", "failed"].iter().chain(&["late"]).copied().collect::<Vec<_>>());
}
