//! Services of one group, each with a clock that stands still.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tailtrace::coherence::{Coherence, MemoryBus};
use tailtrace::ledger::CoherenceStats;
use tailtrace::model::Random;
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::tail::RootNamed;
use tailtrace::time::ManualClock;

use tailtrace::{
    Errors, InMemoryExporter, Pipeline, SpanGuard, SpanId, TailSampler, TraceContext, TraceId,
};

use crate::support::{PLENTY, exported};

/// A service with a tail that keeps errors, and drops on purpose what is named so.
pub(crate) struct Service {
    pub(crate) pipeline: Pipeline,
    pub(crate) memory: InMemoryExporter,
    pub(crate) clock: ManualClock,
}

pub(crate) fn tail() -> TailSampler {
    TailSampler::new().keep(Errors).drop_if(RootNamed::new("purpose*"))
}

impl Service {
    pub(crate) fn start(name: &str, bus: &MemoryBus) -> Self {
        Self::start_with(name, bus, |builder| builder.with_tail(tail()))
    }

    pub(crate) fn start_with(
        name: &str,
        bus: &MemoryBus,
        change: impl FnOnce(PipelineBuilder) -> PipelineBuilder,
    ) -> Self {
        let (clock, memory) = (ManualClock::new(), InMemoryExporter::new());
        let builder = Pipeline::builder(name)
            .with_clock(clock.clock())
            .with_random(Random::thread())
            .with_exporter(memory.clone())
            .with_coherence(Coherence::new(bus.clone()).with_group("test"));
        Self { pipeline: change(builder).start().unwrap(), memory, clock }
    }

    pub(crate) fn stats(&self) -> CoherenceStats {
        self.pipeline.stats().coherence
    }

    /// A local root of a trace that another service began.
    pub(crate) fn root(&self, name: &'static str, id: TraceId) -> SpanGuard {
        let caller = TraceContext::new(id, SpanId::new()).remote();
        self.pipeline.tracer().start_span_with_context(name, &caller)
    }

    /// Keeps a part of a trace, because it fails, and has that announced.
    pub(crate) fn keep(&self, id: TraceId) {
        fail(&self.root("failed", id));
        self.pipeline.flush(PLENTY).unwrap();
    }

    /// Waits until the account says so: what the bus brings comes on another thread.
    #[track_caller]
    pub(crate) fn wait(&self, says: impl Fn(&CoherenceStats) -> bool) {
        let start = Instant::now();
        while !says(&self.stats()) {
            assert!(start.elapsed() < PLENTY, "{}", self.stats());
            thread::park_timeout(Duration::from_millis(1));
        }
        // What the notice has had kept is on its way then.
        self.pipeline.flush(PLENTY).unwrap();
    }

    pub(crate) fn exported(&self) -> Vec<Vec<String>> {
        self.pipeline.flush(PLENTY).unwrap();
        // What a notice takes out of the ring is in motion for a moment, on the thread of the bus.
        let start = Instant::now();
        while !self.pipeline.stats().balances() {
            assert!(start.elapsed() < PLENTY, "{}", self.pipeline.stats());
            thread::park_timeout(Duration::from_millis(1));
        }
        exported(&self.memory)
    }
}

pub(crate) fn fail(span: &SpanGuard) {
    span.set_error(&io::Error::other("it failed"));
}

/// Services that have met: each hears what each other announces. What that took is cleared away.
pub(crate) fn meet(services: &[&Service]) {
    for one in services {
        for other in services {
            if std::ptr::eq(*one, *other) {
                continue;
            }
            let before = other.stats().heard;
            let start = Instant::now();
            while other.stats().heard == before {
                assert!(start.elapsed() < PLENTY, "they never met");
                // The budget of a clock that stands still is spent once.
                one.clock.advance(Duration::from_secs(1));
                one.keep(TraceId::new());
                thread::park_timeout(Duration::from_millis(1));
            }
        }
    }
    // What is still on its way comes before what is announced from now on.
    for one in services {
        let last = TraceId::new();
        one.keep(last);
        let start = Instant::now();
        for other in services {
            while !other.knows(last) {
                assert!(start.elapsed() < PLENTY, "{}", other.stats());
                thread::park_timeout(Duration::from_millis(1));
            }
        }
    }
    services.iter().for_each(|service| {
        service.pipeline.flush(PLENTY).unwrap();
        service.memory.clear();
    });
}

impl Service {
    /// Whether a part of this trace that comes now would be kept.
    fn knows(&self, id: TraceId) -> bool {
        let before = self.stats().kept_when_they_came;
        drop(self.root("probe", id));
        self.stats().kept_when_they_came > before
    }
}
