//! The characters of the `baggage` header: which stand for themselves, and how
//! the others are written.

use std::fmt;

use crate::model::text::ByteSet;

pub(super) static TOKEN: ByteSet =
    ByteSet::of_ranges(&[(b'a', b'z'), (b'A', b'Z'), (b'0', b'9')]).and(b"!#$%&'*+-.^_`|~");

/// What stands for itself when a value is encoded.
static PLAIN: ByteSet = ByteSet::of_ranges(&[
    (0x21, 0x21),
    (0x23, 0x24),
    (0x26, 0x2b),
    (0x2d, 0x3a),
    (0x3c, 0x5b),
    (0x5d, 0x7e),
]);

/// What may stand in a value of the header (`baggage-octet`).
pub(super) static OCTET: ByteSet = PLAIN.and(b"%");

/// A token of HTTP: what names and property keys are made of.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && TOKEN.contains_all(text.as_bytes())
}

fn escape(byte: u8) -> [char; 3] {
    let digit =
        |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 });
    ['%', digit(byte >> 4), digit(byte & 0xf)]
}

/// How many bytes [`encode`] writes.
pub(super) fn encoded_len(value: &str) -> usize {
    len_unless(&PLAIN, value)
}

/// Writes a value percent-encoded.
pub(super) fn encode(value: &str, out: &mut impl fmt::Write) -> fmt::Result {
    encode_unless(&PLAIN, value, out)
}

pub(super) fn len_unless(plain: &ByteSet, text: &str) -> usize {
    text.len() + 2 * plain.count_others(text.as_bytes())
}

pub(super) fn encode_unless(plain: &ByteSet, text: &str, out: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !plain.contains(byte)) {
        out.write_str(rest.get(..at).unwrap_or_default())?;
        // Up to the next character, so that `rest` stays on a boundary.
        let after = rest.get(at..).unwrap_or_default();
        let width = after.chars().next().map_or(1, char::len_utf8);
        for byte in after.bytes().take(width) {
            for char in escape(byte) {
                out.write_char(char)?;
            }
        }
        rest = after.get(width..).unwrap_or_default();
    }
    out.write_str(rest)
}

/// How many bytes are decoded before they are looked at as characters.
const CHUNK: usize = 64;

/// Appends the decoded value. What is not UTF-8 after decoding becomes U+FFFD,
/// and a `%` without two hex digits behind it stands for itself.
///
/// # Errors
/// If it would take more than `room` bytes encoded again; so many at least. What is behind them is not decoded.
pub(super) fn decode_into(text: &mut String, encoded: &str, room: usize) -> Result<(), usize> {
    // Mostly there is nothing to decode.
    let (literal, rest) = encoded.split_at(encoded.find('%').unwrap_or(encoded.len()));
    text.push_str(literal);
    if rest.is_empty() {
        Ok(())
    } else {
        decode_escaped(text, rest.as_bytes(), literal.len(), room)
    }
}

/// Appends the decoded value behind `least` bytes of it.
fn decode_escaped(
    text: &mut String,
    mut encoded: &[u8],
    mut least: usize,
    room: usize,
) -> Result<(), usize> {
    let mut chunk = [0; CHUNK];
    // What may be the beginning of a character is carried from one chunk into the next.
    let mut carried = 0;
    loop {
        let (len, rest) = fill(&mut chunk, carried, encoded);
        encoded = rest;
        let start = text.len();
        let read = push_characters(text, chunk.get(..len).unwrap_or_default(), rest.is_empty());
        let written = text.as_bytes().get(start..).unwrap_or_default();
        // Only ASCII can stand for itself.
        least += written.len() + 2 * written.iter().filter(|byte| !byte.is_ascii()).count();
        if least > room {
            return Err(least);
        }
        if rest.is_empty() {
            return Ok(());
        }
        chunk.copy_within(read..len, 0);
        carried = len - read;
    }
}

/// Decodes as many bytes as fit behind those that are carried: how many there are then, and what is left.
fn fill<'a>(chunk: &mut [u8; CHUNK], carried: usize, encoded: &'a [u8]) -> (usize, &'a [u8]) {
    let mut len = carried;
    let mut at = 0;
    for slot in chunk.iter_mut().skip(carried) {
        let Some(first) = encoded.get(at) else { break };
        *slot = *first;
        at += 1;
        if *first == b'%'
            && let Some([high, low]) = encoded.get(at..at + 2)
        {
            let high = HEX[usize::from(*high)];
            let low = HEX[usize::from(*low)];
            if high | low < 16 {
                *slot = high << 4 | low;
                at += 2;
            }
        }
        len += 1;
    }
    (len, encoded.get(at..).unwrap_or_default())
}

