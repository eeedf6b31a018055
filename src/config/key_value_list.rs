//! Lists of keys and values, such as `a=1,b=2`.

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

/// Parses such a list as HTTP headers, and gives their names in lower case.
///
/// # Errors
/// When an entry is malformed or cannot be sent as a header.
pub(super) fn parse_headers(text: &str) -> Result<Vec<(String, String)>, KeyValueListError> {
    let mut headers = parse(text)?;
    for (index, (name, value)) in headers.iter_mut().enumerate() {
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        let is_value = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        if !is_name || !is_value {
            return Err(KeyValueListError::NoHeader(index + 1));
        }
        name.make_ascii_lowercase();
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
    fn what_cannot_stand_in_a_header_is_refused() {
        let header = parse_headers("X-Api-Key=s%20ecret");
        assert_eq!(header, Ok(vec![("x-api-key".to_owned(), "s ecret".to_owned())]));
        for text in ["a b=1", "a=%0d%0ax: y", "a=%C3%A9", "a:=1"] {
            assert_eq!(parse_headers(text), Err(KeyValueListError::NoHeader(1)), "{text}");
        }
    }
}
