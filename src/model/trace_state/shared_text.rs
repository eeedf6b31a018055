//! The text of a list, behind the handle that contexts and traces share.

use std::hash::{Hash, Hasher};

use crate::kit::carried::CarriedBytes;

/// The text of a list.
#[derive(Debug)]
pub(super) struct SharedText {
    pub(super) text: Box<str>,
    _carried: CarriedBytes,
}

impl SharedText {
    /// The memory beside the text: both blocks of the heap with what an allocator adds.
    const BESIDES: usize = size_of::<Self>() + 4 * size_of::<usize>();

    pub(super) fn new(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        let carried = CarriedBytes::of(text.len() + Self::BESIDES);
        Self { text, _carried: carried }
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.len() + Self::BESIDES
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SharedText {}

impl Hash for SharedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
