//! Traces made by hand for the unit tests of this room.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::{SpanId, Status, TraceContext, TraceId};
use crate::trace::{Span, Trace};

/// A trace whose randomness is `bits`, with one root span of `millis`, ending at `end` after the epoch.
pub(super) fn trace(bits: u64, name: &'static str, millis: u64, end: Duration) -> Trace {
    let id = TraceId::from_bits((1 << 100) | u128::from(bits)).unwrap();
    let mut trace = Trace::new(id);
    let end: SystemTime = UNIX_EPOCH + Duration::from_secs(1_000_000) + end;
    let context = TraceContext::new(id, SpanId::new());
    let mut span = Span::started_at(name, context, end - Duration::from_millis(millis));
    span.finish_at(end);
    trace.add_span(span);
    trace
}

/// A trace of one span that nothing is special about.
pub(super) fn plain() -> Trace {
    trace(0, "work", 1, Duration::ZERO)
}

/// [`plain`], with what `change` does to its span.
pub(super) fn with(change: impl FnOnce(&mut Span)) -> Trace {
    let id = TraceId::new();
    let mut span = Span::new("work", TraceContext::new(id, SpanId::new()));
    change(&mut span);
    span.finish();
    let mut trace = Trace::new(id);
    trace.add_span(span);
    trace
}

/// [`plain`] that failed.
pub(super) fn failed() -> Trace {
    with(|span| {
        span.set_status(Status::error("no stock"));
    })
}

/// A trace whose randomness is exactly `bits`.
pub(super) fn random(bits: u64) -> Trace {
    trace(bits, "work", 1, Duration::ZERO)
}
