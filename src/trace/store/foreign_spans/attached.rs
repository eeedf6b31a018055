//! Foreign spans as what a buffer carries along.

use super::{ForeignSpans, ForeignSummary};
use crate::trace::store::attachment::Attachment;

impl Attachment for ForeignSpans {
    fn clear(&mut self) {
        self.column.clear();
        self.summary = ForeignSummary::default();
        self.forget_records();
    }

    fn spans(&self) -> usize {
        self.len()
    }

    /// The memory of the column and of its records, without what the originals point to.
    fn reserved(&self) -> usize {
        size_of::<Self>() + self.column.reserved()
    }

    fn boxed_clone(&self) -> Box<dyn Attachment> {
        Box::new(self.clone())
    }
}
