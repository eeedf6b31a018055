//! Reading the `tracestate` header.

use std::str::FromStr;

use super::{
    TraceState, TraceStateError,
    member_list::{MAX_KEY, MAX_VALUE, MemberList, is_key, is_value},
};
use crate::model::text::{excerpt_of_bytes, whole_members};

/// Reads the lines of one tracestate header under a common budget.
#[derive(Default)]
pub(crate) struct TraceStateReader {
    list: MemberList,
    members: usize,
    bytes: usize,
    refused: Option<TraceStateError>,
}

impl TraceStateReader {
    /// Every list that follows the rules fits, if it has no extra whitespace.
    /// What ends behind it is not looked at.
    const MAX_BYTES_READ: usize = TraceState::MAX_MEMBERS * (MAX_KEY + 1 + MAX_VALUE + 1);

    /// Adds the members of the next line.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let left = Self::MAX_BYTES_READ.saturating_sub(self.bytes);
        // A line more is a comma more in the combined header.
        self.bytes = self.bytes.saturating_add(line.len()).saturating_add(1);
        self.list.reserve(line.len());
        for member in whole_members(line, left) {
            if self.refused.is_some() {
                return;
            }
            self.refused = self.member(member).err();
        }
    }

    fn member(&mut self, member: &[u8]) -> Result<(), TraceStateError> {
        self.members += 1;
        if self.members > TraceState::MAX_MEMBERS {
            return Err(TraceStateError::TooManyMembers);
        }
        let Some(equals) = member.iter().position(|byte| *byte == b'=') else {
            return Err(TraceStateError::Member(excerpt_of_bytes(member)));
        };
        let (key, value) = member.split_at(equals);
        let value = value.get(1..).unwrap_or_default();
        if !is_key(key) {
            return Err(TraceStateError::Key(excerpt_of_bytes(key)));
        }
        if !is_value(value) {
            return Err(TraceStateError::Value(excerpt_of_bytes(value)));
        }
        // Both are ASCII by now.
        if let (Ok(key), Ok(value)) = (str::from_utf8(key), str::from_utf8(value)) {
            self.list.push(key, value);
        }
        Ok(())
    }

    /// The members of all lines.
    pub(crate) fn finish(self) -> Result<TraceState, TraceStateError> {
        match self.refused {
            Some(error) => Err(error),
            None => Ok(TraceState { text: self.list.into_shared() }),
        }
    }
}

impl FromStr for TraceState {
    type Err = TraceStateError;

    /// Reads one header value. Empty members are skipped, one malformed member
    /// refuses the whole. Of members with the same key all travel on, and the
    /// first is the one that [`get`](Self::get) finds.
    ///
    /// # Errors
    /// If a member breaks the rules of the header, or there are more than 32.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reader = TraceStateReader::default();
        reader.line(text.as_bytes());
        reader.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> TraceState {
        text.parse().unwrap()
    }

    #[test]
    fn a_member_that_does_not_end_within_the_budget_is_not_read() {
        let budget = TraceStateReader::MAX_BYTES_READ;
        let padding = " ".repeat(budget - 4);
        assert_eq!(read(&format!("{padding}ab=1")).as_str(), "ab=1");
        assert_eq!(read(&format!("{padding}ab=1,c=2")).as_str(), "ab=1");
        assert_eq!(read(&format!("{padding}ab=12")).as_str(), "");
        assert_eq!(read(&format!("a=1,{padding}ab=1")).as_str(), "a=1");

        let mut reader = TraceStateReader::default();
        reader.line(format!("a=1{padding}").as_bytes());
        reader.line(b"b=2");
        reader.line(b"not valid at all");
        assert_eq!(reader.finish().unwrap().as_str(), "a=1");
    }
}
