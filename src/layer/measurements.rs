//! What is measured and counted of a span while it is open.

use super::activity::ActivityTimer;
use super::options::RecordingOptions;
use crate::model::TagRef;
use crate::time::Tick;
use crate::trace::SpanMut;

/// What few options ask for. A span has them in a box, so that a span without them pays one word.
#[derive(Debug)]
pub(super) struct Measurements {
    pub(super) activity: Option<ActivityTimer>,
    /// How many events the span had, where they are counted.
    pub(super) events: Option<i64>,
}

impl Measurements {
    pub(super) fn new(start: Tick, options: &RecordingOptions) -> Self {
        Self {
            activity: options.inactivity.then(|| ActivityTimer::new(start)),
            events: options.counting_filter.is_some().then_some(0),
        }
    }

    #[cold]
    pub(super) fn write(&self, span: &mut SpanMut<'_>) {
        if let Some(events) = self.events {
            span.set_tag("otel.tracing_event_count", TagRef::I64(events));
        }
        if let Some(activity) = &self.activity {
            span.set_tag("busy_ns", TagRef::I64(activity.busy_nanos()));
            span.set_tag("idle_ns", TagRef::I64(activity.idle_nanos()));
        }
    }
}
