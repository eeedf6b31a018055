//! The characters of the `baggage` header: which stand for themselves, and how
//! the others are written.

use std::fmt;

/// A token of HTTP: what names and property keys are made of.
pub(super) fn is_token(text: &str) -> bool {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(in_token)
}

/// Whether the byte may stand in a value of the header (`baggage-octet`).
fn is_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// Whether the byte of a decoded value stands for itself in the header.
fn is_plain(byte: u8) -> bool {
    is_octet(byte) && byte != b'%'
}

fn escape(byte: u8) -> [char; 3] {
    let digit = |nibble: u8| {
        char::from(if nibble < 10 {
            b'0' + nibble
        } else {
            b'A' + nibble - 10
        })
    };
    ['%', digit(byte >> 4), digit(byte & 0xf)]
}

/// How many bytes [`encode`] writes.
pub(super) fn encoded_len(value: &str) -> usize {
    value.len() + 2 * value.bytes().filter(|byte| !is_plain(*byte)).count()
}

/// Writes a value percent-encoded.
pub(super) fn encode(value: &str, out: &mut impl fmt::Write) -> fmt::Result {
    encode_unless(is_plain, value, out)
}

fn encode_unless(plain: fn(u8) -> bool, text: &str, out: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !plain(byte)) {
        out.write_str(rest.get(..at).unwrap_or_default())?;
        // Up to the next character, so that `rest` stays on a boundary.
        let after = rest.get(at..).unwrap_or_default();
        let width = after.chars().next().map_or(1, char::len_utf8);
        for byte in after.bytes().take(width) {
            escape(byte)
                .into_iter()
                .try_for_each(|char| out.write_char(char))?;
        }
        rest = after.get(width..).unwrap_or_default();
    }
    out.write_str(rest)
}

/// Appends the decoded value. What is not UTF-8 after decoding becomes U+FFFD,
/// and a `%` without two hex digits behind it stands for itself.
pub(super) fn decode_into(text: &mut String, encoded: &str) {
    let mut rest = encoded;
    // One character may take several escapes, so runs of them are decoded
    // together.
    let mut run = Vec::new();
    while let Some(at) = rest.find('%') {
        let (literal, escapes) = rest.split_at(at);
        text.push_str(literal);
        rest = escapes;
        run.clear();
        while let Some((byte, behind)) = unescape(rest) {
            run.push(byte);
            rest = behind;
        }
        if run.is_empty() {
            text.push('%');
            rest = rest.get(1..).unwrap_or_default();
        }
        for chunk in run.utf8_chunks() {
            text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
    text.push_str(rest);
}

fn unescape(text: &str) -> Option<(u8, &str)> {
    let [b'%', high, low, ..] = text.as_bytes() else {
        return None;
    };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let byte = digit(high)? << 4 | digit(low)?;
    Some((byte as u8, text.get(3..)?))
}

/// Appends the properties of a member, separated by `;`, without the optional
/// whitespace around their parts.
///
/// They stay in the form of the header: what is encoded stays so, and what
/// would break the header is encoded. So no property can bring in a member.
///
/// # Errors
/// The first key that is not a token.
pub(super) fn write_properties<'a>(properties: &'a str, text: &mut String) -> Result<(), &'a str> {
    const OWS: [char; 2] = [' ', '\t'];
    let start = text.len();
    for property in properties
        .split(';')
        .map(|property| property.trim_matches(OWS))
    {
        if property.is_empty() {
            continue;
        }
        if text.len() > start {
            text.push(';');
        }
        let (key, value) = match property.split_once('=') {
            Some((key, value)) => (
                key.trim_end_matches(OWS),
                Some(value.trim_start_matches(OWS)),
            ),
            None => (property, None),
        };
        if !is_token(key) {
            return Err(key);
        }
        text.push_str(key);
        if let Some(value) = value {
            text.push('=');
            // Writing to a `String` does not fail.
            let _ = encode_unless(is_octet, value, text);
        }
    }
    Ok(())
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
        decode_into(&mut out, value);
        out
    }

    fn properties(text: &str) -> Result<String, &str> {
        let mut out = String::new();
        write_properties(text, &mut out).map(|()| out)
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
    fn properties_stay_in_the_form_of_the_header() {
        assert_eq!(
            properties(" ttl = 30 ;; private;\tp=%2Cevil%3D1 ").unwrap(),
            "ttl=30;private;p=%2Cevil%3D1"
        );
        assert_eq!(properties("p=a,evil=1").unwrap(), "p=a%2Cevil=1");
        assert_eq!(properties("p=\r\né \"").unwrap(), "p=%0D%0A%C3%A9%20%22");
        assert_eq!(properties(" ; ").unwrap(), "");
        assert_eq!(properties("a;b c=1"), Err("b c"));
        assert_eq!(properties("=1"), Err(""));
        assert_eq!(properties("a,evil"), Err("a,evil"));
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(value in "\\PC{0,40}|[%0-9a-f,; ]{0,20}") {
            let text = encoded(&value);
            prop_assert!(text.bytes().all(is_octet));
            prop_assert_eq!(text.len(), encoded_len(&value));
            prop_assert_eq!(decoded(&text), value);
        }

        #[test]
        fn decoding_equals_decoding_the_bytes_at_once(value in "(%[0-9a-fC-F][0-9A-F]|%|[a-fé]){0,20}") {
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
