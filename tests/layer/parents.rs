//! Who is whose parent.

use super::support::{tailed, trace, trace_with};
use crate::way;
use tailtrace::layer::SetParentError;
use tailtrace::{SpanId, TraceContext, TraceId, TraceSpanExt};
use tracing::{Span, info_span};

fn caller() -> TraceContext {
    TraceContext::new(TraceId::new(), SpanId::new()).remote()
}

#[test]
fn the_span_the_thread_is_inside_of_is_the_parent() {
    let outcome = trace(|| {
        let outer = info_span!("outer");
        let _outer = outer.enter();
        let _inner = info_span!("inner").entered();
        drop(info_span!("innermost"));
        drop(info_span!(parent: None, "apart"));
        drop(info_span!(parent: &outer, "explicit"));
    });
    assert_eq!(outcome.parent_of("innermost"), Some("inner"));
    assert_eq!(outcome.parent_of("inner"), Some("outer"));
    assert_eq!(outcome.parent_of("explicit"), Some("outer"));
    assert_eq!(outcome.parent_of("outer"), None);
    assert_eq!(outcome.parent_of("apart"), None);
    assert_eq!(outcome.traces.len(), 2);
}

#[test]
fn a_span_without_children_whose_ids_were_not_read_takes_a_parent_late() {
    let caller = caller();
    let outcome = trace_with(tailed(), way::plain, || {
        let span = info_span!("s", a = 1).entered();
        tracing::info!("before");
        assert_eq!(Span::current().set_parent(&caller), Ok(()));
        drop(info_span!("child"));
        drop(span);
    });
    let span = outcome.span("s");
    assert_eq!(span.trace_id(), caller.trace_id);
    assert_eq!(span.parent_span_id(), Some(caller.span_id));
    assert!(span.is_parent_remote() && !outcome.span("child").is_parent_remote());
    assert_eq!((span.tags().count(), span.logs().count()), (1, 1));
    assert_eq!(outcome.parent_of("child"), Some("s"));
    assert_eq!(outcome.traces.len(), 1);
}

#[test]
fn a_parent_that_comes_too_late_becomes_a_link_and_an_error() {
    let caller = caller();
    let outcome = trace(|| {
        let span = info_span!("s");
        let before = span.trace_id();
        assert_eq!(span.set_parent(caller.clone()), Err(SetParentError::AlreadyStarted));
        assert_eq!(span.trace_id(), before);
    });
    let links: Vec<_> = outcome.span("s").links().map(|link| link.context().span_id).collect();
    assert_eq!(links, [caller.span_id]);
}

#[test]
fn a_child_takes_another_parent_and_leaves_its_trace_whole() {
    let caller = caller();
    let outcome = trace(|| {
        let _outer = info_span!("outer").entered();
        let span = info_span!("s", a = 1);
        assert_eq!(span.set_parent(&caller), Ok(()));
        drop(info_span!("sibling"));
    });
    assert_eq!(outcome.span("s").trace_id(), caller.trace_id);
    assert_eq!(outcome.span("s").tags().count(), 1);
    assert_eq!(outcome.parent_of("sibling"), Some("outer"));
    assert_eq!(outcome.traces.len(), 2);
    assert_eq!(outcome.stats.started, 3);
}
