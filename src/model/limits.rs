//! How much one span may hold.

use crate::kit::with_fields;

/// The most that one span may hold; what goes beyond is dropped and counted.
///
/// The defaults for counts are OpenTelemetry's (specification, "SDK span limits"); the length limits
/// are ours, because a text without one can be as large as its writer likes.
///
/// ```
/// use tailtrace::model::Limits;
/// let limits = Limits::default().with_tags(32);
/// assert_eq!(limits.logs, 128);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Tags of a span. Default 128. Setting a tag costs the same however many there are.
    pub tags: u16,
    /// Log entries of a span. Default 128. At the limit an entry of level error takes the place of a
    /// lesser one.
    pub logs: u16,
    /// Links of a span. Default 128.
    pub links: u16,
    /// Fields of one log entry. Default 128.
    pub fields_per_log: u16,
    /// Tags of one link. Default 128.
    pub tags_per_link: u16,
    /// Bytes of a string or byte value, and of each text of a list; longer ones are cut at a character. Default
    /// 16 KiB.
    pub value_bytes: u32,
    /// Bytes of memory that a list takes, 24 for each text beside its own length; what comes behind is left out
    /// of the list. Default 64 KiB.
    pub list_bytes: u32,
    /// Bytes of a name, of a key, of a log message and of what a status says; longer ones are cut in the
    /// same way. Default 16 KiB.
    pub text_bytes: u32,
}

impl Limits {
    /// Limits that no span reaches: for spans that were held to other limits before.
    pub const NONE: Self = Self {
        tags: u16::MAX,
        logs: u16::MAX,
        links: u16::MAX,
        fields_per_log: u16::MAX,
        tags_per_link: u16::MAX,
        value_bytes: u32::MAX,
        list_bytes: u32::MAX,
        text_bytes: u32::MAX,
    };

    /// The default limits, as a constant that can be lent.
    pub(crate) const DEFAULT: Self = Self {
        tags: 128,
        logs: 128,
        links: 128,
        fields_per_log: 128,
        tags_per_link: 128,
        value_bytes: 16 * 1024,
        list_bytes: 64 * 1024,
        text_bytes: 16 * 1024,
    };

    with_fields! {
        tags: u16 => with_tags;
        logs: u16 => with_logs;
        links: u16 => with_links;
        fields_per_log: u16 => with_fields_per_log;
        tags_per_link: u16 => with_tags_per_link;
        value_bytes: u32 => with_value_bytes;
        list_bytes: u32 => with_list_bytes;
        text_bytes: u32 => with_text_bytes;
    }

    /// The fewest bytes that any of the length limits allows: what is shorter is not cut.
    #[must_use]
    pub fn shortest_bytes(&self) -> usize {
        self.value_bytes.min(self.list_bytes).min(self.text_bytes) as usize
    }

    /// The most bytes of any text; longer texts are cut.
    #[inline]
    pub(crate) fn most_bytes(&self) -> usize {
        self.value_bytes.max(self.text_bytes) as usize
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
