//! The recorder by itself: a manual clock, seeded ids, and a sink that is a list.

mod behaviour;
mod bounds;
mod drafts;
mod ended;
mod late;
mod leaks;
mod model;
mod parts;
mod requests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::local::KeepOrigin;
use super::*;
use crate::kit::Random;
use crate::kit::unwind_safe::lock;
use crate::ledger::{Ledger, Stats};
use crate::model::{Resource, Status, TraceId};
use crate::sampling::{SamplingRequest, SamplingResult};
use crate::tail::Verdict;
use crate::time::{ManualClock, Tick};
use crate::trace::{Trace, TraceView};

struct Bench {
    recorder: Arc<Recorder>,
    clock: ManualClock,
    exported: Arc<Mutex<Vec<Trace>>>,
}

impl Bench {
    /// A recorder whose tail keeps traces with errors.
    fn keeping_errors(limits: RecordLimits) -> Self {
        Self::new(
            limits,
            |trace| {
                if trace.has_errors() { Verdict::keep() } else { Verdict::pass() }
            },
        )
    }

    fn new(
        limits: RecordLimits,
        tail: impl Fn(&TraceView<'_>) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let clock = ManualClock::new();
        let ledger = Arc::new(Ledger::default());
        let exported = Arc::new(Mutex::new(Vec::new()));
        let sink = {
            let exported = Arc::clone(&exported);
            let ledger = Arc::clone(&ledger);
            move |trace: Trace| {
                ledger.queued(trace.span_count() as u64);
                ledger.exported(trace.span_count() as u64);
                lock(&exported).push(trace);
            }
        };
        // Names that start with "head" are sampled, "drop" are dropped, the rest is for the tail.
        let sampler = |request: &SamplingRequest<'_>| match request.name {
            name if name.starts_with("head") => SamplingResult::sample(),
            name if name.starts_with("drop") => SamplingResult::drop(),
            _ => SamplingResult::record(),
        };
        let recorder = Recorder::new(RecorderSettings {
            clock: clock.clock(),
            random: Random::seeded(1),
            ledger,
            limits,
            sampler: Some(Arc::new(sampler)),
            tail: Some(Arc::new(tail)),
            is_coherent: false,
            resource: Arc::new(Resource::new("bench")),
            baggage_tags: BaggageTags::default(),
            decision_tags: true,
            records: true,
            sink: Box::new(sink),
        });
        Self { recorder, clock, exported }
    }

    fn start(&self, name: impl Into<std::borrow::Cow<'static, str>>) -> ActiveSpan {
        self.recorder.start(SpanStart::new(name.into()))
    }

    fn stats(&self) -> Stats {
        let stats = self.recorder.stats();
        assert!(stats.balances(), "{stats}");
        stats
    }

    /// Asks for a trace as a person does.
    fn keep(&self, id: TraceId) -> KeepOutcome {
        self.recorder.keep(KeepRequest::by_person(id, ASKED_FOR.into()))
    }

    /// Asks for a trace as a notice of another service does.
    fn hear(&self, trace_id: TraceId) -> KeepOutcome {
        let reason = "Errors at payments".into();
        self.recorder.keep(KeepRequest { trace_id, reason, origin: KeepOrigin::Notice })
    }

    fn now(&self) -> Tick {
        self.clock.clock().now()
    }

    fn poll(&self) {
        self.recorder.poll(self.now());
    }

    /// The names of the exported spans, each trace's in order of start.
    fn exported(&self) -> Vec<Vec<String>> {
        let names =
            |trace: &Trace| trace.spans().map(|span| span.operation_name().to_owned()).collect();
        lock(&self.exported).iter().map(names).collect()
    }
}

/// A trace that the tail dropped when its time was up, with a span that is still open.
fn dropped_with_straggler(bench: &Bench) -> (ActiveSpan, TraceId) {
    let root = bench.start("root");
    let id = root.context().trace_id;
    let straggler = root.child("straggler".into());
    drop(root);
    bench.clock.advance(Duration::from_secs(10));
    bench.poll();
    let stats = bench.stats();
    assert_eq!((stats.held, stats.live), (1, 1));
    (straggler, id)
}

fn fail(span: &ActiveSpan) {
    span.set_status(Status::error("it failed"));
}
