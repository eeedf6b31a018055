//! Where things stand in the columns of a store.

/// A place in a column. The type says which column; the last number is no place.
pub(super) trait ColumnIndex: Copy + PartialEq {
    /// The index that leads nowhere.
    const NONE: Self;

    fn as_usize(self) -> usize;
}

macro_rules! column_index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(u32);

        impl ColumnIndex for $name {
            const NONE: Self = Self(u32::MAX);

            #[inline]
            fn as_usize(self) -> usize {
                self.0 as usize
            }
        }

        impl $name {
            /// The index of the item that a column of this length gets next; `None` when it is full. No budget
            /// reaches as far as the last number.
            #[inline]
            pub(super) fn after(len: usize) -> Option<Self> {
                u32::try_from(len).ok().map(Self)
            }
        }
    };
}

column_index! {
    /// Where a span stands in its store.
    SpanIndex
}

column_index! {
    /// Where a log entry stands in its store.
    LogIndex
}

column_index! {
    /// Where a tag, or a field of a log entry, stands in its store.
    TagIndex
}

impl SpanIndex {
    /// Where the first span of a store stands: the local root, in a trace that the tracer recorded.
    pub(crate) const FIRST: Self = Self(0);

    /// A place that no span is beyond: what a search begins with that knows no better.
    pub(crate) const LAST: Self = Self(u32::MAX);

    pub(crate) const fn new(index: u32) -> Self {
        Self(index)
    }

    pub(crate) const fn get(self) -> u32 {
        self.0
    }
}

impl LogIndex {
    #[cfg(test)]
    pub(super) const fn new(index: u32) -> Self {
        Self(index)
    }
}

#[cfg(feature = "layer")]
impl TagIndex {
    #[inline]
    pub(super) const fn new(index: u32) -> Self {
        Self(index)
    }

    #[inline]
    pub(super) const fn get(self) -> u32 {
        self.0
    }
}

/// The first and the last of a list that runs through a column: each item leads to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct ColumnList<I> {
    pub(super) first: I,
    pub(super) last: I,
}

impl<I: ColumnIndex> ColumnList<I> {
    pub(super) const EMPTY: Self = Self { first: I::NONE, last: I::NONE };

    pub(super) fn is_empty(self) -> bool {
        self.first == I::NONE
    }
}

/// A range of bytes in an arena of text or of raw bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteRange {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl ByteRange {
    pub(super) fn as_range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}
