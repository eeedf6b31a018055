//! Reading the `baggage` header.

use std::borrow::Cow;

use super::{
    Baggage, Entries,
    codec::{decode_into, is_token, trim},
};
use crate::model::text::whole_members;

/// Reads the lines of one baggage header under a common budget.
///
/// A malformed member is skipped, as it tells nothing about the others. What
/// lies behind the 64th member or does not end within the first 8192 bytes is
/// not looked at. Of members with the same name the last one wins.
#[derive(Default)]
pub(crate) struct BaggageReader {
    entries: Entries,
    members: usize,
    bytes: usize,
}

impl BaggageReader {
    /// Adds the members of the next line.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let left = Baggage::MAX_BYTES.saturating_sub(self.bytes);
        // A line more is a comma more in the combined header.
        self.bytes = self.bytes.saturating_add(line.len()).saturating_add(1);
        self.entries.reserve(line.len().min(left));
        for member in whole_members(line, left) {
            if self.members == Baggage::MAX_MEMBERS {
                return;
            }
            self.members += 1;
            self.member(member);
        }
    }

    fn member(&mut self, member: &[u8]) {
        // Values may hold what should have been encoded, but nothing that
        // could not stand in a header at all.
        let (true, Ok(member)) = (is_printable(member), str::from_utf8(member)) else {
            return;
        };
        let (pair, properties) = member.split_once(';').unwrap_or((member, ""));
        let Some((name, value)) = pair.split_once('=') else {
            return;
        };
        let name = trim(name);
        let value = trim(value);
        if is_token(name) {
            // An error means that the member is malformed, or does not fit.
            let _ = self.entries.set(name, |text, room| decode_into(text, value, room), properties);
        }
    }

    /// How many bytes of URL-encoded members may still be looked at, over all lines of all names.
    pub(crate) fn url_encoded_left(&self) -> usize {
        if self.members == Baggage::MAX_MEMBERS {
            return 0;
        }
        Self::MAX_URL_ENCODED.saturating_sub(self.bytes)
    }

    /// Counts a line, of which this many bytes are looked at.
    pub(crate) fn count_url_encoded(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(1);
    }

    /// Adds a member of a line that was [counted](Self::count_url_encoded): the name as it stands there, the value
    /// URL-encoded. A malformed one counts as well.
    pub(crate) fn url_encoded(&mut self, name: &str, value: &[u8]) {
        if self.members == Baggage::MAX_MEMBERS {
            return;
        }
        self.members += 1;
        let (true, Ok(value)) = (is_printable(value), str::from_utf8(value)) else {
            return;
        };
        if is_token(name) {
            // Form encoders write a space as `+`, and all write a plus as `%2B`.
            let value = if value.contains('+') {
                Cow::Owned(value.replace('+', " "))
            } else {
                Cow::Borrowed(value)
            };
            // An error means that it does not fit.
            let _ = self.entries.set(name, |text, room| decode_into(text, &value, room), "");
        }
    }

    /// What baggage of [`Baggage::MAX_BYTES`] takes if every byte is escaped, with its lines.
    const MAX_URL_ENCODED: usize = 3 * Baggage::MAX_BYTES + Baggage::MAX_MEMBERS;

    /// The members of all lines in the order of their names, for formats that
    /// have no order of their own.
    pub(crate) fn finish_sorted(mut self) -> Baggage {
        self.entries.sort_by_name();
        self.finish()
    }

    /// The members of all lines.
    pub(crate) fn finish(self) -> Baggage {
        Baggage { entries: self.entries.into_shared() }
    }
}

/// Whether a text may stand in a header, encoded or not: nothing of it is a control character.
fn is_printable(text: &[u8]) -> bool {
    // Without a way out of the loop, so that many bytes are compared at once.
    let is_control = |byte: &u8| (*byte < b' ') & (*byte != b'\t') | (*byte == 0x7f);
    !text.iter().fold(false, |found, byte| found | is_control(byte))
}
