//! Secrets in the paths and queries of requests.

use std::fmt::{self, Write};

use super::keys::SecretKeys;
use super::pairs::{REDACTED, write_pairs};

/// How many bytes are looked at; strangers choose the length, and what is behind it is left out.
const MOST: usize = 16 * 1024;

/// Writes a query without the values of secret keys.
pub(crate) fn write_query(query: &str, keys: &SecretKeys, out: &mut dyn Write) -> fmt::Result {
    let (looked_at, rest) = split(query, b'&');
    for part in looked_at.split_inclusive('&') {
        write_pairs(part, keys, out)?;
    }
    out.write_str(if rest.is_empty() { "" } else { REDACTED })
}

/// Writes a path without the values of secret parameters, as of `/shop;jsessionid=1`, and without credentials.
pub(crate) fn write_path(path: &str, keys: &SecretKeys, out: &mut dyn Write) -> fmt::Result {
    let (looked_at, rest) = split(path, b'/');
    for part in looked_at.split_inclusive('/') {
        let body = part.strip_suffix('/').unwrap_or(part);
        write_pairs(body, keys, out)?;
        out.write_str(part.get(body.len()..).unwrap_or_default())?;
    }
    out.write_str(if rest.is_empty() { "" } else { REDACTED })
}

/// Whether a path may hold what [`write_path`] leaves out.
pub(crate) fn may_hold_secrets(path: &str) -> bool {
    path.len() > MOST || path.bytes().any(|byte| matches!(byte, b'=' | b'%' | b'@' | b':' | b'+'))
}

/// The whole parts that are looked at, and the rest.
fn split(text: &str, separator: u8) -> (&str, &str) {
    let Some(first) = text.as_bytes().get(..MOST) else { return (text, "") };
    let end = first.iter().rposition(|byte| *byte == separator).map_or(0, |at| at + 1);
    text.split_at_checked(end).unwrap_or(("", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> String {
        let mut out = String::new();
        write_query(text, &SecretKeys::default(), &mut out).unwrap();
        out
    }

    fn path(text: &str) -> String {
        let mut out = String::new();
        write_path(text, &SecretKeys::default(), &mut out).unwrap();
        out
    }

    #[test]
    fn a_value_that_holds_a_secret_of_its_own_is_left_out() {
        for query in [
            "redirect_uri=https%3A%2F%2Fo%2Fcb%3Fcode%3DS3CRET",
            "next=%2Fcb%3Ftoken%3DS3CRET",
            "next=%252Fcb%253Ftoken%253DS3CRET",
            "q=a%26token%3DS3CRET",
            "u=http%3A%2F%2Fu%3AS3CRET%40o",
            "u=http://u:S3CRET@o/",
            "u=http://S3CRET@o/?token=1",
            "j=%7B%22token%22%3A%22S3CRET%22%7D",
        ] {
            let out = self::query(query);
            let key = query.split_once('=').unwrap().0;
            assert!(out.starts_with(&format!("{key}={REDACTED}")), "{out}");
            assert!(!out.contains("CRET"), "{out}");
        }
        for query in ["q=a%20b%3Dc", "mail=a%40b.example", "u=https%3A%2F%2Fo%2Fp%3Fq%3D1"] {
            assert_eq!(self::query(query), query);
        }
    }

    #[test]
    fn the_secret_parameters_of_a_path_are_left_out() {
        for (path, expected) in [
            ("/shop;jsessionid=S3CRET/cart", "/shop;jsessionid=REDACTED/cart"),
            ("/shop%3Bjsessionid=S3CRET", "/shop%3Bjsessionid=REDACTED"),
            ("/a=b/@c/12:30", "/a=b/@c/12:30"),
        ] {
            assert_eq!(self::path(path), expected);
        }
    }

    #[test]
    fn what_is_too_long_to_be_looked_at_is_left_out() {
        let long = "a=1&".repeat(MOST);
        assert_eq!(query(&long), format!("{}{REDACTED}", "a=1&".repeat(MOST / 4)));
        let long = "/a=".repeat(MOST);
        assert!(path(&long).len() < MOST + 10);
        for piece in [":", "a:", "%253D", "+:"] {
            assert_eq!(query(&piece.repeat(1 << 22)), REDACTED);
        }
    }

    /// A look at all that follows at each of these would take hours.
    #[test]
    fn a_long_text_is_looked_through_in_the_time_of_a_few_walks() {
        for piece in [":", "a:", "%253D", "+:"] {
            let long = piece.repeat(1 << 17);
            let mut pairs = String::new();
            write_pairs(&long, &SecretKeys::default(), &mut pairs).unwrap();
            assert_eq!(pairs, long);
            assert_eq!(super::super::text::without_secrets(&long), long);
        }
    }
}
