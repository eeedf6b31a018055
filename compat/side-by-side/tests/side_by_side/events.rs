//! Events become log entries.

use std::sync::Once;

use tailtrace_side_by_side::{Log, Peer, Sides, Value};
use tracing::{Level, error, event, info, info_span, warn};

/// The span named "s".
#[track_caller]
fn names(sides: Sides) -> Vec<String> {
    let same = sides.same();
    let span = same.into_iter().find(|span| span.name == "s").unwrap();
    span.logs.into_iter().map(|log| log.name).collect()
}

#[test]
fn the_message_is_the_name() {
    let names = names(Sides::of(|_| {
        info_span!("s").in_scope(|| {
            info!("literal");
            info!("formatted {}", 1);
            info!(a = 1, "after fields");
            info!(message = "as a field");
            info!(message = ?"debugged", b = 2);
            info!({ c = 3 }, "in braces");
        });
    }));
    let expected =
        ["literal", "formatted 1", "after fields", "as a field", "\"debugged\"", "in braces"];
    assert_eq!(names, expected);
}

#[test]
fn difference_a_message_that_is_no_text_is_an_ordinary_field_here() {
    let sides = Sides::of(|_| info_span!("s").in_scope(|| info!(message = 5, a = true)));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.log().name, theirs.log().field("message")), ("5", None));
    assert!(ours.log().name.starts_with("event "), "{}", ours.log().name);
    assert_eq!(ours.log().field("message"), Some(&Value::I64(5)));
}

#[test]
fn difference_an_empty_message_stays_empty_here() {
    let sides = Sides::of(|_| info_span!("s").in_scope(|| info!("")));
    let (theirs, ours) = sides.span("s");
    assert!(theirs.log().name.starts_with("event "), "{}", theirs.log().name);
    assert_eq!(ours.log().name, "");
}

#[test]
fn an_event_without_a_message_has_the_name_of_its_callsite() {
    let names = names(Sides::of(|_| {
        info_span!("s").in_scope(|| {
            event!(name: "of its own", Level::INFO, rows = 3);
            info!(rows = 3);
        });
    }));
    assert_eq!(names[0], "of its own");
    assert!(names[1].starts_with("event ") && names[1].contains("events.rs:"), "{names:?}");
}

#[test]
fn an_event_goes_to_its_explicit_parent_or_the_current_span_or_nowhere() {
    let same = Sides::of(|_| {
        let other = info_span!("other");
        info!("in no span");
        info_span!("s").in_scope(|| {
            info!("current");
            info!(parent: &other, "explicit");
            info!(parent: None, "none");
        });
        info!(parent: &other, "from outside");
    });
    let same = same.same();
    let names = |at: usize| {
        same[at].logs.iter().map(|log| log.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    assert_eq!((names(0), names(1)), ("explicit, from outside".to_owned(), "current".to_owned()));
}

#[test]
fn levels_below_error_leave_the_status_alone() {
    let same = Sides::of(|_| info_span!("s").in_scope(|| warn!(failed = true, "no paper")));
    assert_eq!(same.same()[0].status, "unset");
}

#[test]
fn an_event_at_the_level_error_fails_a_span_that_is_not_ok() {
    let same = Sides::of(|_| {
        let span = info_span!("s", otel.status_code = "ok");
        span.in_scope(|| error!("no paper"));
    });
    assert_eq!(same.same()[0].status, "ok");
}

#[test]
fn difference_the_message_of_an_error_is_the_description_here() {
    let program = |_: &dyn Peer| info_span!("s").in_scope(|| error!(tries = 3, "no paper"));
    let sides = Sides::of(program);
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, &*ours.status), ("error: ", "error: no paper"));
    assert_eq!(theirs.logs, ours.logs);
    let sides = Sides::of(|_| error!(parent: &info_span!("s"), "before it is entered"));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, &*ours.status), ("error: ", "error: before it is entered"));
}

#[test]
fn a_description_that_was_given_outlives_the_message_of_an_error() {
    let same = Sides::of(|peer| {
        let span = info_span!("s", otel.status_description = "no paper");
        span.in_scope(|| error!("print failed"));
        let span = info_span!("t");
        span.in_scope(|| {
            peer.set_status(&span, Some("no ink"));
            error!("print failed");
        });
    });
    let same = same.same();
    assert_eq!((&*same[0].status, &*same[1].status), ("error: no paper", "error: no ink"));
}

#[test]
fn difference_a_full_span_keeps_the_error_here() {
    let sides = Sides::of(|_| {
        info_span!("s").in_scope(|| {
            (0..200).for_each(|number| info!(number, "working"));
            error!("no paper");
        });
    });
    let (theirs, ours) = sides.span("s");
    let last = |logs: &[Log]| logs.last().unwrap().name.clone();
    assert_eq!((theirs.logs.len(), &*last(&theirs.logs)), (128, "working"));
    assert_eq!((ours.logs.len(), &*last(&ours.logs)), (128, "no paper"));
}

#[test]
fn an_event_that_counts_something_is_an_ordinary_one() {
    let same = Sides::of(|_| {
        info_span!("s").in_scope(|| info!(monotonic_counter.requests = 1, histogram.size = 0.5));
    });
    let same = same.same();
    assert_eq!(same[0].log().field("monotonic_counter.requests"), Some(&Value::I64(1)));
}

#[test]
fn records_of_the_log_crate_tell_their_own_target_and_place() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| tracing_log::LogTracer::init().unwrap());
    let same = Sides::of(|_| {
        info_span!("s").in_scope(|| {
            log::info!(target: "library", "of log");
            log::error!("broken");
        });
    });
    // An error's text is ours, as of every event at that level.
    let (theirs, ours) = same.span("s");
    assert_eq!(theirs.logs, ours.logs);
    let log = &ours.logs[0];
    assert_eq!(log.name, "of log");
    assert_eq!(log.field("target"), Some(&Value::text("library")));
    let place = ["code.file.path", "code.module.name", "code.line.number"];
    assert_eq!(log.keys(), [&["level", "target"][..], &place].concat());
    assert_eq!(log.field("code.module.name"), Some(&Value::text(module_path!())));
    assert_eq!((&*theirs.status, &*ours.status), ("error: ", "error: broken"));
}

#[test]
fn difference_fields_of_ones_own_that_begin_with_log_stay_here() {
    let sides = Sides::of(|_| info_span!("s").in_scope(|| info!(log.rows = 3, rows = 3, "done")));
    let (theirs, ours) = sides.span("s");
    assert_eq!(theirs.log().field("log.rows"), None);
    assert_eq!(ours.log().field("log.rows"), Some(&Value::I64(3)));
    assert_eq!(theirs.log().field("rows"), ours.log().field("rows"));
}
