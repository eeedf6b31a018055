//! A pipeline with a way into it, and what arrived.

// Each test program uses its part of it.
#![allow(dead_code)]

use crate::way::{self, Way};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tailtrace::ledger::Stats;
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::testing::tree;
use tailtrace::{AlwaysOn, Fraction, InMemoryExporter, Pipeline, SpanRef, Trace};
use tracing::dispatcher::{self, Dispatch};
use tracing::{Subscriber, span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What became of a program.
pub(crate) struct Outcome {
    pub(crate) traces: Vec<Trace>,
    pub(crate) stats: Stats,
}

impl Outcome {
    pub(crate) fn spans(&self) -> impl Iterator<Item = SpanRef<'_>> {
        self.traces.iter().flat_map(Trace::spans)
    }

    /// The span of this name.
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> SpanRef<'_> {
        let found = self.spans().find(|span| span.operation_name() == name);
        found.unwrap_or_else(|| panic!("no span {name} among {:?}", self.names()))
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.spans().map(SpanRef::operation_name).collect()
    }

    /// The name of a span's parent.
    #[track_caller]
    pub(crate) fn parent_of(&self, name: &str) -> Option<&str> {
        let parent = self.span(name).parent_span_id()?;
        let found = self.spans().find(|span| span.span_id() == parent);
        Some(found.map_or("(elsewhere)", SpanRef::operation_name))
    }

    /// All traces as text, in the order of their text.
    pub(crate) fn trees(&self) -> String {
        let mut trees: Vec<_> = self.traces.iter().map(tree).collect();
        trees.sort();
        trees.join("\n")
    }

    /// The messages a span logged.
    #[track_caller]
    pub(crate) fn logs(&self, name: &str) -> Vec<&str> {
        self.span(name).logs().map(|log| log.message()).collect()
    }
}

/// A pipeline that keeps everything, unless a test says otherwise.
pub(crate) fn keeping() -> PipelineBuilder {
    Pipeline::builder("layer").with_sampler(AlwaysOn)
}

/// A pipeline whose tail keeps everything, so that nothing is sampled before.
pub(crate) fn tailed() -> PipelineBuilder {
    Pipeline::builder("layer").with_tail(Fraction::new(1.0).unwrap())
}

/// Runs a program under the way that the suite tests.
pub(crate) fn trace(program: impl FnOnce()) -> Outcome {
    trace_with(keeping(), way::plain, program)
}

/// The same with a pipeline and options of one's own.
pub(crate) fn trace_with(
    builder: PipelineBuilder,
    traced: impl FnOnce(&Pipeline) -> Way,
    program: impl FnOnce(),
) -> Outcome {
    trace_under(builder, |pipeline| way::under(traced(pipeline)), program)
}

/// The same with a subscriber of one's own.
pub(crate) fn trace_under<S>(
    builder: PipelineBuilder,
    subscriber: impl FnOnce(&Pipeline) -> S,
    program: impl FnOnce(),
) -> Outcome
where
    S: Subscriber + Send + Sync + 'static,
{
    let run = Run::start(builder, subscriber);
    dispatcher::with_default(&run.dispatch, program);
    run.end()
}

/// A pipeline and a subscriber, and who watches that both forget what has closed.
pub(crate) struct Run {
    pub(crate) pipeline: Pipeline,
    pub(crate) dispatch: Dispatch,
    pub(crate) memory: InMemoryExporter,
    watcher: Watcher,
}

impl Run {
    pub(crate) fn start<S>(
        builder: PipelineBuilder,
        subscriber: impl FnOnce(&Pipeline) -> S,
    ) -> Self
    where
        S: Subscriber + Send + Sync + 'static,
    {
        let memory = InMemoryExporter::new();
        let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
        let watcher = Watcher::default();
        let dispatch = Dispatch::new(subscriber(&pipeline).with(watcher.clone()));
        Self { pipeline, dispatch, memory, watcher }
    }

    /// Ends it after every span of it has closed.
    #[track_caller]
    pub(crate) fn end(self) -> Outcome {
        let left = self.watcher.left(&self.dispatch);
        assert!(left.is_empty(), "these have not closed or are not forgotten: {left:?}");
        let live = self.pipeline.stats().live;
        assert_eq!(live, 0, "spans live though all have closed");
        self.stop()
    }

    /// Ends it whatever is left.
    #[track_caller]
    pub(crate) fn stop(self) -> Outcome {
        let _ = self.pipeline.shutdown(PATIENCE);
        let stats = self.pipeline.stats();
        assert!(stats.balances(), "{stats}");
        Outcome { traces: self.memory.traces(), stats }
    }
}

/// A layer that notes which spans there were.
#[derive(Clone, Default)]
pub(crate) struct Watcher(Arc<Mutex<BTreeMap<u64, Watched>>>);

#[derive(Clone, Copy, Debug)]
struct Watched {
    name: &'static str,
    is_closed: bool,
}

impl Watcher {
    /// What was not closed, or not forgotten after it was.
    fn left(&self, dispatch: &Dispatch) -> Vec<String> {
        let seen = self.0.lock().unwrap().clone();
        let left = seen.iter().filter(|(id, watched)| {
            !watched.is_closed || way::is_known(dispatch, &span::Id::from_u64(**id))
        });
        left.map(|(_, watched)| format!("{watched:?}")).collect()
    }
}

impl<S: Subscriber> Layer<S> for Watcher {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, _: Context<'_, S>) {
        let watched = Watched { name: attributes.metadata().name(), is_closed: false };
        self.0.lock().unwrap().insert(id.into_u64(), watched);
    }

    fn on_close(&self, id: span::Id, _: Context<'_, S>) {
        if let Some(watched) = self.0.lock().unwrap().get_mut(&id.into_u64()) {
            watched.is_closed = true;
        }
    }
}

/// A value that formats itself by running code.
pub(crate) struct Says<F>(pub(crate) F);

impl<F: Fn() -> &'static str> fmt::Debug for Says<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str((self.0)())
    }
}

impl<F: Fn() -> &'static str> fmt::Display for Says<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str((self.0)())
    }
}

/// A layer that notes what events say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// All that was said, a line each.
    pub(crate) fn said(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut said = String::new();
        event.record(&mut |field: &tracing::field::Field, value: &dyn fmt::Debug| {
            if field.name() == "message" {
                said = format!("{value:?}");
            }
        });
        self.0.lock().unwrap().push(said);
    }
}
