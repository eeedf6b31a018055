//! What a buffer of recorded spans may carry along.

use std::any::Any;
use std::fmt;

/// Something that a store holds in the place of recorded spans, and whose memory counts against their budget.
///
/// It lies behind the pointer to the details of recorded spans, so that a store of recorded spans is not a word
/// larger for it, and is dropped without a look at it. The trait keeps the files of recorded spans apart from those of
/// what is attached.
pub(super) trait Attachment: Any + Send + Sync + fmt::Debug {
    /// Removes the content and keeps the memory.
    fn clear(&mut self);
    /// How many spans it stands for.
    fn spans(&self) -> usize;
    /// The memory it has reserved, in bytes.
    fn reserved(&self) -> usize;
    fn boxed_clone(&self) -> Box<dyn Attachment>;
}

impl Clone for Box<dyn Attachment> {
    fn clone(&self) -> Self {
        (**self).boxed_clone()
    }
}
