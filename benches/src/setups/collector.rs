//! fastrace's global collector.
//!
//! Spans go to a background thread, which builds records of them and reports them to nobody. Its
//! [cancellation](fastrace::Span::cancel) is the nearest it has to a tail.

use std::sync::Once;

use fastrace::Span;
use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::prelude::SpanContext;

use crate::Job;

struct Nowhere;

impl Reporter for Nowhere {
    fn report(&mut self, _spans: Vec<SpanRecord>) {}
}

/// Gives the process a reporter.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| fastrace::set_reporter(Nowhere, Config::default()));
}

/// Reported to nobody.
pub fn reported(shape: impl Fn(SpanContext) -> Span + Send + Sync + 'static) -> Job {
    job(move || drop(shape(SpanContext::random())))
}

/// Cancelled before its root ends.
pub fn cancelled(shape: impl Fn(SpanContext) -> Span + Send + Sync + 'static) -> Job {
    job(move || shape(SpanContext::random()).cancel())
}

/// Not recorded.
pub fn sampled_out(shape: impl Fn(SpanContext) -> Span + Send + Sync + 'static) -> Job {
    job(move || drop(shape(SpanContext::random().sampled(false))))
}

/// Each thread has a ring of 10,240 commands; what finds no place waits in a list of the thread's, so
/// that no span is lost.
fn job(trace: impl Fn() + Send + Sync + 'static) -> Job {
    start();
    Job::new(trace).settling(10_000, fastrace::flush)
}
