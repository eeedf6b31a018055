//! What `TraceSpanExt` adds to a span.

use crate::way;
use std::sync::{Arc, Mutex};
use std::thread;

use super::support::{keeping, tailed, trace, trace_with};
use tailtrace::layer::SetParentError;
use tailtrace::model::{Baggage, Link, TagRef};
use tailtrace::{
    AlwaysOff, Incoming, LogLevel, Pipeline, SamplingRequest, SamplingResult, SpanId, SpanKind,
    Status, TagValue, TraceContext, TraceId, TraceSpanExt,
};
use tracing::{Span, info_span};

fn caller() -> TraceContext {
    TraceContext::new(TraceId::new(), SpanId::new()).remote()
}

/// Does to a span whatever can be done to one.
fn everything(span: &Span) {
    span.set_tag("number", 1);
    span.set_tag(String::from("list"), vec!["a", "b"]);
    span.set_tag("number", 2);
    span.set_status(Status::error("why"));
    span.log(LogLevel::Info, "said");
    span.log_with_fields(LogLevel::Warn, String::from("with"), [("a", 1), ("b", 2)]);
    span.add_link(Link::new(caller()));
}

const EVERYTHING: &str = "span error: \"why\" number=2 list=[\"a\", \"b\"]\n     \
                          info: \"said\"\n     warn: \"with\" a=1 b=2";

#[test]
fn everything_works_before_and_after_a_span_has_started() {
    let outcome = trace(|| {
        everything(&info_span!("span"));
        let started = info_span!("span");
        assert!(started.context().is_some());
        everything(&started);
    });
    assert_eq!(outcome.trees(), format!("{EVERYTHING}\n{EVERYTHING}"));
    assert!(outcome.spans().all(|span| span.links().count() == 1));
}

#[test]
fn everything_works_from_another_thread_without_a_subscriber() {
    let outcome = trace(|| {
        let span = info_span!("span").entered();
        let there = (*span).clone();
        let caller = caller();
        let id = thread::spawn(move || {
            assert!(Span::current().context().is_none());
            everything(&there);
            assert_eq!(there.set_parent(&caller), Ok(()));
            (there.trace_id(), caller)
        });
        let (id, caller) = id.join().unwrap();
        assert_eq!(id, Some(caller.trace_id));
        assert_eq!(span.trace_id(), id);
        assert_eq!(span.context().and_then(|context| context.parent_span_id), Some(caller.span_id));
    });
    assert_eq!(outcome.trees(), EVERYTHING);
}

#[test]
fn a_span_that_is_none_or_disabled_answers_with_nothing() {
    use tracing_subscriber::filter::LevelFilter;
    let filtered = |pipeline: &Pipeline| way::filtered(pipeline, LevelFilter::INFO);
    let outcome = super::support::trace_under(keeping(), filtered, || {
        let outer = info_span!("outer");
        let _inside = outer.enter();
        for span in [Span::none(), tracing::debug_span!("disabled")] {
            everything(&span);
            assert_eq!((span.context(), span.trace_id(), span.span_id()), (None, None, None));
            assert_eq!(span.set_parent(caller()), Err(SetParentError::SpanDisabled));
        }
    });
    assert_eq!(outcome.trees(), "outer");
}

#[test]
fn without_a_layer_there_is_nothing_to_ask() {
    tracing::subscriber::with_default(tracing_subscriber::registry(), || {
        let span = info_span!("span");
        everything(&span);
        assert_eq!(span.context(), None);
        assert_eq!(span.set_parent(caller()), Err(SetParentError::LayerNotFound));
    });
}

