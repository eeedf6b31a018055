//! The wire format of protobuf: writing in one pass.

/// How a field's value is written, as the low bits of its key.
pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const BYTES: u32 = 2;
pub(super) const FIXED32: u32 = 5;

/// The key of a field whose number is below 16.
pub(super) const fn key(field: u32, kind: u32) -> u8 {
    (field << 3 | kind) as u8
}

#[inline]
pub(super) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes a varint takes.
#[inline]
pub(super) const fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// A field of bytes or text.
#[inline]
pub(super) fn bytes(out: &mut Vec<u8>, key: u8, value: &[u8]) {
    out.push(key);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// How many bytes a field of so many bytes takes.
#[inline]
pub(super) const fn bytes_len(value: usize) -> usize {
    1 + varint_len(value as u64) + value
}

/// Text, unless it is empty, which is what its absence means.
#[inline]
pub(super) fn text(out: &mut Vec<u8>, key: u8, value: &str) {
    if !value.is_empty() {
        bytes(out, key, value.as_bytes());
    }
}

/// How many bytes a field of such text takes.
#[inline]
pub(super) const fn text_len(value: &str) -> usize {
    if value.is_empty() { 0 } else { bytes_len(value.len()) }
}

/// A number of fixed length, unless it is zero.
#[inline]
pub(super) fn fixed64(out: &mut Vec<u8>, key: u8, value: u64) {
    if value != 0 {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        out.extend_from_slice(&[key, a, b, c, d, e, f, g, h]);
    }
}

/// A whole number, unless it is zero, which is what its absence means.
#[inline]
pub(super) fn number(out: &mut Vec<u8>, key: u8, value: u64) {
    if value != 0 {
        out.push(key);
        varint(out, value);
    }
}

/// A message that is being written: its length is not known yet.
///
/// Room is left for the length it is expected to have; where that was wrong, what was written moves
/// by a byte or two when it is closed. So lengths are as short as they can be, as every writer makes
/// them.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenMessage {
    at: usize,
    width: usize,
}

impl OpenMessage {
    /// Begins a message whose length takes about `width` bytes.
    #[inline]
    pub(super) fn begin(out: &mut Vec<u8>, key: u8, width: usize) -> Self {
        out.push(key);
        let at = out.len();
        out.resize(at + width, 0);
        Self { at, width }
    }

    /// Ends the message; how many bytes its length took.
    #[inline]
    pub(super) fn end(self, out: &mut Vec<u8>) -> usize {
        let start = self.at + self.width;
        let len = out.len() - start;
        let width = varint_len(len as u64);
        if width != self.width {
            self.make_room(out, width);
        }
        let mut left = len;
        // Just as many bytes as the length takes.
        for byte in out.iter_mut().skip(self.at).take(width) {
            *byte = if left >= 0x80 { left as u8 | 0x80 } else { left as u8 };
            left >>= 7;
        }
        width
    }

    #[cold]
    fn make_room(self, out: &mut Vec<u8>, width: usize) {
        let start = self.at + self.width;
        let end = out.len();
        let moved = self.at + width;
        if width > self.width {
            out.resize(end + width - self.width, 0);
        }
        out.copy_within(start..end, moved);
        out.truncate(moved + end - start);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::otlp::protobuf::reader::Reader;

    proptest! {
        #[test]
        fn a_message_reads_back_whatever_length_was_expected(
            content in prop_oneof![0_usize..300, 16_000_usize..17_000],
            width in 0_usize..6,
            number_written in 1_u64..,
        ) {
            let mut out = vec![7];
            let open = OpenMessage::begin(&mut out, key(3, BYTES), width);
            out.resize(out.len() + content, 9);
            prop_assert_eq!(open.end(&mut out), varint_len(content as u64));
            number(&mut out, key(4, VARINT), number_written);
            let message = &out[1..];
            prop_assert_eq!(message.len(), bytes_len(content) + 1 + varint_len(number_written));
            prop_assert_eq!(Reader::bytes(message, 3), Some(&vec![9; content][..]));
            prop_assert_eq!(Reader::number(message, 4), Some(number_written));
        }
    }
}
