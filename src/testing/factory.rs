//! Hand-made traces in one expression.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::{LogLevel, SpanId, SpanKind, Status, TagKey, TagValue, TraceContext, TraceId};
use crate::trace::{KeepReason, Span, Trace};

/// A span to be made, with its children.
///
/// Made by [`span`], turned into a trace by [`trace`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SpanFactory {
    name: Cow<'static, str>,
    kind: SpanKind,
    starts_after: Option<Duration>,
    lasts: Option<Duration>,
    tags: Vec<(Cow<'static, str>, TagValue)>,
    logs: Vec<(LogLevel, Cow<'static, str>)>,
    status: Status,
    children: Vec<SpanFactory>,
}

/// A span of this name that starts when its elder sibling ends, or with its parent, and lasts as long
/// as its children, or one millisecond.
pub fn span(name: impl Into<Cow<'static, str>>) -> SpanFactory {
    SpanFactory {
        name: name.into(),
        kind: SpanKind::Internal,
        starts_after: None,
        lasts: None,
        tags: Vec::new(),
        logs: Vec::new(),
        status: Status::Unset,
        children: Vec::new(),
    }
}

impl SpanFactory {
    /// This span in another role.
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// This span, starting so long after its parent.
    pub fn starting_after(mut self, wait: Duration) -> Self {
        self.starts_after = Some(wait);
        self
    }

    /// This span, taking so long.
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.lasts = Some(duration);
        self
    }

    /// This span with one more tag.
    pub fn tag<'k>(mut self, key: impl Into<TagKey<'k>>, value: impl Into<TagValue>) -> Self {
        self.tags.push((key.into().into_owned(), value.into()));
        self
    }

    /// This span with one more log entry, said when it starts.
    pub fn log(mut self, level: LogLevel, message: impl Into<Cow<'static, str>>) -> Self {
        self.logs.push((level, message.into()));
        self
    }

    /// This span, failed.
    pub fn error(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.status = Status::error(description);
        self
    }

    /// This span with one more child.
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }
}

/// The trace of this root with the same ids and times in every run: trace id
/// `4bf92f3577b34da6a3ce929d0e0e4736`, span ids from 1, start 2026-01-01T00:00:00Z.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::testing::{span, trace};
/// let ms = Duration::from_millis;
/// let made = trace(
///     span("GET /")
///         .child(span("query").lasting(ms(20)).tag("rows", 3))
///         .child(span("render").lasting(ms(5))),
/// );
/// assert_eq!(made.duration(), ms(25));
/// ```
#[must_use]
pub fn trace(root: SpanFactory) -> Trace {
    let id = TraceId::from_bits(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    trace_with_id(id.unwrap_or_else(TraceId::new), root)
}

/// The trace of this root under an id of your own, where a test needs several.
#[must_use]
pub fn trace_with_id(id: TraceId, root: SpanFactory) -> Trace {
    let mut trace = Trace::new(id);
    let start = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    make(&mut trace, root, None, start);
    trace
}

/// A trace as if the tail policy of this name had kept it, for tests of exporters.
#[must_use]
pub fn kept_by(trace: Trace, policy: impl Into<Cow<'static, str>>) -> Trace {
    trace.with_reason(KeepReason { policy: policy.into(), ..KeepReason::default() })
}

/// Adds a span and what is below it; when its part of the trace ends.
fn make(
    trace: &mut Trace,
    made: SpanFactory,
    parent: Option<SpanId>,
    earliest: SystemTime,
) -> SystemTime {
    let start = earliest;
    let id = SpanId::from_bits(trace.span_count() as u64 + 1).unwrap_or_else(SpanId::new);
    let mut context = TraceContext::new(trace.trace_id(), id);
    context.parent_span_id = parent;
    let mut span = Span::started_at(made.name, context, start);
    span.set_kind(made.kind);
    for (key, value) in made.tags {
        span.set_tag(key, value);
    }
    for (level, message) in made.logs {
        span.log_at(start, level, message, std::iter::empty::<(&str, bool)>());
    }
    span.set_status(made.status);
    trace.add_span(span);
    let mut next = start;
    let mut last = start;
    for child in made.children {
        let child_start = child.starts_after.map_or(next, |wait| start + wait);
        next = make(trace, child, Some(id), child_start);
        last = last.max(next);
    }
    let lasts = made.lasts.unwrap_or_else(|| {
        let children = last.duration_since(start).unwrap_or_default();
        children.max(Duration::from_millis(1))
    });
    let end = start + lasts;
    if let Some(mut span) = trace.span_mut(id) {
        span.finish_at(end);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_follow_each_other_and_their_parent_lasts_as_long() {
        let ms = Duration::from_millis;
        let made = trace(
            span("root")
                .child(span("first").lasting(ms(2)))
                .child(span("second"))
                .child(span("aside").starting_after(ms(1)).lasting(ms(1))),
        );
        let root = made.root().unwrap();
        let times: Vec<_> = made
            .spans()
            .map(|span| {
                let start = span.start_time().duration_since(root.start_time());
                (span.operation_name(), start.unwrap(), span.duration())
            })
            .collect();
        assert_eq!(
            times,
            [
                ("root", ms(0), ms(3)),
                ("first", ms(0), ms(2)),
                ("aside", ms(1), ms(1)),
                ("second", ms(2), ms(1)),
            ]
        );
    }

    #[test]
    fn every_run_makes_the_same_ids() {
        let made = trace(span("root").child(span("child")));
        let ids: Vec<_> = made.spans().map(|span| span.span_id().to_bits()).collect();
        assert_eq!(ids, [1, 2]);
        assert_eq!(made.trace_id().to_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }
}