#[test]
fn a_parent_may_be_set_again_until_the_ids_are_read() {
    let (first, second) = (caller(), caller());
    let outcome = trace_with(tailed(), way::plain, || {
        let span = info_span!("span", a = 1);
        assert_eq!(span.set_parent(&first), Ok(()));
        span.record("a", 2);
        assert_eq!(span.set_parent(&second), Ok(()));
        assert_eq!(span.trace_id(), Some(second.trace_id));
        assert_eq!(span.set_parent(&first), Err(SetParentError::AlreadyStarted));
    });
    let span = outcome.span("span");
    assert_eq!((span.trace_id(), span.parent_span_id()), (second.trace_id, Some(second.span_id)));
    assert_eq!(span.tag("a"), Some(TagRef::I64(2)));
    assert_eq!(span.links().count(), 1);
    assert_eq!(outcome.stats.started, 1);
}

#[test]
fn a_local_span_can_be_a_late_parent_too() {
    let outcome = trace(|| {
        let (outer, span) = (info_span!("outer"), info_span!("span", a = 1));
        assert_eq!(span.set_parent(outer.context().unwrap()), Ok(()));
        drop(info_span!(parent: &span, "child"));
    });
    assert_eq!(outcome.trees(), "outer\n└─ span a=1\n   └─ child");
}

#[test]
fn a_span_that_was_sampled_out_is_sampled_anew_under_another_parent() {
    let by_caller = |request: &SamplingRequest<'_>| match request.parent {
        Some(_) => SamplingResult::sample(),
        None => SamplingResult::drop(),
    };
    let builder = Pipeline::builder("layer").with_sampler(by_caller);
    let caller = caller();
    let outcome = trace_with(builder, way::plain, || {
        let outer = info_span!("outer").entered();
        let span = info_span!("span");
        assert_eq!(span.set_parent(&caller), Ok(()));
        drop(info_span!(parent: &span, "child"));
        drop(outer);
    });
    assert_eq!(outcome.trees(), "span\n└─ child");
    assert_eq!(outcome.span("span").parent_span_id(), Some(caller.span_id));
    assert_eq!((outcome.stats.started, outcome.stats.sampled_out), (3, 1));
}

#[test]
fn a_sampler_may_ask_about_the_span_it_is_asked_about() {
    let held: Arc<Mutex<Option<Span>>> = Arc::default();
    let seen: Arc<Mutex<Vec<TraceId>>> = Arc::default();
    let asks = {
        let (held, seen) = (Arc::clone(&held), Arc::clone(&seen));
        move |request: &SamplingRequest<'_>| {
            let span = held.lock().unwrap().clone().unwrap();
            let id = span.trace_id();
            seen.lock().unwrap().extend(id);
            seen.lock().unwrap().push(request.trace_id);
            span.set_tag("by the sampler", 1);
            SamplingResult::sample()
        }
    };
    let outcome = trace_with(keeping().with_sampler(asks), way::plain, || {
        let span = info_span!("span");
        *held.lock().unwrap() = Some(span.clone());
        let id = span.trace_id();
        seen.lock().unwrap().extend(id);
        let taken = held.lock().unwrap().take();
        drop(taken);
    });
    let id = outcome.span("span").trace_id();
    assert_eq!(*seen.lock().unwrap(), [id, id, id]);
    assert_eq!(outcome.span("span").tag("by the sampler"), Some(TagRef::I64(1)));
}

#[test]
fn the_sampler_sees_the_fields_and_what_was_set() {
    let tags: Arc<Mutex<Vec<(String, TagValue)>>> = Arc::default();
    let looks = {
        let tags = Arc::clone(&tags);
        move |request: &SamplingRequest<'_>| {
            let seen = request.tags.iter().map(|(key, value)| (key.to_string(), value.clone()));
            tags.lock().unwrap().extend(seen);
            SamplingResult::sample()
        }
    };
    trace_with(keeping().with_sampler(looks), way::plain, || {
        let span = info_span!("span", a = 1);
        span.set_tag("b", "two");
    });
    let expected = [("a".to_owned(), TagValue::I64(1)), ("b".to_owned(), TagValue::from("two"))];
    assert_eq!(*tags.lock().unwrap(), expected);
}

