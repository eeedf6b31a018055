//! Samplers, policies and filters that trace, ask about spans, and panic.

use crate::way;
use std::sync::Mutex;
use std::thread;

use super::process::{Default, alone, trace, trace_under};
use crate::support::{keeping, tailed};
use tailtrace::ledger::Reason;
use tailtrace::{
    Pipeline, SamplingRequest, SamplingResult, SpanId, TraceContext, TraceId, TraceSpanExt,
    TraceView, Verdict,
};
use tracing::dispatcher::with_default;
use tracing::{Span, field, info, info_span};

/// A span that those who meddle know.
static HELD: Mutex<Option<Span>> = Mutex::new(None);

fn hold(span: impl Into<Option<Span>>) {
    let before = std::mem::replace(&mut *HELD.lock().unwrap(), span.into());
    drop(before);
}

/// Does all that can be done with spans and events.
fn meddle() {
    info!("meddling");
    let span = info_span!("meddling", a = 1).entered();
    let _ = Span::current().context();
    drop(info_span!("meddling inside"));
    drop(span);
    let held = HELD.lock().unwrap().clone();
    if let Some(held) = held {
        assert!(held.context().is_some());
        held.record("a", 2);
        held.set_tag("b", 3);
        info!(parent: &held, "meant");
        drop(info_span!(parent: &held, "meddling below"));
        held.in_scope(|| drop(info_span!("meddling in scope")));
        let _ = held.set_parent(TraceContext::new(TraceId::new(), SpanId::new()));
    }
}

/// `tracing` takes what it first meets while it is being called for disabled.
fn get_to_know() {
    hold(info_span!("meddling", a = field::Empty));
    meddle();
    hold(None);
}

fn meddling_sampler(_: &SamplingRequest<'_>) -> SamplingResult {
    meddle();
    SamplingResult::sample()
}

pub(crate) fn meddling_tail(_: &TraceView<'_>) -> Verdict {
    meddle();
    Verdict::keep()
}

/// What is exported, without what meddling made.
pub(crate) fn names(outcome: &crate::support::Outcome) -> Vec<&str> {
    let mut names = outcome.names();
    names.retain(|name| !name.starts_with("meddling"));
    names.sort_unstable();
    names
}

pub(crate) fn program() {
    get_to_know();
    let outer = info_span!("outer", a = field::Empty);
    hold(outer.clone());
    let inside = outer.enter();
    drop(info_span!("child"));
    drop(info_span!(parent: None, "root"));
    let adopted = info_span!(parent: None, "adopted");
    adopted.set_parent(TraceContext::new(TraceId::new(), SpanId::new()).remote()).unwrap();
    drop(adopted);
    let asked = info_span!(parent: None, "asked");
    assert!(asked.context().is_some());
    drop(asked);
    drop(inside);
    hold(None);
    drop(outer);
    hold(info_span!("other", a = field::Empty));
    drop(info_span!("last root"));
    hold(None);
}

pub(crate) const PROGRAM: [&str; 7] =
    ["adopted", "asked", "child", "last root", "other", "outer", "root"];

#[test]
fn a_sampler_that_meddles_changes_nothing_but_what_it_says() {
    alone(a_sampler_that_meddles_changes_nothing_but_what_it_says, |default| {
        let builder = Pipeline::builder("layer").with_sampler(meddling_sampler);
        let outcome = trace(default, builder, |_| program());
        assert_eq!(names(&outcome), PROGRAM);
        assert_eq!(outcome.parent_of("child"), Some("outer"));
        assert_eq!(outcome.stats.panics, 0);
        assert!(outcome.stats.dropped_by(Reason::OwnWork) > 0, "{}", outcome.stats);
    });
}

#[test]
fn a_tail_that_meddles_changes_nothing_but_what_it_says() {
    alone(a_tail_that_meddles_changes_nothing_but_what_it_says, |default| {
        let builder = Pipeline::builder("layer").with_tail(meddling_tail);
        let outcome = trace(default, builder, |_| program());
        assert_eq!(names(&outcome), PROGRAM);
        assert_eq!(outcome.parent_of("child"), Some("outer"));
        assert!(outcome.stats.dropped_by(Reason::OwnWork) > 0, "{}", outcome.stats);
    });
}

#[test]
fn a_filter_that_meddles_counts_all_the_same() {
    alone(a_filter_that_meddles_counts_all_the_same, |default| {
        let layered = |pipeline: &Pipeline| {
            let meddling = |_: &tracing::Metadata<'_>| {
                meddle();
                false
            };
            let layer = way::builder(pipeline).with_counting_event_filter(meddling).build();
            way::under(layer)
        };
        let outcome = trace_under(default, keeping(), layered, |_| {
            get_to_know();
            let outer = info_span!("outer", a = field::Empty);
            hold(outer.clone());
            let inside = outer.enter();
            info_span!("counting").in_scope(|| info!("counted"));
            drop(inside);
            hold(None);
        });
        let counted = outcome.span("counting").tag("otel.tracing_event_count");
        assert_eq!(counted, Some(tailtrace::model::TagRef::I64(1)));
    });
}

#[test]
fn a_sampler_that_panics_is_counted_and_leaves_the_decision_to_the_tail() {
    alone(a_sampler_that_panics_is_counted_and_leaves_the_decision_to_the_tail, |default| {
        let panics = |_: &SamplingRequest<'_>| -> SamplingResult {
            meddle();
            panic!("no decision")
        };
        let outcome = trace(default, tailed().with_sampler(panics), |_| program());
        assert_eq!(names(&outcome), PROGRAM);
        assert!(outcome.stats.panics >= 6, "{}", outcome.stats);
    });
}

