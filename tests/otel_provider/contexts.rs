//! Guards in any order, on any thread.

use std::cell::RefCell;
use std::thread;

use opentelemetry::trace::{SpanId, TraceContextExt, Tracer as _};
use opentelemetry::{Context, ContextGuard};
use tracing::dispatcher::{self, with_default};
use tracing::span::EnteredSpan;
use tracing::{Dispatch, Span, info_span};

use super::world::{assert_nothing_is_current, trace};

fn current() -> SpanId {
    Context::current().span().span_context().span_id()
}

fn id_of(span: &Span) -> SpanId {
    use tailtrace::TraceSpanExt;
    SpanId::from_hex(&span.span_id().unwrap().to_hex()).unwrap()
}

#[test]
fn spans_that_are_left_out_of_order_leave_the_innermost_current() {
    let outcome = trace(|tracer| {
        let (a, b) = (info_span!("a"), info_span!("b"));
        let in_a = a.entered();
        let in_b = b.clone().entered();
        drop(in_a);
        assert_eq!(current(), id_of(&b));
        drop(tracer.start("below b"));
        drop(in_b);
        assert_eq!(current(), SpanId::INVALID);
    });
    assert_eq!(outcome.parent_of("below b"), Some("b"));
    // Neither was inside of the other when it was created.
    assert_eq!(outcome.traces.len(), 2);
}

#[test]
fn guards_of_both_kinds_may_be_dropped_in_any_order() {
    // Which is dropped first, second, third: all orders.
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        trace(|tracer| {
            let outer = info_span!("outer").entered();
            let theirs = Context::current_with_span(tracer.start("theirs"));
            let ids = [id_of(&outer), theirs.span().span_context().span_id()];
            let attached = theirs.attach();
            let inner = info_span!("inner").entered();
            let ids = [ids[0], ids[1], id_of(&inner)];
            enum Either {
                Span(#[expect(dead_code, reason = "dropped")] EnteredSpan),
                Context(#[expect(dead_code, reason = "dropped")] ContextGuard),
            }
            let mut open = [
                Some(Either::Span(outer)),
                Some(Either::Context(attached)),
                Some(Either::Span(inner)),
            ];
            for which in order {
                open[which] = None;
                let innermost = open.iter().rposition(Option::is_some).map(|at| ids[at]);
                assert_eq!(current(), innermost.unwrap_or(SpanId::INVALID), "{order:?}");
            }
        });
    }
}

#[test]
fn a_span_entered_twice_is_current_until_it_is_left_twice() {
    trace(|_| {
        let span = info_span!("s");
        let outer = span.enter();
        let inner = span.enter();
        drop(outer);
        assert_eq!(current(), id_of(&span));
        drop(inner);
        assert_nothing_is_current();
    });
}

#[test]
fn a_span_that_another_thread_left_is_forgotten_when_it_has_closed() {
    trace(|_| {
        let span = info_span!("s");
        let id = span.id().unwrap();
        dispatcher::get_default(|dispatch| dispatch.enter(&id));
        let dispatch = dispatcher::get_default(Dispatch::clone);
        thread::scope(|scope| {
            scope.spawn(|| dispatch.exit(&id));
        });
        drop(span);
        info_span!("next").in_scope(|| ());
        assert_nothing_is_current();
    });
}

#[test]
fn a_context_that_is_carried_to_another_thread_leads_back_to_the_trace() {
    let outcome = trace(|tracer| {
        let _outer = info_span!("outer").entered();
        let dispatch = dispatcher::get_default(Dispatch::clone);
        let context = Context::current();
        thread::scope(|scope| {
            scope.spawn(|| {
                with_default(&dispatch, || {
                    let _guard = context.attach();
                    info_span!("there").in_scope(|| drop(tracer.start("client")));
                });
                assert_nothing_is_current();
            });
        });
    });
    assert_eq!(outcome.trees(), "outer\n└─ there\n   └─ client");
}

#[test]
fn a_span_that_is_still_entered_when_its_thread_ends_does_no_harm() {
    thread_local! {
        static LEFT: RefCell<Option<EnteredSpan>> = const { RefCell::new(None) };
    }
    let outcome = trace(|_| {
        let dispatch = dispatcher::get_default(Dispatch::clone);
        let ended = thread::spawn(move || {
            let span = with_default(&dispatch, || info_span!("s"));
            // What a thread leaves in place is dropped last of all, or before it: both happen.
            LEFT.set(Some(span.entered()));
        });
        ended.join().unwrap();
    });
    assert_eq!(outcome.names(), ["s"]);
}

#[test]
fn hundreds_of_spans_deep_everything_is_found_and_undone() {
    let outcome = trace(|tracer| {
        let mut open = Vec::new();
        for _ in 0..300 {
            open.push(info_span!("deep").entered());
        }
        drop(tracer.start("leaf"));
        // The outermost first.
        open.into_iter().for_each(drop);
        assert_nothing_is_current();
    });
    assert_eq!(outcome.parent_of("leaf"), Some("deep"));
    assert_eq!(outcome.traces.len(), 1);
}

mod model {
    //! Any sequence of what threads do, against a list.

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Enter,
        Attach,
        Leave(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step =
            prop_oneof![Just(Step::Enter), Just(Step::Attach), (0..8usize).prop_map(Step::Leave),];
        prop::collection::vec(step, 0..60)
    }

    enum Open {
        Span(EnteredSpan),
        Context(ContextGuard),
    }

    proptest! {
        #[test]
        fn what_was_entered_last_and_not_left_is_current(steps in steps()) {
            trace(|tracer| {
                let mut open: Vec<(SpanId, Open)> = Vec::new();
                for step in steps {
                    match step {
                        Step::Enter => {
                            let span = info_span!("s").entered();
                            open.push((id_of(&span), Open::Span(span)));
                        }
                        Step::Attach => {
                            let context = Context::current_with_span(tracer.start("o"));
                            let id = context.span().span_context().span_id();
                            open.push((id, Open::Context(context.attach())));
                        }
                        Step::Leave(which) => {
                            if which < open.len() {
                                match open.remove(which).1 {
                                    Open::Span(span) => drop(span),
                                    Open::Context(guard) => drop(guard),
                                }
                            }
                        }
                    }
                    let innermost = open.last().map_or(SpanId::INVALID, |(id, _)| *id);
                    assert_eq!(current(), innermost);
                }
            });
        }
    }
}
