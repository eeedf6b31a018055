//! Pairs of keys and values, of which a value may be secret or hold a secret pair of its own.

use std::borrow::Cow;
use std::fmt::{self, Write};

use percent_encoding::percent_decode_str;

use super::keys::{MOST_ENCODED, SecretKeys};

/// Stands in place of a secret value, as the conventions of OpenTelemetry ask.
pub(crate) const REDACTED: &str = "REDACTED";

/// Writes pairs up to the first with a secret value. That value ends at `&` or `#` only: any other character may
/// be a part of it.
pub(super) fn write_pairs(part: &str, keys: &SecretKeys, out: &mut dyn Write) -> fmt::Result {
    let secret = secret_value(part, keys);
    let shown = part.get(..secret.unwrap_or(part.len())).unwrap_or_default();
    if holds_secret(shown, keys) {
        let value = shown.find('=').map_or(0, |equals| equals + 1);
        let key = shown.get(..value).unwrap_or_default();
        return write!(out, "{key}{REDACTED}{}", closing(part));
    }
    out.write_str(shown)?;
    match secret.and_then(|start| part.get(start..)) {
        Some(value) => write!(out, "{REDACTED}{}", closing(value)),
        None => Ok(()),
    }
}

/// Whether text holds credentials, or a secret pair once it is decoded, as the URL in a value of another one.
fn holds_secret(text: &str, keys: &SecretKeys) -> bool {
    if holds_credentials(text) {
        return true;
    }
    let mut text = Cow::Borrowed(text);
    for _ in 0..MOST_ENCODED {
        if !text.contains('%') {
            return false;
        }
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned().into();
        let value = secret_value(&text, keys).and_then(|start| text.get(start..));
        if value.is_some_and(|value| !value.is_empty()) || holds_credentials(&text) {
            return true;
        }
    }
    false
}

/// Whether text holds `user:password@`, or anything before an `@` where a URL has its host.
fn holds_credentials(text: &str) -> bool {
    text.contains('@')
        && (text.split("//").skip(1).any(|rest| {
            rest.split(['/', '?', '#', '&']).next().is_some_and(|host| host.contains('@'))
        }) || text
            .split(['/', '?', '#', '&'])
            .any(|piece| piece.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'))))
}

/// Where the first value of a secret key begins.
pub(super) fn secret_value(text: &str, keys: &SecretKeys) -> Option<usize> {
    text.match_indices(['=', ':']).find_map(|(at, separator)| {
        let before = text.get(..at).unwrap_or_default();
        let key = key_at_end(before);
        let value = text.get(at + 1..).unwrap_or_default();
        // A colon stands in ordinary text too, but not behind a quote.
        let is_pair = separator == "=" || before.ends_with(['"', '\'', '`']) || is_no_word(value);
        (is_pair && !key.is_empty() && keys.contains(key)).then_some(at + 1)
    })
}

/// The key that text ends with, without the quotes around it.
pub(super) fn key_at_end(text: &str) -> &str {
    const SEPARATORS: [char; 18] = [
        '=', ';', ',', '?', '/', ':', '&', '#', '"', '\'', '`', '<', '>', '(', '{', '}', '\\', '|',
    ];
    let key = text.trim_end_matches(['"', '\'', '`', '\\']);
    let start = key.rfind(SEPARATORS).map_or(0, |at| at + 1);
    key.get(start..).unwrap_or_default()
}

/// The quotes, brackets and marks at the end of a word, which may close what stands around it.
pub(super) fn closing(word: &str) -> &str {
    const CLOSING: [char; 13] = [')', ']', '}', '>', '"', '\'', '`', ',', '.', ';', ':', '&', '#'];
    word.get(word.trim_end_matches(CLOSING).len()..).unwrap_or_default()
}

/// Whether text is neither an ordinary word nor a number.
pub(super) fn is_no_word(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
        || (text.chars().any(char::is_alphabetic) && text.chars().any(char::is_numeric))
}