#[test]
fn sampled_out_spans_still_have_contexts_that_say_so() {
    let builder = Pipeline::builder("layer").with_sampler(AlwaysOff);
    let outcome = trace_with(builder, way::plain, || {
        let span = info_span!("span").entered();
        let context = span.context().unwrap();
        assert!(!context.flags.is_sampled());
        let child = info_span!("child");
        assert_eq!(child.trace_id(), Some(context.trace_id));
        assert_eq!(span.context().unwrap().span_id, context.span_id);
        everything(&child);
    });
    assert_eq!((outcome.traces.len(), outcome.stats.sampled_out), (0, 2));
}

#[test]
fn a_handle_works_on_after_the_pipeline_was_shut_down() {
    let run = super::support::Run::start(tailed(), |pipeline| way::under(way::plain(pipeline)));
    tracing::dispatcher::with_default(&run.dispatch, || {
        let before = info_span!("before").entered();
        let id = before.trace_id();
        run.pipeline.shutdown(super::support::PATIENCE).unwrap_err();
        everything(&before);
        let after = info_span!("after");
        everything(&after);
        assert_eq!(after.trace_id(), id, "ids go on");
    });
    assert_eq!(run.end().traces.len(), 0);
}

#[test]
fn a_name_a_kind_and_an_error_are_set_on_drafts_and_on_started_spans() {
    let set = |span: &Span| {
        span.set_name("GET /orders");
        span.set_kind(SpanKind::Server);
        span.set_error(&std::io::Error::other("no stock"));
    };
    let outcome = trace(|| {
        set(&info_span!("draft"));
        let started = info_span!("started");
        assert!(started.context().is_some());
        set(&started);
    });
    assert_eq!(outcome.spans().count(), 2);
    for span in outcome.spans() {
        assert_eq!(span.operation_name(), "GET /orders");
        assert_eq!(span.kind(), SpanKind::Server);
        assert_eq!(span.status_description(), "no stock");
        let log = span.logs().next().unwrap();
        assert_eq!(log.message(), "exception");
        let message = log.fields().find(|(key, _)| *key == "exception.message");
        assert_eq!(message, Some(("exception.message", TagRef::Str("no stock"))));
    }
}

#[test]
fn baggage_without_a_context_starts_a_new_trace_that_carries_it() {
    let tenant = Baggage::new().with("tenant", "acme").unwrap();
    let incoming = || Incoming::default().with_baggage(tenant.clone());
    let carried = |span: &Span| span.context().unwrap().baggage.get("tenant").map(str::to_owned);
    let outcome = trace(|| {
        let root = info_span!("root");
        assert_eq!(root.set_parent(incoming()), Ok(()));
        assert_eq!(carried(&root).as_deref(), Some("acme"));
        let child = info_span!(parent: &root, "child");
        assert_eq!(carried(&child).as_deref(), Some("acme"));
        assert_eq!(root.set_parent(incoming()), Err(SetParentError::AlreadyStarted));

        let outer = info_span!("outer");
        let torn = info_span!(parent: &outer, "torn");
        assert_eq!(torn.set_parent(incoming()), Ok(()));
        assert_eq!(carried(&torn).as_deref(), Some("acme"));
        assert_eq!(carried(&outer), None);
    });
    assert_eq!(outcome.trees(), "outer\nroot\n└─ child\ntorn");
    assert!(outcome.spans().all(|span| span.links().count() == 0));
    let off = Pipeline::builder("off").with_sampler(AlwaysOff);
    trace_with(off, way::plain, || {
        let span = info_span!("unrecorded");
        assert_eq!(span.set_parent(incoming()), Ok(()));
        assert_eq!(carried(&span).as_deref(), Some("acme"));
    });
}

#[test]
fn a_request_that_says_nothing_leaves_a_span_where_it_is() {
    let outcome = trace(|| {
        let outer = info_span!("outer").entered();
        let inner = info_span!("inner");
        assert_eq!(inner.set_parent(Incoming::default()), Ok(()));
        assert_eq!(outer.set_parent(None::<TraceContext>), Ok(()));
    });
    assert_eq!(outcome.trees(), "outer\n└─ inner");
}
