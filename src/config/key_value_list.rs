//! Lists of keys and values, such as `a=1,b=2`.

use crate::kit::header_rule::{HeaderFault, checked_name};

/// A bound far above real lists: each pair costs a comparison with those before it.
const MAX_PAIRS: usize = 1000;

/// What is wrong with a list. The message repeats nothing of the list, because values may be secrets.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum KeyValueListError {
    #[error("entry {0} has no `=` between key and value")]
    NoEquals(usize),
    #[error("entry {0} has no key before its `=`")]
    NoKey(usize),
    #[error(
        "entry {0} has a `%` without two hexadecimal digits behind it, or is not UTF-8 when decoded"
    )]
    Encoding(usize),
    #[error(
        "entry {0} cannot stand in a header; use a token as the name and visible ASCII as the value"
    )]
    NoHeader(usize),
    #[error("entry {0} is a header of the protocol's own; leave it out")]
    Reserved(usize),
    #[error("it has more than {MAX_PAIRS} entries")]
    TooMany,
}

/// Parses `key=value` pairs, separated by commas, in which any character may be percent-encoded. Of several
/// pairs with the same key the last one counts; entries of white space alone are skipped.
///
/// # Errors
/// When an entry is malformed.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, KeyValueListError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (index, entry) in text.split(',').enumerate() {
        let at = index + 1;
        if entry.trim().is_empty() {
            continue;
        }
        // The first `=` separates: an encoded one is not a separator, and values such as base64 end in `=`.
        let (key, value) = entry.split_once('=').ok_or(KeyValueListError::NoEquals(at))?;
        let key = decode(key.trim()).ok_or(KeyValueListError::Encoding(at))?;
        let value = decode(value.trim()).ok_or(KeyValueListError::Encoding(at))?;
        if key.is_empty() {
            return Err(KeyValueListError::NoKey(at));
        }
        if let Some((_, old)) = pairs.iter_mut().find(|(known, _)| *known == key) {
            *old = value;
            continue;
        }
        if pairs.len() == MAX_PAIRS {
            return Err(KeyValueListError::TooMany);
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// The headers that can be sent, names in lower case, and what is wrong with the first of those that cannot.
pub(super) struct Headers {
    pub(super) sendable: Vec<(String, String)>,
    pub(super) fault: Option<KeyValueListError>,
}

/// Parses such a list as HTTP headers.
///
/// # Errors
/// When an entry is malformed.
pub(super) fn parse_headers(text: &str) -> Result<Headers, KeyValueListError> {
    let mut headers = Headers { sendable: Vec::new(), fault: None };
    for (index, (name, value)) in parse(text)?.into_iter().enumerate() {
        match checked_name(&name, &value) {
            Ok(name) => headers.sendable.push((name, value)),
            Err(fault) => {
                let fault = match fault {
                    HeaderFault::Reserved => KeyValueListError::Reserved(index + 1),
                    _ => KeyValueListError::NoHeader(index + 1),
                };
                headers.fault.get_or_insert(fault);
            }
        }
    }
    Ok(headers)
}

/// The text behind percent-encoding; `None` when it is malformed or not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let high = digit()?;
        let low = digit()?;
        bytes.push((high << 4 | low) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_parsed(text: &str, expected: &[(&str, &str)]) {
        let pairs = parse(text).unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(pairs, expected);
    }

    #[test]
    fn keys_and_values_are_decoded_and_trimmed() {
        assert_parsed(
            "a=1, b = two words ,c=%2C%3d",
            &[("a", "1"), ("b", "two words"), ("c", ",=")],
        );
        assert_parsed("a%2Cb=%C3%A9,empty=", &[("a,b", "é"), ("empty", "")]);
        assert_parsed("", &[]);
        assert_parsed(" , a=1,", &[("a", "1")]);
    }

    #[test]
    fn further_equals_signs_belong_to_the_value_and_a_plus_is_a_plus() {
        assert_parsed("auth=Basic dXNlcg==,b=1+1", &[("auth", "Basic dXNlcg=="), ("b", "1+1")]);
    }

    #[test]
    fn the_last_value_of_a_key_counts() {
        assert_parsed("a=1,b=2,a=3", &[("a", "3"), ("b", "2")]);
    }

    #[test]
    fn what_is_malformed_is_refused_by_its_place() {
        assert_eq!(parse("a=1,b"), Err(KeyValueListError::NoEquals(2)));
        assert_eq!(parse("=1"), Err(KeyValueListError::NoKey(1)));
        for text in ["a=%", "a=%2", "a=%zz", "%=1", "a=%+1", "a=%ff"] {
            assert_eq!(parse(text), Err(KeyValueListError::Encoding(1)), "{text}");
        }
        let many = |count: usize| (0..count).map(|n| format!("k{n}=v,")).collect::<String>();
        assert_eq!(parse(&many(1000)).map(|pairs| pairs.len()), Ok(1000));
        assert_eq!(parse(&many(1001)), Err(KeyValueListError::TooMany));
    }

    #[test]
    fn what_cannot_stand_in_a_header_costs_its_entry() {
        let read =
            |text: &str| parse_headers(text).map(|headers| (headers.sendable, headers.fault));
        let header = ("x-api-key".to_owned(), "s ecret".to_owned());
        assert_eq!(read("X-Api-Key=s%20ecret"), Ok((vec![header.clone()], None)));
        for text in ["a b=1", "a=%0d%0ax: y", "a=%C3%A9", "a:=1", "a=%09"] {
            let text = format!("{text},X-Api-Key=s ecret");
            let expected = (vec![header.clone()], Some(KeyValueListError::NoHeader(1)));
            assert_eq!(read(&text), Ok(expected), "{text}");
        }
        let reserved = read("X-Api-Key=s ecret,Content-Type=text/plain");
        assert_eq!(reserved, Ok((vec![header], Some(KeyValueListError::Reserved(2)))));
    }
}
