//! The names of a spool's files, which say all that is known about a batch beside its bytes.
//!
//! `1732960000000000000-4d2a9-17-512-1c291ca3.otlp`: when it was written, by which process, its number, its spans and
//! the checksum of its bytes. Names sort by age, and none is used twice.

use std::fmt;

const EXTENSION: &str = ".otlp";

/// What the name of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) written_nanos: u64,
    pub(super) process: u64,
    pub(super) number: u64,
    pub(super) spans: u64,
    pub(super) checksum: u32,
}

impl FileName {
    /// Reads a name; `None` when it is no batch of a spool.
    pub(super) fn read(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(EXTENSION)?.split('-');
        let mut part = || parts.next();
        let read = Self {
            written_nanos: part()?.parse().ok()?,
            process: u64::from_str_radix(part()?, 16).ok()?,
            number: part()?.parse().ok()?,
            spans: part()?.parse().ok()?,
            checksum: u32::from_str_radix(part()?, 16).ok()?,
        };
        // Only a name that this crate writes.
        (read.to_string() == name).then_some(read)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { written_nanos, process, number, spans, checksum } = self;
        write!(f, "{written_nanos:019}-{process:x}-{number}-{spans}-{checksum:08x}{EXTENSION}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_reads_as_it_was_written_and_any_other_is_none(
            numbers in any::<(u64, u64, u64, u64)>(),
            checksum in any::<u32>(),
            other in ".{0,60}",
        ) {
            let (written_nanos, process, number, spans) = numbers;
            let name = FileName { written_nanos, process, number, spans, checksum };
            prop_assert_eq!(FileName::read(&name.to_string()), Some(name));
            prop_assert!(FileName::read(&other).is_none());
            let near = format!("{other}.otlp");
            prop_assert!(FileName::read(&near).is_none_or(|name| name.to_string() == near));
        }
    }
}
