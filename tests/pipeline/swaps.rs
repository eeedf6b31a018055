//! Replacing the sampler and the tail while the pipeline runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, mpsc};
use std::thread::{self, ThreadId};

use tailtrace::ledger::Reason;
use tailtrace::record::KeepOutcome;
use tailtrace::tail::{DropIf, RootNamed};
use tailtrace::{
    AlwaysOff, AlwaysOn, Errors, Pipeline, Sampler, SamplingRequest, SamplingResult, TailPolicy,
    TailSampler, TraceView, Tracer, Verdict,
};

use crate::support::{self, PLENTY, by_name, exported, settled};

fn keep(_: &TraceView<'_>) -> Verdict {
    Verdict::keep()
}

fn pass(_: &TraceView<'_>) -> Verdict {
    Verdict::pass()
}

#[test]
fn a_new_sampler_decides_about_traces_that_start_after_it_and_no_others() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).start().unwrap();
    let tracer = pipeline.tracer();
    let before = tracer.start_span("before");
    pipeline.set_sampler(AlwaysOff);
    let off = tracer.start_span("off");
    assert!(before.child("child").is_recording() && !off.is_recording());
    pipeline.set_sampler(AlwaysOn);
    assert!(!off.child("child").is_recording(), "its trace was decided");
    drop(tracer.start_span("on"));
    drop((before, off));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [vec!["before", "child"], vec!["on"]]);
    assert_eq!(settled(&pipeline).sampled_out, 2);
}

#[test]
fn a_trace_is_decided_by_the_tail_that_is_there_when_it_completes() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(by_name).with_tail(pass).start().unwrap();
    let tracer = pipeline.tracer();
    let (kept, sampled) = (tracer.start_span("record, kept"), tracer.start_span("sample, kept"));
    let (probe, dropped) = (tracer.start_span("sample, probe"), tracer.start_span("record"));
    pipeline.set_tail(TailSampler::new().keep(keep.named("second")));
    drop(kept);
    pipeline
        .set_tail(TailSampler::new().keep(Errors).keep(DropIf(RootNamed::new("sample, probe"))));
    drop((sampled, probe, dropped));
    pipeline.flush(PLENTY).unwrap();
    let by: BTreeMap<_, _> = memory
        .traces()
        .iter()
        .map(|trace| (support::names(trace)[0].to_owned(), trace.kept_by().to_owned()))
        .collect();
    let expected = [("record, kept", "second"), ("sample, kept", "head sampler")];
    assert_eq!(by, expected.map(|(name, by)| (name.to_owned(), by.to_owned())).into());
    let stats = settled(&pipeline);
    assert_eq!((stats.held, stats.dropped_by(Reason::DroppedByPolicy)), (1, 1));
}

#[test]
fn late_spans_follow_the_decision_that_was_made_whatever_the_tail_is_by_then() {
    let (builder, clock, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep).start().unwrap();
    let root = pipeline.tracer().start_span("root");
    let straggler = root.child("straggler");
    drop(root);
    clock.advance(tailtrace::record::RecordLimits::default().linger);
    pipeline.flush(PLENTY).unwrap();
    pipeline.set_tail(DropIf(keep));
    drop(straggler);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root"], ["straggler"]]);
    assert_eq!(settled(&pipeline).late, 1);
}

#[test]
fn where_nobody_chose_a_sampler_the_default_follows_the_tail() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.start().unwrap();
    let tracer = pipeline.tracer();
    let root = tracer.start_span("early root");
    let mut unsampled = root.context().remote();
    unsampled.flags = unsampled.flags.with_sampled(false);
    let start = |name: &'static str| tracer.start_span_with_context(name, &unsampled);
    assert!(!start("follows its caller").is_recording());
    pipeline.set_tail(Errors);
    assert!(start("for the tail").is_recording());
    drop(tracer.start_span("not kept"));
    // The head sampled it before there was a tail.
    drop(root);
    pipeline.clear_tail();
    assert!(!start("follows its caller again").is_recording());
    drop(tracer.start_span("late root"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["early root"], ["late root"]]);
    let stats = settled(&pipeline);
    assert_eq!((stats.sampled_out, stats.held), (2, 2));
}

