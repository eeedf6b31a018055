//! What changes while the layer is in use.

use super::support::{PATIENCE, keeping};
use crate::way;
use tailtrace::testing::tree;
use tailtrace::{AlwaysOff, AlwaysOn, InMemoryExporter, Pipeline, TraceView, Verdict};
use tracing::{info, info_span};

#[test]
fn another_sampler_decides_about_what_starts_from_now_on() {
    let builder = Pipeline::builder("layer").with_sampler(AlwaysOff);
    let memory = InMemoryExporter::new();
    let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
    tracing::subscriber::with_default(way::under(way::plain(&pipeline)), || {
        let before = info_span!("before").entered();
        pipeline.set_sampler(AlwaysOn);
        drop(info_span!("below before"));
        drop(before);
        let running = info_span!("running").entered();
        drop(info_span!("first below"));
        pipeline.set_sampler(AlwaysOff);
        drop(info_span!("second below"));
        drop(running);
        drop(info_span!("after"));
    });
    pipeline.shutdown(PATIENCE).unwrap();
    let trees: Vec<_> = memory.traces().iter().map(tree).collect();
    assert_eq!(trees, ["running\n├─ first below\n└─ second below"]);
    assert_eq!(pipeline.stats().sampled_out, 3);
}

#[test]
fn another_tail_decides_about_what_ends_from_now_on() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("layer")
        .with_tail(|_: &TraceView<'_>| Verdict::pass())
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let subscriber = way::under(way::plain(&pipeline));
    tracing::subscriber::with_default(subscriber, || {
        drop(info_span!("before"));
        let running = info_span!("running").entered();
        pipeline.set_tail(|_: &TraceView<'_>| Verdict::keep());
        drop(running);
        pipeline.clear_tail();
        drop(info_span!("after"));
    });
    pipeline.shutdown(PATIENCE).unwrap();
    let trees: Vec<_> = memory.traces().iter().map(tree).collect();
    assert_eq!(trees, ["running", "after"]);
    assert!(pipeline.stats().balances());
}

/// A subscriber whose handle is handed out.
fn handing_out<S>(
    handle: &mut Option<way::Handle>,
    under: impl FnOnce(way::Way) -> S,
) -> impl FnOnce(&Pipeline) -> S {
    |pipeline| {
        let traced = way::plain(pipeline);
        *handle = Some(traced.handle());
        under(traced)
    }
}

#[test]
fn another_pipeline_takes_what_starts_from_now_on() {
    let memory = InMemoryExporter::new();
    let second = keeping().with_exporter(memory.clone()).start().unwrap();
    let mut handle: Option<way::Handle> = None;
    let run = super::support::Run::start(keeping(), handing_out(&mut handle, way::under));
    let handle = handle.unwrap();
    tracing::dispatcher::with_default(&run.dispatch, || {
        let running = info_span!("running").entered();
        drop(info_span!("before"));
        handle.set_pipeline(&second);
        drop(info_span!("still its child"));
        info!("still its event");
        drop(running);
        info_span!("new").in_scope(|| drop(info_span!("its child")));
        handle.set_pipeline(&run.pipeline);
        drop(info_span!("back"));
    });
    second.shutdown(PATIENCE).unwrap();
    assert!(second.stats().balances());
    assert_eq!(memory.traces().iter().map(tree).collect::<Vec<_>>(), ["new\n└─ its child"]);
    assert_eq!(
        run.end().trees(),
        "back\nrunning\n│    info: \"still its event\"\n├─ before\n└─ still its child"
    );
}

#[test]
fn a_draft_stays_with_the_pipeline_it_began_in() {
    let memory = InMemoryExporter::new();
    let second = keeping().with_exporter(memory.clone()).start().unwrap();
    let mut handle: Option<way::Handle> = None;
    let run = super::support::Run::start(keeping(), handing_out(&mut handle, way::under));
    tracing::dispatcher::with_default(&run.dispatch, || {
        let draft = info_span!("draft");
        handle.unwrap().set_pipeline(&second);
        drop(info_span!(parent: &draft, "child"));
    });
    assert_eq!(run.end().trees(), "draft\n└─ child");
    second.shutdown(PATIENCE).unwrap();
    assert_eq!((memory.traces().len(), second.stats().started), (0, 0));
}

#[test]
fn a_pipeline_that_is_gone_is_no_trouble() {
    let memory = InMemoryExporter::new();
    let pipeline = keeping().with_exporter(memory.clone()).start().unwrap();
    let layer = way::plain(&pipeline);
    tracing::subscriber::with_default(way::under(layer), || {
        let _running = info_span!("running").entered();
        drop(pipeline);
        info_span!("after").in_scope(|| info!("said"));
    });
    assert_eq!(memory.traces().len(), 0);
}
