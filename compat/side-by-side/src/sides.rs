//! A program, run twice.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider};
use tailtrace::layer::{TraceLayerBuilder, TraceSubscriberBuilder};
use tailtrace::{AlwaysOn, InMemoryExporter, Pipeline, TraceLayer};
use tracing::Subscriber;
use tracing::subscriber::with_default;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry};

use crate::peer::{Ours, Peer, Theirs};
use crate::seen::{self, Seen};

/// The trace of the remote parent.
pub const REMOTE_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// The remote parent.
pub const REMOTE_SPAN: &str = "b7ad6b7169203331";

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

pub type TheirLayer = OpenTelemetryLayer<Registry, SdkTracer>;

/// What both sides exported.
#[derive(Debug)]
pub struct Sides {
    pub theirs: Vec<Seen>,
    pub ours: Vec<Seen>,
}

/// Layers do not see spans and events with this target.
pub const HIDDEN: &str = "hidden";

/// A layer without a filter: what no layer wants to see does not exist at all.
struct SeesAll;

impl<S: Subscriber> Layer<S> for SeesAll {}

fn hide() -> FilterFn {
    FilterFn::new(|metadata| metadata.target() != HIDDEN)
}

impl Sides {
    /// Under the defaults of theirs, and the compatible preset of ours.
    pub fn of(program: impl Fn(&dyn Peer)) -> Self {
        Self::with(|theirs| theirs, |ours| ours, program)
    }

    /// The same with options on top; see [`options!`](crate::options).
    pub fn with<L>(
        theirs: impl FnOnce(TheirLayer) -> L,
        ours: impl Fn(TraceLayerBuilder) -> TraceLayerBuilder,
        program: impl Fn(&dyn Peer),
    ) -> Self
    where
        L: Layer<Registry> + Send + Sync + 'static,
    {
        Self {
            theirs: under_theirs(
                |layer| tracing_subscriber::registry().with(theirs(layer)),
                &program,
            ),
            ours: under_both_of_ours(|layer| ours(layer.compatible()), &program),
        }
    }

    /// Under ours as it comes without options, and theirs with options.
    pub fn with_default_of_ours(
        theirs: impl FnOnce(TheirLayer) -> TheirLayer,
        program: impl Fn(&dyn Peer),
    ) -> Self {
        Self {
            theirs: under_theirs(
                |layer| tracing_subscriber::registry().with(theirs(layer)),
                &program,
            ),
            ours: under_both_of_ours(|layer| layer, &program),
        }
    }

    /// With a filter of the layer's own that hides the target "hidden".
    pub fn filtered(program: impl Fn(&dyn Peer)) -> Self {
        Self {
            theirs: under_theirs(
                |layer| {
                    tracing_subscriber::registry().with(layer.with_filter(hide())).with(SeesAll)
                },
                &program,
            ),
            ours: under_ours(
                |layer| {
                    let layer: TraceLayer = layer.compatible().build();
                    tracing_subscriber::registry().with(layer.with_filter(hide())).with(SeesAll)
                },
                &program,
            ),
        }
    }

    /// Both are the same, in all there is.
    #[track_caller]
    pub fn same(self) -> Vec<Seen> {
        assert!(!self.theirs.is_empty(), "nothing was exported");
        assert!(self.theirs == self.ours, "theirs: {:#?}\nours: {:#?}", self.theirs, self.ours);
        self.ours
    }

    /// Both are the same, but for the order of tags and fields.
    #[track_caller]
    pub fn same_in_any_order(mut self) -> Vec<Seen> {
        for span in self.theirs.iter_mut().chain(&mut self.ours) {
            span.tags.sort_by(|a, b| a.0.cmp(&b.0));
            for log in &mut span.logs {
                log.fields.sort_by(|a, b| a.0.cmp(&b.0));
            }
        }
        self.same()
    }

    /// The span of this name, of theirs and of ours.
    #[track_caller]
    pub fn span(&self, name: &str) -> (&Seen, &Seen) {
        let find = |spans: &'_ [Seen]| spans.iter().position(|span| span.name == name);
        match (find(&self.theirs), find(&self.ours)) {
            (Some(theirs), Some(ours)) => (&self.theirs[theirs], &self.ours[ours]),
            _ => panic!("no span {name} on both sides: {self:#?}"),
        }
    }
}

/// What a program exports through `tracing-opentelemetry`.
pub fn under_theirs<S>(
    subscriber: impl FnOnce(TheirLayer) -> S,
    program: impl Fn(&dyn Peer),
) -> Vec<Seen>
where
    S: Subscriber + Send + Sync + 'static,
{
    let memory = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(memory.clone()).build();
    let layer = OpenTelemetryLayer::new(provider.tracer("side by side"));
    with_default(subscriber(layer), || program(&Theirs));
    let spans = memory.get_finished_spans().unwrap();
    seen::of_theirs(&spans, (REMOTE_TRACE, REMOTE_SPAN))
}

/// What a program exports through tailtrace's layer, which is what it exports through the subscriber.
#[track_caller]
fn under_both_of_ours(
    options: impl Fn(TraceLayerBuilder) -> TraceLayerBuilder,
    program: impl Fn(&dyn Peer),
) -> Vec<Seen> {
    let layer =
        under_ours(|layer| tracing_subscriber::registry().with(options(layer).build()), &program);
    let subscriber =
        under_ours(|layer| TraceSubscriberBuilder::from(options(layer)).build(), &program);
    assert!(layer == subscriber, "layer: {layer:#?}\nsubscriber: {subscriber:#?}");
    layer
}

/// What a program exports through tailtrace.
pub fn under_ours<S>(
    subscriber: impl FnOnce(TraceLayerBuilder) -> S,
    program: impl Fn(&dyn Peer),
) -> Vec<Seen>
where
    S: Subscriber + Send + Sync + 'static,
{
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("side by side")
        .with_sampler(AlwaysOn)
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    with_default(subscriber(TraceLayer::builder(&pipeline)), || program(&Ours));
    pipeline.shutdown(PATIENCE).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    seen::of_ours(&memory.traces(), (REMOTE_TRACE, REMOTE_SPAN))
}

/// The same options for both, as the first two arguments of [`Sides::with`].
#[macro_export]
macro_rules! options {
    ($($options:tt)*) => {
        (
            |layer: $crate::TheirLayer| layer $($options)*,
            |layer: ::tailtrace::layer::TraceLayerBuilder| layer $($options)*,
        )
    };
}
