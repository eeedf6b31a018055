//! `otel.name`, `otel.kind`, `otel.status_code`, `otel.status_description`.

use tailtrace_side_by_side::{Peer, Sides, Value};
use tracing::field::{Empty, debug, display};
use tracing::{error, info_span};

#[test]
fn names_kinds_and_status_are_taken_at_creation() {
    let same = Sides::of(|_| {
        drop(info_span!("a", otel.name = "GET /a", otel.kind = "server"));
        drop(info_span!("b", otel.name = %"GET /b", otel.kind = ?display("CLIENT")));
        drop(info_span!("c", otel.kind = "Producer", otel.status_code = "ok"));
        drop(info_span!("d", otel.kind = %"consumer", otel.status_code = %"ERROR"));
        drop(info_span!("e", otel.kind = "internal", otel.status_description = "no paper"));
        drop(info_span!("f", otel.status_code = "error", otel.status_description = "no ink"));
        drop(info_span!("g", otel.status_code = "ok", otel.status_description = "both"));
        drop(info_span!("h", otel.status_code = "unset", otel.kind = Empty));
    });
    let same = same.same();
    let of = |name: &str| {
        let span = same.iter().find(|span| span.name == name).unwrap();
        (span.kind.as_str(), span.status.as_str())
    };
    assert_eq!(of("GET /a"), ("server", "unset"));
    assert_eq!(of("GET /b"), ("client", "unset"));
    assert_eq!(of("c"), ("producer", "ok"));
    assert_eq!(of("d"), ("consumer", "error: "));
    assert_eq!(of("e"), ("internal", "error: no paper"));
    assert_eq!(of("f"), ("internal", "error: no ink"));
    assert_eq!(of("g"), ("internal", "error: both"));
    assert_eq!(of("h"), ("internal", "unset"));
    assert!(same.iter().all(|span| span.keys().iter().all(|key| !key.starts_with("otel."))));
}

fn declared() -> tracing::Span {
    info_span!(
        "s",
        otel.name = Empty,
        otel.kind = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty
    )
}

#[test]
fn they_are_taken_before_the_span_is_entered() {
    let same = Sides::of(|_| {
        let span = declared();
        span.record("otel.name", "first").record("otel.name", "GET /late");
        span.record("otel.kind", debug(display("Server")));
        span.record("otel.status_description", "no paper");
    });
    let same = same.same();
    assert_eq!(
        (same[0].name.as_str(), same[0].kind.as_str(), same[0].status.as_str()),
        ("GET /late", "server", "error: no paper")
    );
}

#[test]
fn the_status_is_taken_after_the_span_was_entered() {
    let same = Sides::of(|_| {
        let span = declared();
        let inside = span.enter();
        span.record("otel.status_code", "error");
        span.record("otel.status_description", "no paper");
        span.record("otel.status_code", "error");
        drop(inside);
        let span = info_span!("t", otel.status_code = Empty);
        let _inside = span.enter();
        span.record("otel.status_code", "OK");
        error!("afterwards");
    });
    let same = same.same();
    assert_eq!((&*same[0].status, &*same[1].status), ("error: no paper", "ok"));
}

#[test]
fn difference_name_and_kind_are_taken_until_the_span_closes_here() {
    let sides = Sides::of(|_| {
        let span = declared();
        span.in_scope(|| ());
        span.record("otel.kind", "client");
        let span = info_span!("early", otel.name = Empty);
        span.in_scope(|| ());
        span.record("otel.name", "late");
    });
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.kind, &*ours.kind), ("internal", "client"));
    assert_eq!((&*sides.theirs[0].name, &*sides.ours[0].name), ("early", "late"));
}

#[test]
fn a_special_field_that_is_no_text_is_an_ordinary_one() {
    let same = Sides::of(|_| drop(info_span!("s", otel.name = 5, otel.kind = true))).same();
    assert_eq!(same[0].tag("otel.name"), Some(&Value::I64(5)));
    assert_eq!(same[0].tag("otel.kind"), Some(&Value::Bool(true)));
}

#[test]
fn other_fields_of_that_prefix_are_ordinary_ones() {
    let same = Sides::of(|_| drop(info_span!("s", otel.status_message = "old", otel.scope = 1)));
    assert_eq!(same.same()[0].keys()[6..8], ["otel.status_message", "otel.scope"]);
}

#[test]
fn difference_an_unknown_kind_stays_visible_here() {
    let sides = Sides::of(|_| drop(info_span!("s", otel.kind = "router")));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.kind, theirs.tag("otel.kind")), ("internal", None));
    assert_eq!((&*ours.kind, ours.tag("otel.kind")), ("internal", Some(&Value::text("router"))));
}

#[test]
fn difference_an_unknown_status_code_stays_visible_here() {
    let sides = Sides::of(|_| drop(info_span!("s", otel.status_code = "500")));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, theirs.tag("otel.status_code")), ("unset", None));
    let code = ours.tag("otel.status_code");
    assert_eq!((&*ours.status, code), ("unset", Some(&Value::text("500"))));
}

#[test]
fn difference_a_description_means_an_error_in_any_order_here() {
    let sides = Sides::of(|_| {
        drop(info_span!("s", otel.status_description = "no paper", otel.status_code = "error"));
        drop(info_span!("t", otel.status_description = "no paper", otel.status_code = "ok"));
    });
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, &*ours.status), ("error: ", "error: no paper"));
    let (theirs, ours) = sides.span("t");
    assert_eq!((&*theirs.status, &*ours.status), ("ok", "error: no paper"));
}

#[test]
fn difference_the_last_description_wins_here() {
    let program = |descriptions: [&'static str; 2]| {
        move |_: &dyn Peer| {
            let span = declared();
            let _inside = span.enter();
            for text in descriptions {
                span.record("otel.status_description", text);
            }
        }
    };
    let sides = Sides::of(program(["a", "b"]));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, &*ours.status), ("error: b", "error: b"));
    // There the greater text wins, once the span was entered.
    let sides = Sides::of(program(["b", "a"]));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, &*ours.status), ("error: b", "error: a"));
}

#[test]
fn difference_a_status_that_is_ok_stays_ok_from_the_start_here() {
    let program = |entered: bool| {
        move |_: &dyn Peer| {
            let span = declared();
            let _inside = entered.then(|| span.enter());
            span.record("otel.status_code", "ok").record("otel.status_code", "error");
        }
    };
    let sides = Sides::of(program(true));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, &*ours.status), ("ok", "ok"));
    let sides = Sides::of(program(false));
    let (theirs, ours) = sides.span("s");
    assert_eq!((&*theirs.status, &*ours.status), ("error: ", "ok"));
}
