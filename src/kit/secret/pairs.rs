//! Pairs of keys and values, of which a value may be secret or hold a secret pair of its own.

use std::fmt::{self, Write};

use super::keys::{SecretKeys, decodings, is_one_of};

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
    holds_credentials(text)
        || (text.contains('+') && holds_login(text))
        || decodings(text).any(|text| {
            let value = secret_value(&text, keys).and_then(|start| text.get(start..));
            let is_secret = value.is_some_and(|value| !value.is_empty());
            is_secret || holds_credentials(&text) || holds_login(&text)
        })
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

/// Whether text holds what a header says of who sends a request, as `Bearer KEY`. Forms write a space as a plus.
fn holds_login(text: &str) -> bool {
    let mut is_after_scheme = false;
    text.split([' ', '+', '=', ':']).any(|word| {
        let is_key = is_after_scheme && looks_like_key(word);
        is_after_scheme = is_login_scheme(word);
        is_key
    })
}

/// Whether a key follows a word wherever that stands.
pub(super) fn is_login_scheme(word: &str) -> bool {
    is_one_of(word, &["basic", "bearer"])
}

/// Whether a word is as mixed as keys are, and no ordinary one with a capital.
pub(super) fn looks_like_key(word: &str) -> bool {
    const SHORTEST: usize = 6;
    let is_digit = |c: char| c.is_ascii_digit();
    word.len() >= SHORTEST && word.chars().skip(1).any(|c| is_digit(c) || c.is_uppercase())
}

/// Where the first value of a secret key begins.
pub(super) fn secret_value(text: &str, keys: &SecretKeys) -> Option<usize> {
    text.match_indices(['=', ':']).find_map(|(at, separator)| {
        let before = text.get(..at).unwrap_or_default();
        let key = key_at_end(before);
        let value = text.get(at + 1..).unwrap_or_default();
        // A colon stands in ordinary text too, but not behind a quote.
        let quoted = before.trim_end_matches(is_blank).ends_with(['"', '\'', '`']);
        let is_pair = separator == "=" || quoted || is_no_word(value);
        (is_pair && !key.is_empty() && keys.contains(key)).then_some(at + 1)
    })
}

/// Whether a character is white space, also as forms write it.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '+'
}

/// The key that text ends with, without the quotes around it.
pub(super) fn key_at_end(text: &str) -> &str {
    const SEPARATORS: [char; 18] = [
        '=', ';', ',', '?', '/', ':', '&', '#', '"', '\'', '`', '<', '>', '(', '{', '}', '\\', '|',
    ];
    const AROUND: [char; 8] = ['"', '\'', '`', '\\', '}', ')', '>', '|'];
    let key = text.trim_end_matches(|c| is_blank(c) || AROUND.contains(&c));
    let start = key.rfind(SEPARATORS).map_or(0, |at| at + 1);
    key.get(start..).unwrap_or_default()
}

/// The quotes, brackets and marks at the end of a word, which may close what stands around it.
pub(super) fn closing(word: &str) -> &str {
    const CLOSING: [char; 13] = [')', ']', '}', '>', '"', '\'', '`', ',', '.', ';', ':', '&', '#'];
    word.get(word.trim_end_matches(CLOSING).len()..).unwrap_or_default()
}

/// Whether text begins with neither an ordinary word nor a number. The beginning tells: a long text may ask often.
pub(super) fn is_no_word(text: &str) -> bool {
    const MOST: usize = 64;
    let has = |is: fn(char) -> bool| text.chars().take(MOST).any(is);
    has(char::is_uppercase) || (has(char::is_alphabetic) && has(char::is_numeric))
}
