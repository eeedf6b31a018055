//! Foreign spans that wait in less memory than their originals take.

use std::any::Any;
use std::sync::OnceLock;

use super::column::PackedColumn;
use super::{FEW, ForeignSpans, ForeignSummary};
use crate::model::TraceId;
use crate::trace::store::SpanStore;

/// The foreign spans of one trace, packed.
pub(crate) struct PackedForeignSpans {
    column: Box<dyn PackedColumn>,
    summary: ForeignSummary,
    /// The memory of the store that they were in.
    unpacked_bytes: usize,
}

impl Clone for PackedForeignSpans {
    fn clone(&self) -> Self {
        let Self { column, summary, unpacked_bytes } = self;
        let column = column.boxed_clone();
        Self { column, summary: summary.clone(), unpacked_bytes: *unpacked_bytes }
    }
}

impl SpanStore {
    /// Packs foreign spans, without the records that were made of them; gives the store back where it holds none, or
    /// none that can be packed.
    pub(crate) fn pack(mut self) -> Result<PackedForeignSpans, Self> {
        let unpacked_bytes = self.bytes();
        let packed = self.foreign.as_mut().and_then(|foreign| foreign.pack(unpacked_bytes));
        packed.ok_or(self)
    }
}

impl ForeignSpans {
    fn pack(&mut self, unpacked_bytes: usize) -> Option<PackedForeignSpans> {
        match self.column.take().pack() {
            Ok(column) => {
                let summary = std::mem::take(&mut self.summary);
                Some(PackedForeignSpans { column, summary, unpacked_bytes })
            }
            Err(column) => {
                self.column = column;
                None
            }
        }
    }
}

impl PackedForeignSpans {
    /// The memory that the spans take, without that of this type itself.
    pub(crate) fn bytes(&self) -> usize {
        self.column.bytes()
    }

    /// A store of the spans as they were.
    pub(crate) fn unpack(self, trace_id: TraceId) -> SpanStore {
        let Self { column, summary, unpacked_bytes } = self;
        let column = column.unpack(trace_id);
        let any: &dyn Any = &*column;
        let kind = any.type_id();
        let foreign = ForeignSpans {
            column,
            kind,
            summary,
            expected: FEW,
            outlines: OnceLock::new(),
            records: OnceLock::new(),
        };
        SpanStore::of_foreign(foreign, unpacked_bytes)
    }
}
