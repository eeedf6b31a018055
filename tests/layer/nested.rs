//! Subscribers inside of each other, and spans that outlive theirs.

use super::support::{PATIENCE, Run, keeping, tailed};
use crate::way;
use tailtrace::{InMemoryExporter, TraceSpanExt};
use tracing::dispatcher::with_default;
use tracing::{info, info_span};

#[test]
fn subscribers_inside_each_other_keep_their_spans_apart() {
    let (outside, inside) = (
        Run::start(keeping(), |pipeline| way::under(way::plain(pipeline))),
        Run::start(keeping(), |pipeline| way::under(way::plain(pipeline))),
    );
    with_default(&outside.dispatch, || {
        let outer = info_span!("outer").entered();
        let kept = info_span!("kept");
        with_default(&inside.dispatch, || {
            let _root = info_span!("root").entered();
            info!("to root");
            outer.record("nothing", 1);
            kept.set_tag("a", 1);
            assert_eq!(kept.trace_id(), outer.trace_id());
            let _kept = kept.enter();
            drop(info_span!("below root"));
            info!("to root too");
        });
        drop(kept);
        drop(info_span!("inner"));
        info!("to outer");
        drop(outer);
    });
    assert_eq!(outside.end().trees(), "outer\n│    info: \"to outer\"\n├─ kept a=1\n└─ inner");
    assert_eq!(
        inside.end().trees(),
        "root\n│    info: \"to root\"\n│    info: \"to root too\"\n└─ below root"
    );
}

#[test]
fn a_subscriber_that_its_spans_outlive_loses_nothing() {
    let memory = InMemoryExporter::new();
    let pipeline = tailed().with_exporter(memory.clone()).start().unwrap();
    let subscriber = way::under(way::plain(&pipeline));
    let spans = tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("span");
        let child = info_span!(parent: &span, "child");
        vec![span, child, info_span!("draft")]
    });
    // The handles keep their subscriber, which goes with the last of them.
    drop(spans);
    pipeline.shutdown(PATIENCE).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances() && stats.started == 3, "{stats}");
    assert_eq!(memory.traces().len(), 2);
}