#[test]
fn a_tail_that_panics_is_counted_and_leaves_the_decision_to_the_head() {
    alone(a_tail_that_panics_is_counted_and_leaves_the_decision_to_the_head, |default| {
        let panics = |_: &TraceView<'_>| -> Verdict {
            meddle();
            panic!("no verdict")
        };
        let outcome = trace(default, keeping().with_tail(panics), |_| program());
        assert_eq!(names(&outcome), PROGRAM);
        assert!(outcome.stats.panics >= 6, "{}", outcome.stats);
    });
}

#[test]
fn a_filter_that_panics_lets_the_event_pass() {
    alone(a_filter_that_panics_lets_the_event_pass, |default| {
        let layered = |pipeline: &Pipeline| {
            let panics = |_: &tracing::Metadata<'_>| -> bool { panic!("no answer") };
            let layer = way::builder(pipeline).with_counting_event_filter(panics).build();
            way::under(layer)
        };
        let outcome = trace_under(default, keeping(), layered, |_| {
            info_span!("span").in_scope(|| info!("said"));
        });
        assert_eq!(outcome.logs("span"), ["said"]);
    });
}

/// Works with a span on another thread, and waits for it.
fn elsewhere(span: Span, work: impl FnOnce(&Span) + Send + 'static) {
    let dispatch = span.with_subscriber(|(_, dispatch)| dispatch.clone()).unwrap();
    let thread = thread::spawn(move || with_default(&dispatch, || work(&span)));
    thread.join().unwrap();
}

#[test]
fn a_sampler_that_waits_for_a_thread_that_needs_the_same_span_gets_its_answer() {
    alone(a_sampler_that_waits_for_a_thread_that_needs_the_same_span_gets_its_answer, |default| {
        let waits = |_: &SamplingRequest<'_>| {
            let held = HELD.lock().unwrap().take();
            if let Some(held) = held {
                elsewhere(held, |held| {
                    held.in_scope(|| info!("from another thread"));
                    assert!(held.context().is_some());
                });
            }
            SamplingResult::sample()
        };
        let builder = Pipeline::builder("layer").with_sampler(waits);
        let outcome = trace(default, builder, |_| {
            let span = info_span!("span");
            hold(span.clone());
            let id = span.trace_id();
            assert_eq!(span.trace_id(), id);
            drop(info_span!(parent: &span, "child"));
        });
        assert_eq!(outcome.parent_of("child"), Some("span"));
        assert_eq!(outcome.traces.len(), 1);
        assert_eq!(outcome.logs("span"), ["from another thread"]);
    });
}

#[test]
fn a_parent_set_while_another_thread_starts_a_child_comes_too_late() {
    alone(a_parent_set_while_another_thread_starts_a_child_comes_too_late, |default| {
        let waits = |_: &SamplingRequest<'_>| {
            let held = HELD.lock().unwrap().take();
            if let Some(held) = held {
                elsewhere(held, |held| drop(info_span!(parent: held, "child")));
            }
            SamplingResult::sample()
        };
        let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
        let builder = Pipeline::builder("layer").with_sampler(waits);
        let outcome = trace(default, builder, |_| {
            let span = info_span!("span");
            hold(span.clone());
            assert_eq!(
                span.set_parent(&caller),
                Err(tailtrace::layer::SetParentError::AlreadyStarted)
            );
        });
        assert_eq!(outcome.parent_of("child"), Some("span"));
        let links: Vec<_> =
            outcome.span("span").links().map(|link| link.context().clone()).collect();
        assert_eq!(links.iter().map(|link| link.span_id).collect::<Vec<_>>(), [caller.span_id]);
        assert_eq!(outcome.traces.len(), 1);
        assert_eq!(outcome.span("span").parent_span_id(), None);
    });
}

#[test]
fn a_default_that_is_scoped_is_not_global() {
    alone(a_default_that_is_scoped_is_not_global, |default| {
        drop(trace(default, keeping(), |_| {
            let there = thread::spawn(|| info_span!("span").is_disabled()).join().unwrap();
            assert_eq!(there, default == Default::Scoped);
        }));
    });
}

#[test]
fn a_child_started_while_its_parent_is_started_anew_stays_with_it() {
    alone(a_child_started_while_its_parent_is_started_anew_stays_with_it, |default| {
        let drops_the_first = |request: &SamplingRequest<'_>| {
            let held = HELD.lock().unwrap().take();
            if let Some(held) = held {
                elsewhere(held, |held| {
                    let child = info_span!(parent: held, "child");
                    assert_eq!(child.trace_id(), held.trace_id());
                });
            }
            if request.name == "dropped" {
                SamplingResult::drop()
            } else {
                SamplingResult::sample()
            }
        };
        let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
        let builder = Pipeline::builder("layer").with_sampler(drops_the_first);
        let outcome = trace(default, builder, |_| {
            let root = info_span!("dropped");
            let span = info_span!(parent: &root, "span");
            hold(span.clone());
            assert_eq!(
                span.set_parent(&caller),
                Err(tailtrace::layer::SetParentError::AlreadyStarted)
            );
        });
        assert_eq!(outcome.names(), Vec::<&str>::new());
        assert_eq!((outcome.stats.started, outcome.stats.sampled_out), (3, 3));
    });
}
