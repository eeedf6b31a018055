//! Spans of HTTP requests, from outside: tower layers over services without a network.

mod client;
mod grpc;
mod hidden;
mod reqwest_client;
mod server;
mod server_options;
#[path = "../support/mod.rs"]
mod support;
mod trace_context;

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::time::ManualClock;
use tailtrace::{InMemoryExporter, Pipeline, Span};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt;

use support::PLENTY;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A pipeline that hears what this thread traces.
struct Traced {
    pipeline: Pipeline,
    clock: ManualClock,
    memory: InMemoryExporter,
    _default: DefaultGuard,
}

impl Traced {
    fn new() -> Self {
        Self::with(|pipeline| pipeline)
    }

    fn with(configure: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        let (builder, clock, memory) = support::pipeline();
        let pipeline = configure(builder).start().unwrap();
        let subscriber = tracing_subscriber::registry().with(pipeline.layer());
        Self { pipeline, clock, memory, _default: set_default(subscriber) }
    }

    /// The spans of every trace that is complete by now.
    #[track_caller]
    fn spans(&self) -> Vec<Span> {
        self.pipeline.flush(PLENTY).unwrap();
        self.memory.spans()
    }

    /// The only span of the only trace.
    #[track_caller]
    fn span(&self) -> Span {
        let mut spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:?}");
        support::settled(&self.pipeline);
        spans.remove(0)
    }
}

#[track_caller]
fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let found: Vec<_> = spans.iter().filter(|span| span.operation_name() == name).collect();
    assert_eq!(found.len(), 1, "{name} among {spans:?}");
    found[0]
}

fn text(span: &Span, key: &str) -> Option<String> {
    Some(span.tag(key)?.as_str()?.to_owned())
}

fn number(span: &Span, key: &str) -> Option<i64> {
    span.tag(key)?.as_i64()
}

/// A body that gives these frames, one each time it is asked.
#[derive(Default)]
struct Frames {
    frames: VecDeque<Result<&'static str, BodyFailed>>,
    /// Whether it says that it has ended as soon as it has.
    tells: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the disk is gone")]
struct BodyFailed;

impl Body for Frames {
    type Data = &'static [u8];
    type Error = BodyFailed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        drop(tracing::info_span!("read_block"));
        let frame = self.frames.pop_front();
        Poll::Ready(frame.map(|frame| frame.map(|text| Frame::data(text.as_bytes()))))
    }

    fn is_end_stream(&self) -> bool {
        self.tells && self.frames.is_empty()
    }
}

/// A body that has ended before it began.
fn empty() -> Frames {
    Frames { frames: VecDeque::new(), tells: true }
}

/// The next frame of a body that always has one ready, or an end.
fn next<B: Body + Unpin>(body: &mut B) -> Option<Result<Frame<B::Data>, B::Error>> {
    let mut context = Context::from_waker(std::task::Waker::noop());
    match Pin::new(body).poll_frame(&mut context) {
        Poll::Ready(frame) => frame,
        Poll::Pending => panic!("the body is not ready"),
    }
}
