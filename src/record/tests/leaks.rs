//! Roots that stay open are told once, and not too often.

use std::time::Duration;

use super::*;
use crate::model::{SpanId, TraceContext, TraceId};
use crate::record::intake::Started;

/// A recorder and who watches it.
struct Watched {
    bench: Bench,
    watch: LeakWatch,
}

impl Watched {
    fn new(limits: RecordLimits) -> Self {
        Self { bench: Bench::keeping_errors(limits), watch: LeakWatch::new(limits.leak_age) }
    }

    /// What is told after so many more seconds, with a look in each of them.
    fn told_after(&mut self, seconds: u64) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..seconds {
            self.bench.clock.advance(Duration::from_secs(1));
            told.extend(self.watch.observe(&self.bench.recorder, self.bench.clock.clock().now()));
        }
        told
    }
}

fn minute() -> RecordLimits {
    RecordLimits::default().with_leak_age(Duration::from_secs(60))
}

#[test]
fn a_root_that_stays_open_is_told_once() {
    let mut watched = Watched::new(minute());
    let root = watched.bench.start("consume");
    let _child = watched.bench.recorder.start(SpanStart::under("child".into(), &root.context()));
    assert!(watched.told_after(59).is_empty());
    let told = watched.told_after(1);
    let id = root.context().trace_id;
    let expected = format!(
        "root span `consume` is open for over 60s: it was probably leaked, and its trace {id} is only \
         decided in parts before it ends"
    );
    assert_eq!(told, [expected]);
    assert!(watched.told_after(3_600).is_empty());
}

#[test]
fn a_root_that_ends_in_time_is_not_told() {
    let mut watched = Watched::new(minute());
    let root = watched.bench.start("handle");
    let child = watched.bench.recorder.start(SpanStart::under("child".into(), &root.context()));
    assert!(watched.told_after(59).is_empty());
    drop(root);
    assert!(watched.told_after(600).is_empty());
    drop(child);
}

#[test]
fn no_root_is_told_where_that_is_turned_off() {
    for age in [Duration::ZERO, Duration::MAX] {
        let mut watched = Watched::new(minute().with_leak_age(age));
        let _root = watched.bench.start("consume");
        assert!(watched.told_after(3_600).is_empty(), "{age:?}");
    }
}

#[test]
fn many_leaks_are_a_handful_of_sentences_a_minute() {
    let mut watched = Watched::new(minute());
    let jobs = (0..1_000).map(|number| watched.bench.start(format!("job {}", number % 100)));
    let _jobs: Vec<_> = jobs.collect();
    let _common: Vec<_> = (0..50).map(|_| watched.bench.start("common")).collect();
    let told = watched.told_after(60);
    assert_eq!(told.len(), 6, "{told:?}");
    assert!(told[0].starts_with("50 root spans `common` are open for over 60s"), "{told:?}");
    assert!(told[1..5].iter().all(|told| told.starts_with("10 root spans `job ")), "{told:?}");
    assert_eq!(told[5], "960 more root spans, of other names, are open for over 60s");
    assert!(watched.told_after(3_600).is_empty());
}

#[test]
fn a_name_that_leaks_all_the_time_is_told_once_a_minute() {
    let mut watched = Watched::new(minute());
    let mut open = Vec::new();
    let mut told = Vec::new();
    for _ in 0..180 {
        open.push(watched.bench.start("consume"));
        told.extend(watched.told_after(1));
    }
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].starts_with("60 root spans `consume` are open"), "{told:?}");
}

#[test]
fn an_age_of_minutes_is_looked_for_every_ten_seconds() {
    let mut watched = Watched::new(RecordLimits::default());
    let _root = watched.bench.start("consume");
    assert!(watched.told_after(600).is_empty());
    assert_eq!(watched.told_after(10).len(), 1);
}

#[test]
fn a_place_that_is_on_record_is_told() {
    let mut watched = Watched::new(minute());
    let mut start = SpanStart::new("consume".into());
    start.tags = vec![
        ("code.line.number".into(), 42.into()),
        ("code.file.path".into(), "src/worker.rs".into()),
    ];
    let _root = watched.bench.recorder.start(start);
    let told = watched.told_after(60);
    assert!(told[0].starts_with("root span `consume` at src/worker.rs:42 is open"), "{told:?}");
}

#[test]
fn a_root_of_another_tracer_is_told_once_although_its_name_is_not_known() {
    let mut watched = Watched::new(minute());
    let intake = Intake::new(Arc::clone(&watched.bench.recorder));
    let context = TraceContext::new(TraceId::new(), SpanId::new());
    let TraceContext { trace_id, span_id, .. } = context;
    intake.started(Started { trace_id, span_id, is_local_root: true }, || context);
    let told = watched.told_after(61);
    assert!(told.len() == 1 && told[0].starts_with("root span of another tracer"), "{told:?}");
    assert!(watched.told_after(600).is_empty());
}

#[cfg(feature = "layer")]
#[test]
fn a_root_that_has_asked_no_sampler_yet_is_told_and_not_again_when_it_has() {
    let mut watched = Watched::new(minute());
    let DraftStart::Draft(draft) = Draft::start(&watched.bench.recorder, "drafted") else {
        panic!("it is no draft")
    };
    let told = watched.told_after(60);
    assert!(told.len() == 1 && told[0].starts_with("root span `drafted` is open"), "{told:?}");
    let answer = draft.request(None).ask().unwrap();
    let _root = draft.settle(answer);
    assert!(watched.told_after(600).is_empty());
}
