//! Spans that follow from other spans.

use super::support::{keeping, trace, trace_under};
use crate::way;
use tailtrace::layer::SetParentError;
use tailtrace::{Pipeline, SpanId, TraceContext, TraceId, TraceSpanExt};
use tracing::{Span, debug_span, info_span};
use tracing_subscriber::filter::LevelFilter;

#[test]
fn a_span_that_follows_from_others_links_to_them_in_order() {
    let mut followed = Vec::new();
    let outcome = trace(|| {
        let causes = [info_span!("first"), info_span!("second"), info_span!("third")];
        let span = info_span!("span");
        for cause in &causes {
            span.follows_from(cause);
        }
        followed.extend(causes.iter().map(|cause| cause.context().unwrap()));
    });
    let links: Vec<_> = outcome.span("span").links().map(|link| link.context().clone()).collect();
    let ids = |context: &TraceContext| (context.trace_id, context.span_id);
    assert_eq!(
        links.iter().map(ids).collect::<Vec<_>>(),
        followed.iter().map(ids).collect::<Vec<_>>()
    );
}

#[test]
fn a_span_that_is_followed_cannot_take_another_parent_any_more() {
    trace(|| {
        let (cause, span) = (info_span!("cause"), info_span!("span"));
        span.follows_from(&cause);
        let caller = TraceContext::new(TraceId::new(), SpanId::new());
        assert_eq!(cause.set_parent(&caller), Err(SetParentError::AlreadyStarted));
        assert_eq!(span.set_parent(&caller), Ok(()));
    });
}

#[test]
fn following_a_span_that_has_closed_or_is_no_span_does_nothing() {
    let outcome = trace(|| {
        let span = info_span!("span");
        let cause = info_span!("cause");
        let id = cause.id();
        drop(cause);
        span.follows_from(id);
        span.follows_from(Span::none());
        span.follows_from(&span);
        Span::none().follows_from(&span);
    });
    // That it follows from itself is what the program said.
    assert_eq!(outcome.span("span").links().count(), 1);
}

#[test]
fn following_a_span_that_a_filter_hides_does_nothing() {
    let filtered = |pipeline: &Pipeline| way::hiding(pipeline, LevelFilter::INFO);
    let outcome = trace_under(keeping(), filtered, || {
        let (span, hidden) = (info_span!("span"), debug_span!("hidden"));
        span.follows_from(&hidden);
        hidden.follows_from(&span);
    });
    assert_eq!(outcome.trees(), "span");
    assert_eq!(outcome.span("span").links().count(), 0);
}

#[test]
fn links_survive_a_parent_that_comes_late() {
    let outcome = trace(|| {
        let (cause, span) = (info_span!("cause"), info_span!("span"));
        span.follows_from(&cause);
        span.set_parent(TraceContext::new(TraceId::new(), SpanId::new()).remote()).unwrap();
    });
    assert_eq!(outcome.span("span").links().count(), 1);
}
