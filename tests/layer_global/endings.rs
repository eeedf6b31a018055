//! Spans that close where little works any more.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use super::process::{alone, trace};
use crate::support::{keeping, tailed};
use tailtrace::{SamplingRequest, SamplingResult, TraceView, Verdict};
use tracing::dispatcher::{get_default, with_default};
use tracing::{Dispatch, Span, info, info_span};

/// Runs what it holds when its thread ends.
struct AtTheEnd(Option<Box<dyn FnOnce()>>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}

thread_local! {
    static END: RefCell<AtTheEnd> = const { RefCell::new(AtTheEnd(None)) };
}

/// Runs `prepare` on a thread of its own, and what it gives in a destructor of that thread's locals.
fn at_the_end_of_a_thread<F: FnOnce() + 'static>(prepare: impl FnOnce() -> F + Send + 'static) {
    let dispatch = get_default(Dispatch::clone);
    let thread = thread::spawn(move || {
        // Before any thread local of ours or of the registry's, so that it goes after them.
        END.with_borrow(|_| ());
        let work = with_default(&dispatch, prepare);
        END.with_borrow_mut(|end| end.0 = Some(Box::new(work)));
    });
    thread.join().unwrap();
}

#[test]
fn a_span_that_is_left_and_closed_when_its_thread_ends_is_recorded() {
    alone(a_span_that_is_left_and_closed_when_its_thread_ends_is_recorded, |default| {
        let outcome = trace(default, tailed(), |_| {
            at_the_end_of_a_thread(|| {
                let span = info_span!("span").entered();
                drop(info_span!("child"));
                move || drop(span)
            });
            at_the_end_of_a_thread(|| {
                let root = info_span!("a draft until then");
                move || {
                    root.record("field", 1);
                    drop(root);
                }
            });
        });
        assert_eq!(outcome.parent_of("child"), Some("span"));
        assert_eq!(outcome.span("a draft until then").parent_span_id(), None);
    });
}

#[test]
fn a_span_that_closes_while_a_panic_unwinds_is_recorded() {
    alone(a_span_that_closes_while_a_panic_unwinds_is_recorded, |default| {
        let outcome = trace(default, tailed(), |_| {
            let unwound = catch_unwind(|| {
                let _outer = info_span!("outer").entered();
                let _inner = info_span!("inner").entered();
                info!("about to");
                panic!("unwind");
            });
            unwound.unwrap_err();
            assert!(Span::current().is_none());
            drop(info_span!("after"));
        });
        let failed = "outer exception.type=\"panic\"\n└─ inner exception.type=\"panic\"";
        assert_eq!(outcome.trees(), format!("after\n{failed}\n        info: \"about to\""));
    });
}

#[test]
fn deciders_that_panic_while_a_panic_unwinds_are_counted() {
    alone(deciders_that_panic_while_a_panic_unwinds_are_counted, |default| {
        let sampler = |_: &SamplingRequest<'_>| -> SamplingResult { panic!("no decision") };
        let tail = |_: &TraceView<'_>| -> Verdict { panic!("no verdict") };
        let builder = keeping().with_sampler(sampler).with_tail(tail);
        let outcome = trace(default, builder, |_| {
            let unwound = catch_unwind(|| {
                let _root = info_span!("root").entered();
                panic!("unwind");
            });
            unwound.unwrap_err();
        });
        assert_eq!(outcome.stats.panics, 2);
        assert_eq!(outcome.stats.started, 1);
    });
}

#[test]
fn a_value_that_panics_while_a_panic_unwinds_is_told() {
    alone(a_value_that_panics_while_a_panic_unwinds_is_told, |default| {
        struct Records(Span);
        impl Drop for Records {
            fn drop(&mut self) {
                let panics = crate::support::Says(|| -> &'static str { panic!("no words") });
                self.0.record("a", tracing::field::debug(panics));
            }
        }
        let outcome = trace(default, keeping(), |_| {
            let span = info_span!("span", a = 1);
            let records = Records(span);
            let unwound = catch_unwind(AssertUnwindSafe(move || {
                let _records = records;
                panic!("unwind");
            }));
            unwound.unwrap_err();
        });
        let told = tailtrace::model::TagRef::Str("(its formatting panicked)");
        assert_eq!(outcome.span("span").tag("a"), Some(told));
    });
}
