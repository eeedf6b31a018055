//! The properties of a member: its metadata, in the form of the header.

use super::codec::{OCTET, TOKEN, encode_unless, is_token, len_unless, trim};

/// Why the properties of a member were refused.
#[derive(Debug, PartialEq)]
pub(super) enum PropertyError<'a> {
    /// This key is not a token.
    Key(&'a str),
    /// They take at least this many bytes, which is more than the limit.
    TooLong(usize),
}

/// Appends the properties of a member, separated by `;`, without the optional
/// whitespace around their parts.
///
/// They stay in the form of the header: what is encoded stays so, and what
/// would break the header is encoded. So no property can bring in a member.
///
/// # Errors
/// If a key is not a token, or they take more than `limit` bytes.
pub(super) fn write_properties<'a>(
    properties: &'a str,
    limit: usize,
    text: &mut String,
) -> Result<(), PropertyError<'a>> {
    let start = text.len();
    let mut rest = properties;
    loop {
        // A header of nothing but separators is passed over at once.
        rest = rest.trim_start_matches([';', ' ', '\t']);
        if rest.is_empty() {
            return Ok(());
        }
        let separator = if text.len() > start { ";" } else { "" };
        let (plain, behind) = rest.split_at_checked(plain_len(rest)).unwrap_or(("", rest));
        let property = if plain.is_empty() { Some(Property::first_of(rest)?) } else { None };
        let property_len = property.as_ref().map_or(plain.len(), Property::encoded_len);
        let len = text.len() - start + separator.len() + property_len;
        if len > limit {
            // Refused before it costs the memory.
            return Err(PropertyError::TooLong(len));
        }
        text.push_str(separator);
        rest = match property {
            None => {
                text.push_str(plain);
                behind
            }
            Some(property) => {
                property.encode(text);
                property.behind
            }
        };
    }
}

/// How many bytes of whole properties stand at the beginning as they are to be written. A header may have thousands
/// of properties, which are copied at once.
fn plain_len(text: &str) -> usize {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        Start,
        Key,
        Value,
    }
    let mut state = At::Start;
    let mut whole = 0;
    for (at, byte) in text.bytes().enumerate() {
        state = match (state, byte) {
            (At::Key | At::Value, b';') => {
                whole = at;
                At::Start
            }
            (At::Key, b'=') => At::Value,
            (At::Start | At::Key, _) if TOKEN.contains(byte) => At::Key,
            (At::Value, _) if OCTET.contains(byte) => At::Value,
            _ => return whole,
        };
    }
    if state == At::Start { whole } else { text.len() }
}

/// A property that needs a closer look, and what is behind it.
struct Property<'a> {
    key: &'a str,
    value: Option<&'a str>,
    behind: &'a str,
}

impl<'a> Property<'a> {
    /// Reads the first property of a text that does not begin with a separator.
    ///
    /// # Errors
    /// If its key is not a token.
    fn first_of(text: &'a str) -> Result<Self, PropertyError<'a>> {
        let (property, behind) = text.split_once(';').unwrap_or((text, ""));
        let equals = property.bytes().position(|byte| byte == b'=');
        let (key, value) = match equals.and_then(|at| property.split_at_checked(at)) {
            Some((key, value)) => (trim(key), value.get(1..).map(trim)),
            None => (trim(property), None),
        };
        if is_token(key) { Ok(Self { key, value, behind }) } else { Err(PropertyError::Key(key)) }
    }

    fn encoded_len(&self) -> usize {
        self.key.len() + self.value.map_or(0, |value| 1 + len_unless(&OCTET, value))
    }

    fn encode(&self, text: &mut String) {
        text.push_str(self.key);
        if let Some(value) = self.value {
            text.push('=');
            // Writing to a `String` does not fail.
            let _ = encode_unless(&OCTET, value, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn properties(text: &str) -> Result<String, PropertyError<'_>> {
        let mut out = String::new();
        write_properties(text, 40, &mut out).map(|()| out)
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
        assert_eq!(properties("a;b c=1"), Err(PropertyError::Key("b c")));
        assert_eq!(properties("=1"), Err(PropertyError::Key("")));
        assert_eq!(properties("a,evil"), Err(PropertyError::Key("a,evil")));
    }

    #[test]
    fn properties_that_take_too_much_are_refused_unwritten() {
        let fits = format!("a;b={}", "x".repeat(36));
        assert_eq!(properties(&fits).unwrap().len(), 40);
        assert_eq!(properties(&format!("{fits}x")), Err(PropertyError::TooLong(41)));
        assert_eq!(properties(&format!("a={}", "\"".repeat(13))), Err(PropertyError::TooLong(41)));
    }

    proptest! {
        #[test]
        fn what_is_copied_at_once_is_what_a_closer_look_writes(
            text in "([ab][ =;]?|[;= \\t,\"%é]){0,20}",
        ) {
            let mut expected = Ok(String::new());
            let mut rest = &*text;
            while let Ok(written) = &mut expected {
                rest = rest.trim_start_matches([';', ' ', '\t']);
                if rest.is_empty() {
                    break;
                }
                match Property::first_of(rest) {
                    Ok(property) => {
                        if !written.is_empty() {
                            written.push(';');
                        }
                        property.encode(written);
                        rest = property.behind;
                    }
                    Err(error) => expected = Err(error),
                }
            }
            let mut written = String::new();
            let result = write_properties(&text, 1000, &mut written).map(|()| written);
            prop_assert_eq!(result, expected);
        }
    }
}
