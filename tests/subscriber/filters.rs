//! Which spans and events a subscriber records, and how that changes while it is in use.

use super::support::{Run, keeping, trace_under};
use tailtrace::layer::TraceFilter;
use tailtrace::{Pipeline, TraceSubscriber};
use tracing::dispatcher::with_default;
use tracing::level_filters::LevelFilter;
use tracing::{Level, debug, debug_span, info, info_span};
use tracing_subscriber::filter::Targets;

fn program() {
    let _root = info_span!(target: "shop::orders", "root").entered();
    let _below = debug_span!(target: "shop::orders", "below").entered();
    info!(target: "hyper", "from elsewhere");
    debug!(target: "shop", "said");
    drop(tracing::trace_span!(target: "shop::orders", "detail"));
}

fn trees(filter: impl Into<TraceFilter>) -> String {
    let filtered = |pipeline: &Pipeline| pipeline.subscriber().with_filter(filter);
    trace_under(keeping(), filtered, program).trees()
}

#[test]
fn a_level_holds_for_all_targets() {
    assert_eq!(trees(LevelFilter::OFF), "");
    assert_eq!(trees(Level::INFO), "root\n     info: \"from elsewhere\"");
    assert_eq!(trees(LevelFilter::INFO), trees("info".parse::<TraceFilter>().unwrap()));
}

#[test]
fn targets_have_levels_of_their_own() {
    let targets = Targets::new().with_target("shop", LevelFilter::DEBUG);
    let expected = "root\n└─ below\n        debug: \"said\"";
    assert_eq!(trees(targets), expected);
    assert_eq!(trees("off,shop=debug".parse::<TraceFilter>().unwrap()), expected);
}

#[test]
fn a_builder_takes_the_same_filter() {
    let built = |pipeline: &Pipeline| {
        TraceSubscriber::builder(pipeline).with_filter(LevelFilter::INFO).with_level(true).build()
    };
    let outcome = trace_under(keeping(), built, program);
    assert_eq!(outcome.trees(), "root level=\"INFO\"\n     info: \"from elsewhere\"");
}

#[test]
fn a_filter_that_changes_holds_from_then_on() {
    let mut handle = None;
    let run = Run::start(keeping(), |pipeline: &Pipeline| {
        let subscriber = pipeline.subscriber().with_filter(LevelFilter::INFO);
        handle = Some(subscriber.handle());
        subscriber
    });
    let handle = handle.unwrap();
    with_default(&run.dispatch, || {
        for level in [LevelFilter::DEBUG, LevelFilter::OFF] {
            let _root = info_span!("root").entered();
            drop(debug_span!("detail"));
            handle.set_filter(level);
        }
        drop(info_span!("root"));
    });
    assert_eq!(run.end().trees(), "root\nroot\n└─ detail");
}

#[test]
fn a_text_that_is_no_filter_is_named_with_the_cure() {
    let error = "shop=loud".parse::<TraceFilter>().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`shop=loud`") && text.contains("info,checkout=debug"), "{text}");
}
