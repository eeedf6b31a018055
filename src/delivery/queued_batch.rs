//! What waits for an exporter, in the form in which it waits.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::export::{Batch, Loan};
use crate::trace::{PackedTrace, Trace};

/// A trace that waits, or a part of it.
// A hundred thousand may wait: what is rare is behind a pointer.
#[derive(Clone)]
pub(super) enum WaitingTrace {
    Whole(Trace),
    /// These spans of the trace, by their places.
    Part(Box<(Trace, Range<usize>)>),
    /// Originals of another tracer's, which take less memory so.
    Packed(Arc<PackedTrace>),
}

/// The traces of the next batch.
#[derive(Debug)]
pub(super) struct QueuedBatch {
    pub(super) traces: Vec<WaitingTrace>,
    /// Where the exporter leaves what became of the spans.
    pub(super) loan: Arc<Loan>,
}

impl WaitingTrace {
    /// Packs a trace, if it can be.
    pub(super) fn packed(trace: Trace) -> Self {
        trace.pack().map_or_else(Self::Whole, |packed| Self::Packed(Arc::new(packed)))
    }

    /// The memory that it takes, in bytes; for a part that of the whole.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Whole(trace) => trace.bytes(),
            Self::Part(part) => part.0.bytes(),
            Self::Packed(packed) => packed.bytes(),
        }
    }

    /// The trace as it was, or a copy of the part.
    fn unpack(self) -> Trace {
        match self {
            Self::Whole(trace) => trace,
            Self::Part(part) => part.0.part(part.1),
            Self::Packed(packed) => Arc::unwrap_or_clone(packed).unpack(),
        }
    }
}

impl QueuedBatch {
    /// The batch that an exporter gets. What is packed is unpacked here, and parts are copied, where that holds up no
    /// thread of the program.
    pub(super) fn unpack(self) -> Batch {
        let Self { mut traces, loan } = self;
        // A part is a batch of its own.
        let batch = match traces.pop() {
            Some(WaitingTrace::Part(part)) if traces.is_empty() => {
                let (trace, spans) = *part;
                Batch::from(trace.part(spans)).of_operation(trace.operation())
            }
            last => traces.into_iter().chain(last).map(WaitingTrace::unpack).collect(),
        };
        batch.lent_by(loan)
    }
}

impl fmt::Debug for WaitingTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(trace) => trace.fmt(f),
            Self::Part(part) => part.fmt(f),
            Self::Packed(packed) => {
                f.debug_struct("Packed").field("bytes", &packed.bytes()).finish()
            }
        }
    }
}
