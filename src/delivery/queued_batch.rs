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
    /// A trace as it is, with the memory that it takes, in bytes.
    pub(super) fn whole(trace: Trace) -> (Self, usize) {
        let bytes = trace.bytes();
        (Self::Whole(trace), bytes)
    }

    /// Packs a trace, if it can be; with it the memory that it takes then, in bytes.
    pub(super) fn packed(trace: Trace) -> (Self, usize) {
        match trace.pack() {
            Ok(packed) => {
                let bytes = packed.bytes();
                (Self::Packed(Arc::new(packed)), bytes)
            }
            Err(trace) => Self::whole(trace),
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
        let Self { traces, loan } = self;
        // A part is a batch of its own, and counts for the operation of the whole.
        let operation: Option<Arc<str>> = match &*traces {
            [WaitingTrace::Part(part)] => Some(part.0.operation().into()),
            _ => None,
        };
        let batch: Batch = traces.into_iter().map(WaitingTrace::unpack).collect();
        batch.of_operation(operation).lent_by(loan)
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
