//! Reading messages of protobuf that a peer wrote.

/// A field as it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::export::otlp) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a kind that no field has that is read here.
    Other,
}

/// The fields of a message with their numbers, up to the first that is malformed.
pub(in crate::export::otlp) struct Reader<'a>(pub(in crate::export::otlp) &'a [u8]);

impl<'a> Reader<'a> {
    /// The last number under this field, as protobuf wants it.
    pub(in crate::export::otlp) fn number(message: &'a [u8], field: u64) -> Option<u64> {
        let numbers = Reader(message).filter(|(number, _)| *number == field);
        numbers
            .filter_map(|(_, value)| if let Field::Number(n) = value { Some(n) } else { None })
            .last()
    }

    /// The last bytes under this field.
    pub(in crate::export::otlp) fn bytes(message: &'a [u8], field: u64) -> Option<&'a [u8]> {
        Self::all_bytes(message, field).last()
    }

    /// All bytes under this field.
    pub(in crate::export::otlp) fn all_bytes(
        message: &'a [u8],
        field: u64,
    ) -> impl Iterator<Item = &'a [u8]> {
        Reader(message).filter_map(move |(number, value)| match value {
            Field::Bytes(bytes) if number == field => Some(bytes),
            _ => None,
        })
    }

    /// The last text under this field; what is not UTF-8 is replaced.
    pub(in crate::export::otlp) fn text(message: &'a [u8], field: u64) -> Option<String> {
        Self::bytes(message, field).map(|text| String::from_utf8_lossy(text).into_owned())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Field::Number(self.varint()?),
            2 => {
                let len = self.varint()?;
                Field::Bytes(self.take(len)?)
            }
            1 => self.take(8).map(|_| Field::Other)?,
            5 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_a_peer_writes_is_read_to_an_end(
            message in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assert!(Reader(&message).count() <= message.len());
        }
    }
}