#[test]
fn a_sampler_that_was_chosen_stays_when_the_tail_changes() {
    for chosen_later in [false, true] {
        let (mut builder, ..) = support::pipeline();
        if !chosen_later {
            builder = builder.with_sampler(by_name);
        }
        let pipeline = builder.with_tail(keep).start().unwrap();
        if chosen_later {
            pipeline.set_sampler(by_name);
        }
        let tracer = pipeline.tracer();
        let recorded = || ["drop", "record", "sample"].map(|n| tracer.start_span(n).is_recording());
        assert_eq!(recorded(), [false, true, true]);
        pipeline.clear_tail();
        assert_eq!(recorded(), [false, false, true]);
        pipeline.set_tail(keep);
        assert_eq!(recorded(), [false, true, true]);
        settled(&pipeline);
    }
}

#[test]
fn what_was_recorded_for_a_tail_that_is_gone_can_be_asked_for() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep).start().unwrap();
    let root = pipeline.tracer().start_span("root");
    let id = root.context().trace_id;
    pipeline.clear_tail();
    drop(root);
    assert_eq!(settled(&pipeline).held, 1);
    assert_eq!(pipeline.keep(id), KeepOutcome::Exported);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root"]]);
}

/// Tells where it is dropped.
struct Told(Arc<Mutex<Vec<ThreadId>>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(thread::current().id());
    }
}

#[test]
fn the_old_one_is_dropped_by_the_thread_that_replaced_it() {
    let drops: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
    let (head, tail) = (Told(Arc::clone(&drops)), Told(Arc::clone(&drops)));
    let (builder, ..) = support::pipeline();
    let pipeline = builder
        .with_sampler(move |_: &SamplingRequest<'_>| {
            let _ = &head;
            SamplingResult::record()
        })
        .with_tail(move |_: &TraceView<'_>| {
            let _ = &tail;
            Verdict::pass()
        })
        .start()
        .unwrap();
    drop(pipeline.tracer().start_span("span"));
    pipeline.set_sampler(AlwaysOff);
    assert_eq!(drops.lock().unwrap().len(), 1, "the tail stays");
    pipeline.clear_tail();
    assert_eq!(*drops.lock().unwrap(), [thread::current().id(); 2]);
}

#[test]
fn one_that_is_being_asked_answers_and_is_dropped_by_the_asker() {
    let drops: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
    let told = Told(Arc::clone(&drops));
    let (is_asked, asked) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder
        .with_sampler(move |_: &SamplingRequest<'_>| {
            let _ = &told;
            is_asked.send(()).unwrap();
            wait.lock().unwrap().recv_timeout(PLENTY).unwrap();
            SamplingResult::sample()
        })
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    let asker = thread::spawn(move || drop(tracer.start_span("asked the old one")));
    asked.recv_timeout(PLENTY).unwrap();
    // It waits for nobody: the old one answers only afterwards.
    pipeline.set_sampler(AlwaysOff);
    drop(pipeline.tracer().start_span("asked the new one"));
    assert!(drops.lock().unwrap().is_empty(), "it is in use");
    go.send(()).unwrap();
    let id = asker.thread().id();
    asker.join().unwrap();
    assert_eq!(*drops.lock().unwrap(), [id]);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["asked the old one"]]);
    settled(&pipeline);
}

/// A pipeline that what runs inside it can reach.
type Own = Arc<OnceLock<Pipeline>>;

#[test]
fn a_sampler_and_a_policy_may_replace_themselves() {
    let own = Own::default();
    let (one, two) = (Arc::clone(&own), Arc::clone(&own));
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder
        .with_sampler(move |_: &SamplingRequest<'_>| {
            if let Some(pipeline) = one.get() {
                pipeline.set_sampler(AlwaysOn);
            }
            SamplingResult::record()
        })
        .with_tail(move |_: &TraceView<'_>| {
            if let Some(pipeline) = two.get() {
                pipeline.clear_tail();
            }
            Verdict::pass()
        })
        .start()
        .unwrap();
    assert!(own.set(pipeline.clone()).is_ok());
    let tracer = pipeline.tracer();
    drop(tracer.start_span("first"));
    drop(tracer.start_span("second"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["second"]]);
    assert_eq!(settled(&pipeline).held, 1);
}

/// Traces, replaces its successor and panics when it is dropped.
struct Vicious(Arc<OnceLock<(Pipeline, Tracer)>>);

impl Sampler for Vicious {
    fn should_sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        if let Some((pipeline, _)) = self.0.get() {
            pipeline.set_sampler(AlwaysOff);
        }
        panic!("a sampler's bug")
    }
}

impl TailPolicy for Vicious {
    fn evaluate(&self, _: &TraceView<'_>) -> Verdict {
        Verdict::pass()
    }
}

