//! Fields with a meaning of their own.

use super::support::{Says, trace};
use tailtrace::model::TagRef;
use tailtrace::{SpanKind, Status};
use tracing::{field, info_span};

#[test]
fn special_fields_count_after_children_and_after_being_entered() {
    let outcome = trace(|| {
        let span = info_span!("span", otel.name = field::Empty, otel.kind = field::Empty).entered();
        drop(info_span!("child"));
        span.record("otel.name", "first").record("otel.kind", "client");
        drop(info_span!("child"));
        span.record("otel.name", "GET /orders/{id}").record("otel.kind", "server");
    });
    assert_eq!(outcome.trees(), "GET /orders/{id} (server)\n├─ child\n└─ child");
}

#[test]
fn any_text_will_do() {
    let outcome = trace(|| {
        let owned = String::from("owned");
        drop(info_span!("a", otel.name = owned, otel.kind = %Says(|| "Producer")));
        drop(info_span!("b", otel.name = %Says(|| "displayed"), otel.kind = ?SpanKind::Consumer));
        drop(info_span!("c", otel.name = ?Says(|| "debugged"), otel.kind = "CLIENT"));
        drop(info_span!("d", otel.name = format_args!("{}{}", "form", "atted")));
    });
    assert_eq!(
        outcome.trees(),
        "debugged (client)\ndisplayed (consumer)\nformatted\nowned (producer)"
    );
}

#[test]
fn a_kind_that_is_none_stays_a_tag() {
    let outcome = trace(|| {
        let span = info_span!("span", otel.kind = "server");
        span.record("otel.kind", "servant");
        drop(info_span!("other", otel.kind = 7));
    });
    assert_eq!(outcome.span("span").kind(), SpanKind::Server);
    assert_eq!(outcome.span("span").tag("otel.kind"), Some(TagRef::Str("servant")));
    assert_eq!(outcome.span("other").tag("otel.kind"), Some(TagRef::I64(7)));
}

#[test]
fn a_status_code_is_a_status() {
    let status = |code: &'static str| {
        let outcome = trace(|| drop(info_span!("span", otel.status_code = code)));
        let span = outcome.span("span");
        (span.status(), span.tags().count())
    };
    assert_eq!(status("ok"), (Status::Ok, 0));
    assert_eq!(status("OK"), (Status::Ok, 0));
    assert_eq!(status("Error"), (Status::error(""), 0));
    assert_eq!(status("unset"), (Status::Unset, 0));
    assert_eq!(status("so so"), (Status::Unset, 1));
}

#[test]
fn a_status_description_says_that_it_failed_and_why() {
    let outcome = trace(|| {
        drop(info_span!("a", otel.status_description = "why"));
        drop(info_span!("b", otel.status_code = "error", otel.status_description = "why"));
        drop(info_span!("c", otel.status_description = "why", otel.status_code = "error"));
        let late =
            info_span!("d", otel.status_code = "error", otel.status_description = field::Empty);
        late.in_scope(|| drop(info_span!("child")));
        late.record("otel.status_description", "why");
    });
    for name in ["a", "b", "c", "d"] {
        assert_eq!(outcome.span(name).status(), Status::error("why"), "{name}");
    }
}

#[test]
fn the_last_name_counts_and_other_fields_of_that_kind_are_tags() {
    let outcome = trace(|| {
        let span = info_span!("span", otel.name = "first", otel.other = 1, otelname = 2);
        span.record("otel.name", "last");
    });
    assert_eq!(outcome.trees(), "last otel.other=1 otelname=2");
}
