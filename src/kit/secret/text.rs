//! Secrets inside of text: in the URLs of error messages.

use std::fmt::{self, Write};

use super::keys::SecretKeys;

/// Stands in place of a secret value, as the conventions of OpenTelemetry ask.
pub(crate) const REDACTED: &str = "REDACTED";

/// What becomes of the queries of URLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum QueryRule {
    /// The values of secret keys are replaced.
    #[default]
    SecretsReplaced,
    /// Queries are left out as a whole.
    LeftOut,
}

/// Writes a query without the values of secret keys.
pub(crate) fn write_query(query: &str, keys: &SecretKeys, out: &mut dyn Write) -> fmt::Result {
    for part in query.split_inclusive('&') {
        write_pairs(part, keys, out)?;
    }
    Ok(())
}

/// Writes text without the credentials and the secret values of the URLs in it.
pub(crate) fn write_text(
    text: &str,
    keys: &SecretKeys,
    rule: QueryRule,
    out: &mut dyn Write,
) -> fmt::Result {
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(ends_word).unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        write_word(word, keys, rule, out)?;
        let first = behind.chars().next().map_or(0, char::len_utf8);
        let (separator, behind) = behind.split_at_checked(first).unwrap_or(("", ""));
        out.write_str(separator)?;
        rest = behind;
    }
    Ok(())
}

/// Whether a character ends a URL in running text.
fn ends_word(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '{' | '}')
}

/// Writes a word that may be a URL, or the path and query of one.
fn write_word(word: &str, keys: &SecretKeys, rule: QueryRule, out: &mut dyn Write) -> fmt::Result {
    let rest = write_origin(word, out)?;
    let end = match rule {
        QueryRule::LeftOut => rest.find(['?', '#']),
        QueryRule::SecretsReplaced => None,
    };
    let rest = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    // Fragments hold pairs too.
    for part in rest.split_inclusive(['&', '#']) {
        write_pairs(part, keys, out)?;
    }
    Ok(())
}

/// Writes the scheme, host and port of a URL without credentials, and gives what follows.
fn write_origin<'w>(word: &'w str, out: &mut dyn Write) -> Result<&'w str, fmt::Error> {
    let Some((scheme, rest)) = word.split_once("://") else { return Ok(word) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    write!(out, "{scheme}://")?;
    match authority.rsplit_once('@') {
        Some((_, host)) => write!(out, "{REDACTED}@{host}")?,
        None => out.write_str(authority)?,
    }
    Ok(rest)
}

/// Writes pairs up to the first with a secret value. That value ends at `&` or `#` only: any other character may
/// be a part of it.
fn write_pairs(part: &str, keys: &SecretKeys, out: &mut dyn Write) -> fmt::Result {
    let mut key_start = 0;
    for (at, separator) in part.match_indices(['=', ';', ',', '?', '/', ':']) {
        let key = part.get(key_start..at).unwrap_or_default();
        if separator == "=" && keys.contains(key) {
            let (shown, value) = part.split_at_checked(at + 1).unwrap_or((part, ""));
            let end = value.get(value.trim_end_matches(['&', '#']).len()..).unwrap_or_default();
            return write!(out, "{shown}{REDACTED}{end}");
        }
        key_start = at + 1;
    }
    out.write_str(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str, rule: QueryRule) -> String {
        let mut out = String::new();
        write_text(text, &SecretKeys::default(), rule, &mut out).unwrap();
        out
    }

    #[test]
    fn the_urls_of_an_error_lose_their_secrets() {
        let shown = |given| text(given, QueryRule::SecretsReplaced);
        assert_eq!(
            shown("cannot GET (https://u:S3CRET@h:1/p?a=1&access_token=S3CRET): refused"),
            "cannot GET (https://REDACTED@h:1/p?a=1&access_token=REDACTED): refused"
        );
        assert_eq!(shown("/cb#access_token=S3CRET&x=1"), "/cb#access_token=REDACTED&x=1");
        assert_eq!(shown("code=S3CRET;state=1&x=1"), "code=REDACTED&x=1");
        assert_eq!(shown("user=1,password=S3,CRET"), "user=1,password=REDACTED");
        assert_eq!(shown("http://u@h?token=S3CRET"), "http://REDACTED@h?token=REDACTED");
        for harmless in ["", "a = b", "timed out?", "1 == 1", "http://h/p", "x=1&y=2", "é=ü (a)"]
        {
            assert_eq!(shown(harmless), harmless);
        }
    }

    #[test]
    fn where_no_query_is_wanted_none_stands_in_errors_either() {
        let shown = |given| text(given, QueryRule::LeftOut);
        assert_eq!(shown("GET http://h/p?q=1 failed"), "GET http://h/p failed");
        assert_eq!(shown("really?"), "really");
    }

    proptest! {
        #[test]
        fn a_secret_does_not_show_wherever_the_url_stands(
            before in "[a-z =&?(\"]{0,8}",
            after in "[a-z =&?)\"]{0,8}",
        ) {
            let shown = text(&format!("{before}&token=HUSH&{after}"), QueryRule::SecretsReplaced);
            prop_assert!(!shown.contains("HUSH"), "{}", shown);
        }
    }
}