impl Drop for Vicious {
    fn drop(&mut self) {
        if let Some((pipeline, tracer)) = self.0.get() {
            drop(tracer.start_span("inside the drop"));
            pipeline.set_tail(Errors);
        }
        panic!("another bug")
    }
}

#[test]
fn whatever_the_old_one_does_when_it_is_dropped_is_survived_and_counted() {
    for while_asked in [false, true] {
        let (builder, ..) = support::pipeline();
        let own = Arc::default();
        let (head, tail) = (Vicious(Arc::clone(&own)), Vicious(Arc::clone(&own)));
        let pipeline = builder.with_sampler(head).with_tail(tail).start().unwrap();
        assert!(own.set((pipeline.clone(), pipeline.tracer())).is_ok());
        if while_asked {
            drop(pipeline.tracer().start_span("root"));
        } else {
            pipeline.set_sampler(AlwaysOff);
        }
        let stats = settled(&pipeline);
        // The sampler's drop replaced the tail, whose drop panicked as well.
        assert_eq!(stats.panics, if while_asked { 3 } else { 2 });
        assert_eq!(stats.dropped_by(Reason::OwnWork), 2);
        assert!(!pipeline.tracer().start_span("after").is_recording());
    }
}

#[test]
fn after_a_shutdown_nothing_starts_whatever_is_set() {
    let (builder, ..) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOff).start().unwrap();
    pipeline.shutdown(PLENTY).unwrap();
    pipeline.set_sampler(AlwaysOn);
    pipeline.set_tail(keep);
    assert!(!pipeline.tracer().start_span("span").is_recording());
    assert_eq!(settled(&pipeline).dropped_by(Reason::ShutDown), 1);
}

/// Counts itself among those that are alive.
struct Alive(Arc<AtomicU32>);

impl Alive {
    fn new(count: &Arc<AtomicU32>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn many_threads_trace_while_others_replace_both_and_every_span_is_accounted_for() {
    const TRACES: u64 = 2_000;
    const TRACERS: u64 = 3;
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.start().unwrap();
    let alive = Arc::new(AtomicU32::new(0));
    let is_over = AtomicBool::new(false);
    let together = Barrier::new(TRACERS as usize + 2);
    thread::scope(|scope| {
        let swappers = [
            scope.spawn(|| {
                together.wait();
                while !is_over.load(Ordering::Relaxed) {
                    for decide in
                        [SamplingResult::record, SamplingResult::sample, SamplingResult::drop]
                    {
                        let alive = Alive::new(&alive);
                        pipeline.set_sampler(move |_: &SamplingRequest<'_>| {
                            assert!(alive.0.load(Ordering::Relaxed) > 0);
                            decide()
                        });
                    }
                }
            }),
            scope.spawn(|| {
                together.wait();
                while !is_over.load(Ordering::Relaxed) {
                    for (name, verdict) in [("a", Verdict::keep()), ("b", Verdict::drop())] {
                        let alive = Alive::new(&alive);
                        let policy = move |_: &TraceView<'_>| {
                            assert!(alive.0.load(Ordering::Relaxed) > 0);
                            verdict.clone()
                        };
                        pipeline.set_tail(policy.named(name));
                    }
                    pipeline.clear_tail();
                }
            }),
        ];
        let tracers: Vec<_> = (0..TRACERS)
            .map(|_| {
                let (tracer, together) = (pipeline.tracer(), &together);
                scope.spawn(move || {
                    together.wait();
                    for _ in 0..TRACES {
                        let root = tracer.start_span("root");
                        drop(root.child("child"));
                    }
                })
            })
            .collect();
        for tracer in tracers {
            tracer.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        for swapper in swappers {
            swapper.join().unwrap();
        }
    });
    assert!(alive.load(Ordering::Relaxed) <= 2, "only what is set is left");
    pipeline.set_sampler(AlwaysOff);
    pipeline.clear_tail();
    assert_eq!(alive.load(Ordering::Relaxed), 0);
    pipeline.flush(PLENTY).unwrap();
    let stats = settled(&pipeline);
    assert_eq!(stats.started, 2 * TRACERS * TRACES);
    assert_eq!((stats.live, stats.panics), (0, 0));
    assert_eq!(memory.span_count() as u64, stats.exported);
    for trace in memory.traces() {
        assert_eq!(trace.span_count(), 2, "a trace is decided as a whole");
        assert!(["a", "head sampler"].contains(&trace.kept_by()), "{}", trace.kept_by());
    }
}
