//! Errors as fields, and the four options about them.

use std::error::Error;
use std::fmt;

use tailtrace_side_by_side::{Peer, Sides, Value, options};
use tracing::{error, info, info_span};

/// An error with causes.
#[derive(Debug)]
struct Failure(&'static str, Option<Box<Failure>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self.1.as_ref()?)
    }
}

fn failure() -> Failure {
    let cause = Failure("no paper", Some(Box::new(Failure("no trees", None))));
    Failure("cannot print", Some(Box::new(cause)))
}

fn on_a_span(_: &dyn Peer) {
    drop(info_span!("s", a = 1, err = &failure() as &dyn Error));
}

fn on_an_event(_: &dyn Peer) {
    info_span!("s").in_scope(|| info!(a = 1, err = &failure() as &dyn Error, "failed"));
}

#[test]
fn an_error_on_a_span_says_its_message_and_its_causes() {
    let same = Sides::of(on_a_span).same_in_any_order();
    let causes = Value::texts(&["no paper", "no trees"]);
    assert_eq!(same[0].tag("err"), Some(&Value::text("cannot print")));
    assert_eq!(same[0].tag("err.chain"), Some(&causes));
    assert_eq!(same[0].tag("exception.message"), Some(&Value::text("cannot print")));
    assert_eq!(same[0].tag("exception.stacktrace"), Some(&causes));
    assert_eq!(same[0].status, "unset");
}

#[test]
fn an_error_on_an_event_is_said_of_its_span_as_well() {
    let same = Sides::of(on_an_event).same_in_any_order();
    let span = &same[0];
    assert_eq!(span.tag("exception.message"), Some(&Value::text("cannot print")));
    assert_eq!(span.tag("err"), None);
    assert_eq!((span.status.as_str(), span.log().name.as_str()), ("unset", "failed"));
    assert_eq!(span.log().field("err"), Some(&Value::text("cannot print")));
    assert_eq!(span.log().field("exception.message"), Some(&Value::text("cannot print")));
    let causes = Value::texts(&["no paper", "no trees"]);
    assert_eq!(span.log().field("exception.stacktrace"), Some(&causes));
    assert_eq!(span.log().field("err.chain"), Some(&causes));
}

#[test]
fn error_fields_need_not_be_exceptions() {
    let (theirs, ours) = options!(.with_error_fields_to_exceptions(false));
    let same = Sides::with(theirs, ours, on_a_span).same();
    assert_eq!(same[0].keys()[6..9], ["a", "err", "err.chain"]);
    let (theirs, ours) = options!(.with_error_fields_to_exceptions(false));
    let same = Sides::with(theirs, ours, on_an_event).same_in_any_order();
    assert_eq!(same[0].log().field("exception.message"), None);
    // That is the other option's.
    assert_eq!(same[0].tag("exception.message"), Some(&Value::text("cannot print")));
    // Nor is an event without a message.
    let (theirs, ours) = options!(.with_error_fields_to_exceptions(false));
    let bare = |_: &dyn Peer| {
        info_span!("s").in_scope(|| info!(err = &failure() as &dyn Error));
    };
    let same = Sides::with(theirs, ours, bare).same_in_any_order();
    assert!(same[0].log().name.starts_with("event "), "{}", same[0].log().name);
}

#[test]
fn errors_of_events_need_not_be_said_of_their_span() {
    let (theirs, ours) = options!(.with_error_records_to_exceptions(false));
    let same = Sides::with(theirs, ours, on_an_event).same_in_any_order();
    assert_eq!(same[0].tag("exception.message"), None);
    assert!(same[0].log().field("exception.message").is_some());
}

fn error_as_text(_: &dyn Peer) {
    info_span!("s").in_scope(|| info!(error = %"no paper", rows = 3));
}

#[test]
fn an_event_that_is_only_an_error_is_an_exception_and_fails_the_span() {
    let same = Sides::of(error_as_text).same_in_any_order();
    assert_eq!((&*same[0].log().name, &*same[0].status), ("exception", "error: no paper"));
    assert_eq!(same[0].log().field("exception.message"), Some(&Value::text("no paper")));
    assert_eq!(same[0].log().field("error"), None);
    assert_eq!(same[0].log().field("rows"), Some(&Value::I64(3)));
}

#[test]
fn an_event_that_is_only_an_error_need_not_be_an_exception() {
    let (theirs, ours) = options!(.with_error_events_to_exceptions(false));
    let same = Sides::with(theirs, ours, error_as_text).same();
    assert!(same[0].log().name.starts_with("event "), "{}", same[0].log().name);
    assert_eq!(same[0].log().field("error"), Some(&Value::text("no paper")));
    assert_eq!(same[0].status, "error: no paper");
}

#[test]
fn an_event_that_is_only_an_error_need_not_fail_the_span() {
    let (theirs, ours) = options!(.with_error_events_to_status(false));
    let same = Sides::with(theirs, ours, error_as_text).same_in_any_order();
    assert_eq!((&*same[0].log().name, &*same[0].status), ("exception", "unset"));
}

#[test]
fn an_error_beside_a_message_is_an_ordinary_field() {
    let same = Sides::of(|_| info_span!("s").in_scope(|| info!(error = "no paper", "failed")));
    let same = same.same();
    assert_eq!((&*same[0].log().name, &*same[0].status), ("failed", "unset"));
    assert_eq!(same[0].log().field("error"), Some(&Value::text("no paper")));
}

