//! Layers that are exchanged while spans are open.

use super::process::{Default, alone};
use crate::support::{Run, tailed};
use tailtrace::{Pipeline, SamplingRequest, SamplingResult, TraceSpanExt, TraceView, Verdict};
use tracing::{dispatcher, info, info_span};
use tracing_subscriber::{prelude::*, reload};

/// Runs a program under a layer that can be exchanged.
fn exchanging(
    default: Default,
    builder: tailtrace::pipeline::PipelineBuilder,
    program: impl FnOnce(&dyn Fn()),
) -> crate::support::Outcome {
    let mut handle = None;
    let run = Run::start(builder, |pipeline: &Pipeline| {
        let (layer, reloads) = reload::Layer::new(pipeline.layer());
        handle = Some(reloads);
        tracing_subscriber::registry().with(layer)
    });
    let (handle, pipeline) = (handle.unwrap(), run.pipeline.clone());
    let exchange = move || handle.reload(pipeline.layer()).unwrap();
    match default {
        Default::Scoped => dispatcher::with_default(&run.dispatch, || program(&exchange)),
        Default::Global => {
            dispatcher::set_global_default(run.dispatch.clone()).unwrap();
            program(&exchange);
        }
    }
    drop(exchange);
    // What the layers that went left open is decided soon, or now.
    run.pipeline.flush(crate::support::PATIENCE).unwrap();
    run.end()
}

#[test]
fn spans_that_are_open_when_their_layer_goes_are_recorded_until_then() {
    alone(spans_that_are_open_when_their_layer_goes_are_recorded_until_then, |default| {
        let outcome = exchanging(default, tailed(), |exchange| {
            let root = info_span!("root", a = 1).entered();
            let child = info_span!("child").entered();
            info!("before");
            let draft = info_span!(parent: None, "draft").entered();
            exchange();
            info!("between");
            drop(info_span!("between"));
            drop((draft, child, root));
            let _after = info_span!("after").entered();
            drop(info_span!("after that"));
        });
        let mut names = outcome.names();
        names.sort_unstable();
        assert_eq!(names, ["after", "after that", "between", "child", "draft", "root"]);
        assert_eq!(outcome.parent_of("child"), Some("root"));
        assert_eq!(outcome.parent_of("after that"), Some("after"));
        assert_eq!(outcome.logs("child"), ["before"]);
        assert_eq!(outcome.stats.started, 6);
    });
}

#[test]
fn deciders_that_trace_when_their_layer_goes_do_not_wait_for_it() {
    alone(deciders_that_trace_when_their_layer_goes_do_not_wait_for_it, |default| {
        let traces = || {
            info!("deciding");
            drop(info_span!("deciding"));
        };
        let sampler = move |_: &SamplingRequest<'_>| {
            traces();
            SamplingResult::record()
        };
        let tail = move |_: &TraceView<'_>| {
            traces();
            Verdict::keep()
        };
        let builder = Pipeline::builder("layer").with_sampler(sampler).with_tail(tail);
        let outcome = exchanging(default, builder, |exchange| {
            // `tracing` takes what it first meets while it is being called for disabled.
            traces();
            let root = info_span!("root").entered();
            let child = info_span!("child").entered();
            let draft = info_span!(parent: None, "draft").entered();
            exchange();
            drop((draft, child, root));
        });
        let mut names = outcome.names();
        names.sort_unstable();
        names.retain(|name| *name != "deciding");
        assert_eq!(names, ["child", "draft", "root"]);
    });
}

#[test]
fn a_layer_that_was_exchanged_is_found_by_its_spans() {
    alone(a_layer_that_was_exchanged_is_found_by_its_spans, |default| {
        let outcome = exchanging(default, tailed(), |exchange| {
            for _ in 0..3 {
                exchange();
                let span = info_span!("span");
                span.set_tag("a", 1);
                assert!(span.context().is_some());
                let child = span.in_scope(|| info_span!("child"));
                assert_eq!(child.trace_id(), span.trace_id());
            }
        });
        assert_eq!(outcome.traces.len(), 3);
        assert!(outcome.spans().all(|span| span.tags().count() <= 1));
    });
}

#[test]
fn guards_that_outlive_many_layers_do_not_pile_up() {
    alone(guards_that_outlive_many_layers_do_not_pile_up, |default| {
        let outcome = exchanging(default, tailed(), |exchange| {
            for _ in 0..1_000 {
                let span = info_span!("span").entered();
                exchange();
                drop(span);
            }
        });
        assert_eq!(outcome.traces.len(), 1_000);
    });
}
