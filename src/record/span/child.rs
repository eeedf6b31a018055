//! Starting a child of a running span.

use std::borrow::Cow;
use std::sync::Arc;

use super::active::ActiveSpan;
use super::unrecorded::UnrecordedSpan;
use crate::model::{Baggage, SpanId, SpanKind};
use crate::record::local::LocalTrace;
use crate::record::recorder::Recorder;

/// A span in whose local trace a child starts.
struct Parent<'a> {
    trace: &'a Arc<LocalTrace<Recorder>>,
    id: SpanId,
    baggage: &'a Baggage,
}

impl ActiveSpan {
    /// Starts a child, which inherits the baggage.
    // Inlined only as far as most traces of most services go.
    #[inline(always)]
    pub(crate) fn child(&self, name: Cow<'static, str>) -> Self {
        if let Self::Unrecorded(span) = self {
            return Self::Unrecorded(span.child());
        }
        self.child_with_record(name)
    }

    /// Starts a child as [`child`](Self::child) does, but never with code of the program; `None` where that would have
    /// to run, because the span came with a fork.
    #[cfg(feature = "layer")]
    #[inline(always)]
    pub(crate) fn child_without_user_code(&self, name: &'static str) -> Option<Self> {
        if let Self::Unrecorded(span) = self {
            return Some(Self::Unrecorded(span.child()));
        }
        self.child_with_record_unless_inherited(name)
    }

    #[inline(never)]
    fn child_with_record(&self, name: Cow<'static, str>) -> Self {
        let parent = match self.as_parent() {
            Ok(parent) => parent,
            Err(span) => return Self::Unrecorded(span.child()),
        };
        if parent.is_inherited() {
            return parent.trace.owner.start_below_inherited(name, &self.context());
        }
        parent.start_child(name)
    }

    #[cfg(feature = "layer")]
    #[inline(never)]
    fn child_with_record_unless_inherited(&self, name: &'static str) -> Option<Self> {
        let parent = match self.as_parent() {
            Ok(parent) => parent,
            Err(span) => return Some(Self::Unrecorded(span.child())),
        };
        (!parent.is_inherited()).then(|| parent.start_child(name.into()))
    }

    /// The span as a parent, or what it is where its trace is not recorded.
    #[inline(always)]
    fn as_parent(&self) -> Result<Parent<'_>, &UnrecordedSpan> {
        let (trace, id, baggage) = match self {
            Self::Recorded(span) => (&span.trace, span.id, &span.baggage),
            Self::OverLimit(span) => (&span.trace, span.id, &span.baggage),
            Self::Unrecorded(span) => return Err(span),
        };
        Ok(Parent { trace, id, baggage })
    }
}

impl Parent<'_> {
    /// Whether it came with a fork.
    #[inline(always)]
    fn is_inherited(&self) -> bool {
        self.trace.owner.is_inherited()
    }

    #[inline(always)]
    fn start_child(self, name: Cow<'static, str>) -> ActiveSpan {
        let Self { trace, id, baggage } = self;
        let recorder = &*trace.owner;
        let start = recorder.clock.now();
        recorder.start_child(trace, id, start, name, SpanKind::Internal, baggage.clone())
    }
}
