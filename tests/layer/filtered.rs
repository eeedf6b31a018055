//! Spans and events that a filter hides from the layer, but not from the registry.

use super::support::{Outcome, keeping, trace_under};
use tailtrace::layer::SetParentError;
use tailtrace::{SpanId, TraceContext, TraceId, TraceSpanExt};
use tracing::{Span, Subscriber as _, debug_span, info, info_span, trace_span};
use tracing_subscriber::filter::{FilterFn, LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Runs a program under a layer that sees neither debug nor trace spans, beside one that sees all.
fn trace(program: impl FnOnce()) -> Outcome {
    let filtered = |pipeline: &tailtrace::Pipeline| {
        let everything = tracing_subscriber::layer::Identity::new();
        let layer = pipeline.layer().with_filter(LevelFilter::INFO);
        tracing_subscriber::registry().with(layer).with(everything)
    };
    trace_under(keeping(), filtered, program)
}

#[test]
fn a_contextual_child_of_a_hidden_span_is_a_child_of_the_nearest_visible_one() {
    let outcome = trace(|| {
        let _outer = info_span!("outer").entered();
        let _hidden = debug_span!("hidden").entered();
        let _more = trace_span!("hidden too").entered();
        drop(info_span!("inner"));
    });
    assert_eq!(outcome.trees(), "outer\n└─ inner");
}

#[test]
fn an_explicit_child_of_a_hidden_span_is_a_child_of_the_nearest_visible_one() {
    let outcome = trace(|| {
        let outer = info_span!("outer");
        let hidden = debug_span!(parent: &outer, "hidden");
        let more = trace_span!(parent: &hidden, "hidden too");
        drop(info_span!(parent: &more, "inner"));
        let _elsewhere = info_span!("elsewhere").entered();
        drop(info_span!(parent: &more, "inner"));
    });
    assert_eq!(outcome.trees(), "elsewhere\nouter\n├─ inner\n└─ inner");
}

#[test]
fn a_contextual_child_of_a_hidden_span_whose_parent_is_not_entered_is_no_root() {
    let outcome = trace(|| {
        let outer = info_span!("outer");
        let hidden = outer.in_scope(|| debug_span!("hidden"));
        hidden.in_scope(|| {
            drop(info_span!("inner"));
            info!("said");
        });
    });
    assert_eq!(outcome.trees(), "outer\n│    info: \"said\"\n└─ inner");
}

#[test]
fn a_task_in_a_hidden_span_on_another_thread_stays_in_its_trace() {
    let outcome = trace(|| {
        let outer = info_span!("outer").entered();
        let hidden = debug_span!("hidden");
        let dispatch = tracing::dispatcher::get_default(tracing::Dispatch::clone);
        let task = std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                hidden.in_scope(|| drop(info_span!("inner")));
                drop(hidden);
            });
        });
        task.join().unwrap();
        drop(outer);
    });
    assert_eq!(outcome.trees(), "outer\n└─ inner");
}

#[test]
#[ignore = "costs a look into the registry for every span: the innermost entered visible span wins"]
fn a_hidden_span_says_whose_trace_it_is_in_whatever_the_thread_is_inside_of() {
    let outcome = trace(|| {
        let outer = info_span!("outer");
        let hidden = debug_span!(parent: &outer, "hidden");
        let _elsewhere = info_span!("elsewhere").entered();
        let _hidden = hidden.entered();
        drop(info_span!("inner"));
        info!("said");
    });
    assert_eq!(outcome.trees(), "elsewhere\nouter\n│    info: \"said\"\n└─ inner");
}

#[test]
fn a_span_under_nothing_but_hidden_ones_is_a_root() {
    let outcome = trace(|| {
        let _hidden = debug_span!("hidden").entered();
        drop(info_span!("root"));
    });
    assert_eq!((outcome.names(), outcome.parent_of("root")), (vec!["root"], None));
}

#[test]
fn an_event_whose_explicit_parent_is_hidden_goes_to_the_nearest_visible_span() {
    let outcome = trace(|| {
        let outer = info_span!("outer");
        let hidden = debug_span!(parent: &outer, "hidden");
        let _elsewhere = info_span!("elsewhere").entered();
        info!(parent: &hidden, "said");
        let apart = debug_span!(parent: None, "apart");
        info!(parent: &apart, "lost");
    });
    assert_eq!(outcome.trees(), "elsewhere\nouter\n     info: \"said\"");
}

#[test]
fn the_context_of_a_hidden_span_is_that_of_the_nearest_visible_one() {
    trace(|| {
        let outer = info_span!("outer");
        let hidden = debug_span!(parent: &outer, "hidden");
        assert_eq!(hidden.span_id(), outer.span_id());
        let _hidden = hidden.entered();
        assert_eq!(Span::current().trace_id(), outer.trace_id());
        assert_eq!(debug_span!(parent: None, "apart").context(), None);
    });
}

#[test]
fn a_hidden_span_takes_no_parent_and_no_tags_for_another() {
    let outcome = trace(|| {
        let caller = TraceContext::new(TraceId::new(), SpanId::new());
        let outer = info_span!("outer");
        let hidden = debug_span!(parent: &outer, "hidden");
        assert_eq!(hidden.set_parent(&caller), Err(SetParentError::SpanDisabled));
        hidden.set_tag("a", 1);
        hidden.set_status(tailtrace::Status::error("not outer's"));
        hidden.log(tailtrace::LogLevel::Info, "not outer's");
        assert_eq!(outer.set_parent(&caller), Ok(()));
    });
    assert_eq!(outcome.trees(), "outer");
}

#[test]
fn targets_and_functions_filter_as_well() {
    let filtered = |pipeline: &tailtrace::Pipeline| {
        let targets = Targets::new().with_target("app", LevelFilter::TRACE);
        let named = FilterFn::new(|metadata| metadata.name() != "noise");
        let layer = pipeline.layer().with_filter(targets).with_filter(named);
        tracing_subscriber::registry().with(layer)
    };
    let outcome = trace_under(keeping(), filtered, || {
        let _outer = info_span!(target: "app", "outer").entered();
        let _library = info_span!(target: "library", "library").entered();
        let _noise = info_span!(target: "app", "noise").entered();
        drop(trace_span!(target: "app", "inner"));
        info!(target: "app", "said");
        info!(target: "library", "not said");
    });
    assert_eq!(outcome.trees(), "outer\n│    info: \"said\"\n└─ inner");
}

#[test]
fn the_level_of_a_filter_on_the_layer_is_that_of_the_subscriber() {
    let pipeline = keeping().with_exporter(tailtrace::InMemoryExporter::new()).start().unwrap();
    let layer = pipeline.layer().with_filter(LevelFilter::WARN);
    let subscriber = tracing_subscriber::registry().with(layer);
    assert_eq!(subscriber.max_level_hint(), Some(LevelFilter::WARN));
}