/// Appends the characters of a chunk and says how many bytes of it that were: all of the last one, and of others all but what
/// may be the beginning of a character.
fn push_characters(text: &mut String, chunk: &[u8], is_last: bool) -> usize {
    // Mostly all of it is, which is told for many bytes at once.
    if let Ok(whole) = str::from_utf8(chunk) {
        text.push_str(whole);
        return chunk.len();
    }
    let mut read = 0;
    for part in chunk.utf8_chunks() {
        text.push_str(part.valid());
        read += part.valid().len();
        let invalid = part.invalid().len();
        if !is_last && read + invalid == chunk.len() {
            break;
        }
        if invalid > 0 {
            text.push(char::REPLACEMENT_CHARACTER);
            read += invalid;
        }
    }
    read
}

/// What each byte is worth as a hex digit of either case; those that are none are worth 16.
static HEX: [u8; 256] = {
    let mut worth = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        worth[b"0123456789abcdef"[digit] as usize] = digit as u8;
        worth[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    worth
};

/// The text without the optional whitespace of HTTP around it.
pub(super) fn trim(text: &str) -> &str {
    let is_ows = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // Mostly there is none, which two looks tell.
    if is_ows(text.as_bytes().first()) || is_ows(text.as_bytes().last()) {
        text.trim_matches([' ', '\t'])
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(value: &str) -> String {
        let mut out = String::new();
        encode(value, &mut out).unwrap();
        out
    }

    fn decoded(value: &str) -> String {
        let mut out = String::new();
        decode_into(&mut out, value, usize::MAX).unwrap();
        out
    }

    #[test]
    fn everything_outside_baggage_octets_and_percent_is_encoded() {
        assert_eq!(encoded("a=b:c!~'()/?"), "a=b:c!~'()/?");
        assert_eq!(encoded(" \"\\,;%\u{1}\u{7f}"), "%20%22%5C%2C%3B%25%01%7F");
        assert_eq!(encoded("Zoë€😀"), "Zo%C3%AB%E2%82%AC%F0%9F%98%80");
        assert_eq!(encoded("100%41"), "100%2541");
    }

    #[test]
    fn decoding_accepts_both_cases_and_leaves_a_bare_percent() {
        assert_eq!(decoded("%c3%ABx%2c"), "ëx,");
        for text in ["%", "%%", "50%", "%4", "%zz", "%+1", "a%é"] {
            assert_eq!(decoded(text), text);
        }
        assert_eq!(decoded("%%41%4"), "%A%4");
    }

    #[test]
    fn what_is_not_utf_8_becomes_the_replacement_character() {
        assert_eq!(decoded("a%FFb"), "a\u{fffd}b");
        assert_eq!(decoded("%C3"), "\u{fffd}");
        assert_eq!(decoded("%C3x%AB"), "\u{fffd}x\u{fffd}");
    }

    #[test]
    fn what_does_not_fit_is_decoded_no_further() {
        let mut out = String::new();
        assert!(decode_into(&mut out, &"%FF".repeat(2_730), 8_192).is_err());
        assert!(out.len() < 3_000, "{}", out.len());
        // What fits is never refused.
        assert_eq!(decode_into(&mut out, "%41%C3%BCb%FF", 1 + 6 + 1 + 9), Ok(()));
    }

    #[test]
    fn characters_are_whole_wherever_a_long_run_of_escapes_is_cut() {
        for before in 0..70 {
            for (escapes, text) in [
                ("%F0%9F%98%80%41", "😀A"),
                ("%F0%9F%98", "\u{fffd}"),
                ("%FF%FF", "\u{fffd}\u{fffd}"),
            ] {
                let value = "%61".repeat(before) + escapes;
                assert_eq!(decoded(&value), "a".repeat(before) + text);
            }
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(value in "\\PC{0,40}|[%0-9a-f,; ]{0,20}") {
            let text = encoded(&value);
            prop_assert!(OCTET.contains_all(text.as_bytes()));
            prop_assert_eq!(text.len(), encoded_len(&value));
            prop_assert_eq!(decoded(&text), value);
        }

        #[test]
        fn decoding_equals_decoding_the_bytes_at_once(value in "(%[0-9a-fC-F][0-9A-F]|%|[a-fé]){0,20}|(%[89a-fE-F][89A-F]){0,200}") {
            let mut bytes = Vec::new();
            let mut rest = value.as_bytes();
            while let Some((first, behind)) = rest.split_first() {
                let digits = behind.get(..2).and_then(|pair| str::from_utf8(pair).ok());
                match digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                    Some(byte) if *first == b'%' => {
                        bytes.push(byte);
                        rest = &behind[2..];
                    }
                    _ => {
                        bytes.push(*first);
                        rest = behind;
                    }
                }
            }
            prop_assert_eq!(decoded(&value), String::from_utf8_lossy(&bytes));
        }
    }
}