#[test]
fn an_error_that_is_neither_text_nor_error_is_an_ordinary_field() {
    let same = Sides::of(|_| info_span!("s").in_scope(|| info!(error = 5, ok = false)));
    let same = same.same();
    assert_eq!((same[0].log().field("error"), &*same[0].status), (Some(&Value::I64(5)), "unset"));
}

#[test]
fn difference_the_text_of_an_error_is_not_quoted_here() {
    let sides = Sides::of(|_| info_span!("s").in_scope(|| error!(error = "a")));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, &*ours.status), ("error: \"a\"", "error: a"));
    let text = |log: &tailtrace_side_by_side::Log| log.field("exception.message").cloned();
    assert_eq!(text(theirs.log()), Some(Value::text("\"a\"")));
    assert_eq!(text(ours.log()), Some(Value::text("a")));
    assert_eq!((&*theirs.log().name, &*ours.log().name), ("exception", "exception"));
}

#[test]
fn difference_a_message_after_the_error_counts_as_one_before_it_here() {
    let sides = Sides::of(|_| {
        info_span!("s").in_scope(|| info!(error = %"no paper", message = "failed"));
    });
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.log().name, &*ours.log().name), ("failed", "failed"));
    assert_eq!((&*theirs.status, &*ours.status), ("error: no paper", "unset"));
    assert_eq!(theirs.log().field("exception.message"), Some(&Value::text("no paper")));
    assert_eq!(ours.log().field("error"), Some(&Value::text("no paper")));
}

#[test]
fn difference_an_event_with_an_error_and_no_message_is_an_exception_here() {
    let sides = Sides::of(|_| {
        info_span!("s").in_scope(|| error!(err = &failure() as &dyn Error));
    });
    let (theirs, ours) = sides.span("s");
    assert!(theirs.log().name.starts_with("event "), "{}", theirs.log().name);
    assert_eq!(ours.log().name, "exception");
    assert_eq!((&*theirs.status, &*ours.status), ("error: ", "error: cannot print"));
}

#[test]
fn difference_the_type_of_an_error_is_told_here_where_it_is_known() {
    let sides = Sides::of(|_| {
        let error = "x".parse::<i32>().unwrap_err();
        let span = info_span!("s", err = &error as &dyn Error);
        span.in_scope(|| info!(err = &error as &dyn Error, "failed"));
        drop(info_span!("of ours", err = &failure() as &dyn Error));
    });
    let (theirs, ours) = sides.span("s");
    let kind = Some(Value::text("std::num::ParseIntError"));
    assert_eq!((theirs.tag("exception.type"), ours.tag("exception.type")), (None, kind.as_ref()));
    assert_eq!(theirs.log().field("exception.type"), None);
    assert_eq!(ours.log().field("exception.type"), kind.as_ref());
    let (theirs, ours) = sides.span("of ours");
    assert_eq!((theirs.tag("exception.type"), ours.tag("exception.type")), (None, None));
}

#[test]
fn difference_an_error_without_causes_has_no_chain_here() {
    let sides = Sides::of(|_| {
        let error = Failure("no paper", None);
        let span = info_span!("s", err = &error as &dyn Error);
        span.in_scope(|| info!(err = &error as &dyn Error, "failed"));
    });
    let (theirs, ours) = sides.span("s");
    let empty = Value::texts(&[]);
    assert_eq!((theirs.tag("err.chain"), ours.tag("err.chain")), (Some(&empty), None));
    assert_eq!(theirs.log().field("err.chain"), Some(&empty));
    assert_eq!(ours.log().field("err.chain"), None);
    // Dashboards look for this one.
    assert_eq!(theirs.tag("exception.stacktrace"), Some(&empty));
    assert_eq!(ours.tag("exception.stacktrace"), Some(&empty));
}

#[test]
fn difference_two_errors_on_one_span_are_one_exception_here() {
    let sides = Sides::of(|_| {
        let (one, two) = (Failure("one", None), Failure("two", None));
        let span = info_span!("s", one = &one as &dyn Error, two = &two as &dyn Error);
        span.in_scope(|| {
            info!(one = &one as &dyn Error, two = &two as &dyn Error, "failed");
        });
    });
    let (theirs, ours) = sides.span("s");
    let (one, two) = (Value::text("one"), Value::text("two"));
    assert_eq!(theirs.all("exception.message"), [&one, &two, &one, &two]);
    assert_eq!(ours.all("exception.message"), [&two]);
    let count = |keys: Vec<&str>| keys.iter().filter(|key| **key == "exception.message").count();
    assert_eq!((count(theirs.log().keys()), count(ours.log().keys())), (2, 1));
    assert_eq!((ours.tag("one"), ours.tag("two")), (Some(&one), Some(&two)));
}

#[test]
fn difference_there_is_no_stacktrace_in_the_default_here() {
    let sides = Sides::with_default_of_ours(|layer| layer, on_a_span);
    let (theirs, ours) = sides.span("s");
    assert!(theirs.tag("exception.stacktrace").is_some());
    assert_eq!(ours.keys(), ["a", "err", "err.chain", "exception.message"]);
}
