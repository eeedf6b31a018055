//! What is not recorded costs nothing.

use crate::way;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use super::support::{keeping, tailed, trace_under, trace_with};
use tailtrace::{AlwaysOff, Pipeline, SamplingRequest, SamplingResult, TraceSpanExt};
use tracing::{Subscriber, debug_span, error, field, info, info_span};
use tracing_subscriber::filter::LevelFilter;

/// A value that counts how often it is formatted.
#[derive(Default)]
struct Counted(AtomicU32);

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        f.write_str("counted")
    }
}

impl Counted {
    fn times(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn nothing_is_formatted_when_everything_is_dropped() {
    let counted = Counted::default();
    let builder = || Pipeline::builder("layer").with_sampler(AlwaysOff);
    for compatible in [false, true] {
        let layer = |pipeline: &Pipeline| {
            let builder = way::builder(pipeline);
            if compatible { builder.compatible().build() } else { builder.build() }
        };
        trace_with(builder(), layer, || {
            let root = info_span!("root", a = ?counted, b = field::Empty).entered();
            root.record("b", field::debug(&counted));
            info!(c = ?counted, "said {:?}", counted);
            error!(d = ?counted);
            drop(info_span!("child", e = ?counted));
            info!(parent: &*root, f = ?counted);
        });
    }
    assert_eq!(counted.times(), 0);
}

#[test]
fn children_of_a_dropped_root_are_not_formatted() {
    let counted = Counted::default();
    let drops = |_: &SamplingRequest<'_>| SamplingResult::drop();
    let builder = Pipeline::builder("layer").with_sampler(drops);
    let outcome = trace_with(builder, way::plain, || {
        let root = info_span!("root", a = ?counted).entered();
        assert_eq!(counted.times(), 1, "the sampler sees the root's fields");
        let child = info_span!("child", b = ?counted, c = field::Empty).entered();
        child.record("c", field::debug(&counted));
        info!(d = ?counted, "said {:?}", counted);
        drop(info_span!("grandchild", e = ?counted));
        drop(child);
        root.record("a", field::debug(&counted));
    });
    assert_eq!(counted.times(), 1);
    assert_eq!(outcome.stats.sampled_out, 3);
}

#[test]
fn events_that_are_only_counted_or_without_a_span_are_not_formatted() {
    let counted = Counted::default();
    let counting =
        |pipeline: &Pipeline| way::builder(pipeline).with_counting_event_filter(|_| false).build();
    trace_with(keeping(), counting, || {
        info!(a = ?counted, "no span's {:?}", counted);
        info_span!("span").in_scope(|| info!(a = ?counted, "counted {:?}", counted));
    });
    assert_eq!(counted.times(), 0);
}

#[test]
fn each_value_is_formatted_once() {
    let counted = Counted::default();
    trace_with(tailed(), way::plain, || {
        let span = info_span!("span", a = ?counted).entered();
        drop(info_span!("child", b = ?counted));
        info!(c = ?counted, "said {:?}", counted);
        assert!(span.context().is_some());
    });
    assert_eq!(counted.times(), 4);
}

#[test]
fn a_filter_says_its_level_and_nothing_raises_it() {
    let leveled = |pipeline: &Pipeline| way::filtered(pipeline, LevelFilter::INFO);
    let pipeline = keeping().with_exporter(tailtrace::InMemoryExporter::new()).start().unwrap();
    assert_eq!(leveled(&pipeline).max_level_hint(), Some(LevelFilter::INFO));
    let filtered = way::filtered(&pipeline, LevelFilter::WARN);
    assert_eq!(filtered.max_level_hint(), Some(LevelFilter::WARN));
    let counted = Counted::default();
    let outcome = trace_under(keeping(), leveled, || {
        assert!(debug_span!("disabled", a = ?counted).is_disabled());
        tracing::debug!(a = ?counted);
    });
    assert_eq!((counted.times(), outcome.stats.started), (0, 0));
}
