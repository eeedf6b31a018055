//! A program that is traced by `tracing` and by OpenTelemetry.

use opentelemetry::trace::TracerProvider as _;
use tailtrace::Pipeline;
use tailtrace::otel::{Tracer, TracerProvider};
use tailtrace::pipeline::PipelineBuilder;
use tracing::dispatcher;
use tracing_subscriber::prelude::*;

use crate::support::{Outcome, Run, keeping};

/// Runs a program under a layer, with a tracer whose spans tell nothing of their library.
pub(crate) fn trace(program: impl FnOnce(&Tracer)) -> Outcome {
    trace_with(keeping(), |_, tracer| program(tracer))
}

pub(crate) fn trace_with(
    builder: PipelineBuilder,
    program: impl FnOnce(&Pipeline, &Tracer),
) -> Outcome {
    let run = start(builder);
    let tracer = TracerProvider::new(&run.pipeline).tracer("");
    dispatcher::with_default(&run.dispatch, || program(&run.pipeline, &tracer));
    assert_nothing_is_current();
    run.end()
}

pub(crate) fn start(builder: PipelineBuilder) -> Run {
    Run::start(builder, |pipeline| tracing_subscriber::registry().with(pipeline.layer()))
}

/// What was attached has been detached.
#[track_caller]
pub(crate) fn assert_nothing_is_current() {
    use opentelemetry::trace::TraceContextExt;
    assert!(!opentelemetry::Context::current().has_active_span(), "a span is still current");
}
