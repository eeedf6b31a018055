//! Kept traces of another tracer's spans that wait in less memory than those take.

use std::sync::{Arc, OnceLock};

use super::{KeepReason, PLACE, Trace, TraceData, state_bytes};
use crate::model::Resource;
use crate::trace::header::TraceHeader;
use crate::trace::store::PackedForeignSpans;

/// A kept trace of another tracer's spans, packed. [Unpacked](Self::unpack) it is what it was.
#[derive(Clone)]
pub(crate) struct PackedTrace {
    header: TraceHeader,
    resource: Arc<Resource>,
    reason: KeepReason,
    spans: PackedForeignSpans,
}

impl Trace {
    /// Packs the trace; gives it back where it is not made of spans that can be packed, or something else refers to it.
    pub(crate) fn pack(self) -> Result<PackedTrace, Self> {
        if !self.0.store.is_foreign() {
            return Err(self);
        }
        let data = Arc::try_unwrap(self.0).map_err(Self)?;
        let TraceData { header, store, order, resource, reason } = data;
        match store.pack() {
            Ok(spans) => Ok(PackedTrace { header, resource, reason, spans }),
            Err(store) => {
                let data = TraceData { header, store, order, resource, reason };
                Err(Self(Arc::new(data)))
            }
        }
    }
}

impl PackedTrace {
    /// The trace as it was.
    pub(crate) fn unpack(self) -> Trace {
        let Self { header, resource, reason, spans } = self;
        let store = spans.unpack(header.trace_id);
        let order = OnceLock::new();
        Trace(Arc::new(TraceData { header, store, order, resource, reason }))
    }

    /// The memory that the trace takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        PLACE + size_of::<Self>() + state_bytes(&self.header.trace_state) + self.spans.bytes()
    }
}
