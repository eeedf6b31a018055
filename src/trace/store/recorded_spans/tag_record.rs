//! Tags and texts as they stand in their columns.

use crate::trace::store::index::{ByteRange, TagIndex};

/// Text that is either static or lies in the arena.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    Static(&'static str),
    Arena(ByteRange),
}

/// The value of a tag. Text lies in the arena, what few spans have in [`RareDetails`](super::RareDetails).
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(ByteRange),
    Bytes(ByteRange),
    Array(u32),
}

/// A tag, or a field of a log entry, in its column.
#[derive(Clone, Copy, Debug)]
pub(super) struct TagRecord {
    pub(super) key: Text,
    pub(super) value: Value,
    pub(super) next: TagIndex,
    /// How many tags of its list stand before it, so that the last knows how many there are.
    pub(super) position: u32,
}

impl Text {
    /// The text, with the arena of its buffer.
    pub(super) fn read(self, arena: &str) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Arena(range) => arena.get(range.as_range()).unwrap_or_default(),
        }
    }

    /// Whether a stored key is this one, with the arena of its buffer. Static keys usually are the same pointer.
    #[inline]
    pub(super) fn is(self, key: &str, arena: &str) -> bool {
        match self {
            Self::Static(text) => text == key,
            Self::Arena(range) => arena.get(range.as_range()) == Some(key),
        }
    }
}
