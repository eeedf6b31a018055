//! One member of a baggage.

use std::fmt;

use super::codec::{encode, encoded_len};

/// One member of a [`Baggage`](crate::model::Baggage).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaggageMember<'a> {
    /// The name, a token.
    pub name: &'a str,
    /// The value, decoded.
    pub value: &'a str,
    /// The properties in the form of the header, separated by `;`; empty if
    /// there are none.
    pub metadata: &'a str,
}

impl BaggageMember<'_> {
    /// How many bytes the member takes in the header.
    pub(super) fn encoded_len(&self) -> usize {
        let metadata = if self.metadata.is_empty() { 0 } else { 1 + self.metadata.len() };
        self.name.len() + 1 + encoded_len(self.value) + metadata
    }
}

impl fmt::Display for BaggageMember<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        f.write_str("=")?;
        encode(self.value, f)?;
        if !self.metadata.is_empty() {
            f.write_str(";")?;
            f.write_str(self.metadata)?;
        }
        Ok(())
    }
}
