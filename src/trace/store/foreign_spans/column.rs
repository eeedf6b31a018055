//! Originals of one type in a column, whose readers do not know the type.

use std::any::Any;
use std::ops::Range;
use std::time::SystemTime;

use crate::model::TraceId;
use crate::time::ClockCorrection;
use crate::trace::SpanMut;
use crate::trace::store::recorded_spans::RecordedSpans;

/// Originals of one type.
pub(in crate::trace) trait OriginalColumn: Any + Send + Sync {
    fn len(&self) -> usize;
    fn clear(&mut self);
    /// Moves the originals into a column of their own, and their memory with them, without much to spare.
    fn take(&mut self) -> Box<dyn OriginalColumn>;
    /// The memory of the originals, and that of the records that may be made of them.
    fn reserved(&self) -> usize;
    /// Adds the record of an original, without its details.
    fn outline(&self, index: usize, records: &mut RecordedSpans, correction: ClockCorrection);
    /// The name of an original.
    fn name(&self, index: usize) -> Option<&str>;
    /// Writes the details of an original.
    fn describe(&self, index: usize, span: &mut SpanMut<'_>);
    /// The first start and the last end.
    fn times(&self) -> Option<(SystemTime, SystemTime)>;
    /// Whether any original says that it failed.
    fn has_errors(&self) -> bool;
    /// The memory that the originals point to, as they say.
    fn pointed_to(&self) -> usize;
    /// Moves the originals of another column behind these; false when they are of another type.
    fn append(&mut self, more: &mut dyn OriginalColumn) -> bool;
    /// A copy of some of the originals.
    fn part(&self, places: Range<usize>) -> Box<dyn OriginalColumn>;
    fn boxed_clone(&self) -> Box<dyn OriginalColumn>;
    /// Packs the originals; gives them back where their type has no packed form.
    fn pack(self: Box<Self>) -> Result<Box<dyn PackedColumn>, Box<dyn OriginalColumn>>;
}

/// Packed originals of one type.
pub(in crate::trace) trait PackedColumn: Send + Sync {
    /// The memory that they take.
    fn bytes(&self) -> usize;
    /// The originals as they were.
    fn unpack(self: Box<Self>, trace_id: TraceId) -> Box<dyn OriginalColumn>;
    fn boxed_clone(&self) -> Box<dyn PackedColumn>;
}
