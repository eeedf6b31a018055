//! Lists of keys and values, such as `a=1,b=2`. Pure.

/// More pairs than anybody has; each costs a comparison with those before it.
const MOST: usize = 1000;

/// What is wrong with a list. It repeats none of it, because values may be secrets.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum PairError {
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
    #[error("it has more than {MOST} entries")]
    TooMany,
}

/// Reads `key=value` pairs, separated by commas, in which anything may be percent-encoded. Of several
/// with the same key the last one counts; entries of white space alone are skipped.
///
/// # Errors
/// When any of it is malformed.
pub(super) fn read(text: &str) -> Result<Vec<(String, String)>, PairError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (index, entry) in text.split(',').enumerate() {
        let at = index + 1;
        if entry.trim().is_empty() {
            continue;
        }
        // Encoded ones would be nobody's separators, so the first one is; values such as base64 end in
        // more of them.
        let (key, value) = entry.split_once('=').ok_or(PairError::NoEquals(at))?;
        let key = decode(key.trim()).ok_or(PairError::Encoding(at))?;
        let value = decode(value.trim()).ok_or(PairError::Encoding(at))?;
        if key.is_empty() {
            return Err(PairError::NoKey(at));
        }
        if let Some((_, old)) = pairs.iter_mut().find(|(known, _)| *known == key) {
            *old = value;
            continue;
        }
        if pairs.len() == MOST {
            return Err(PairError::TooMany);
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// The same for HTTP headers, whose names are given in lower case.
///
/// # Errors
/// When any of it is malformed or could not be sent.
pub(super) fn read_headers(text: &str) -> Result<Vec<(String, String)>, PairError> {
    let mut headers = read(text)?;
    for (index, (name, value)) in headers.iter_mut().enumerate() {
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        let is_value = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        if !is_name || !is_value {
            return Err(PairError::NoHeader(index + 1));
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
        let (high, low) = (digit()?, digit()?);
        bytes.push((high << 4 | low) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Result<Vec<(String, String)>, PairError> {
        read(text)
    }

    #[track_caller]
    fn reads(text: &str, expected: &[(&str, &str)]) {
        let read = pairs(text).unwrap();
        let read: Vec<_> = read.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn keys_and_values_are_decoded_and_trimmed() {
        reads("a=1, b = two words ,c=%2C%3d", &[("a", "1"), ("b", "two words"), ("c", ",=")]);
        reads("a%2Cb=%C3%A9,empty=", &[("a,b", "é"), ("empty", "")]);
        reads("", &[]);
        reads(" , a=1,", &[("a", "1")]);
    }

    #[test]
    fn further_equals_signs_belong_to_the_value_and_a_plus_is_a_plus() {
        reads("auth=Basic dXNlcg==,b=1+1", &[("auth", "Basic dXNlcg=="), ("b", "1+1")]);
    }

    #[test]
    fn the_last_value_of_a_key_counts() {
        reads("a=1,b=2,a=3", &[("a", "3"), ("b", "2")]);
    }

    #[test]
    fn what_is_malformed_is_refused_by_its_place() {
        assert_eq!(pairs("a=1,b"), Err(PairError::NoEquals(2)));
        assert_eq!(pairs("=1"), Err(PairError::NoKey(1)));
        for text in ["a=%", "a=%2", "a=%zz", "%=1", "a=%+1", "a=%ff"] {
            assert_eq!(pairs(text), Err(PairError::Encoding(1)), "{text}");
        }
        let many = |count: usize| (0..count).map(|n| format!("k{n}=v,")).collect::<String>();
        assert_eq!(pairs(&many(1000)).map(|pairs| pairs.len()), Ok(1000));
        assert_eq!(pairs(&many(1001)), Err(PairError::TooMany));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused() {
        let header = read_headers("X-Api-Key=s%20ecret");
        assert_eq!(header, Ok(vec![("x-api-key".to_owned(), "s ecret".to_owned())]));
        for text in ["a b=1", "a=%0d%0ax: y", "a=%C3%A9", "a:=1"] {
            assert_eq!(read_headers(text), Err(PairError::NoHeader(1)), "{text}");
        }
    }
}
