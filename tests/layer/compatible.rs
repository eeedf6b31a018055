//! What `tracing-opentelemetry` does, where programs rely on it. All of it, side by side, is tested in
//! `compat/side-by-side`.

use super::support::{keeping, trace_with};
use tailtrace::{Pipeline, TagRef, TraceLayer};
use tracing::{info, info_span};

#[test]
fn the_preset_says_the_target_of_events_whatever_spans_say() {
    let layer =
        |pipeline: &Pipeline| TraceLayer::builder(pipeline).compatible().with_target(false).build();
    let outcome = trace_with(keeping(), layer, || {
        info_span!("s").in_scope(|| info!(target: "shop", "done"));
    });
    let span = outcome.span("s");
    assert_eq!(span.tag("target"), None);
    let fields: Vec<_> = span.logs().flat_map(|log| log.fields()).collect();
    assert!(fields.contains(&("target", TagRef::Str("shop"))), "{fields:?}");
}
