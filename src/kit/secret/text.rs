//! Secrets inside of text: in the URLs of error messages.

use std::fmt::{self, Write};

use super::keys::{SecretKeys, is_one_of};
use super::pairs::{
    REDACTED, closing, is_login_scheme, is_no_word, key_at_end, looks_like_key, secret_value,
    write_pairs,
};

/// What becomes of the queries of URLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum QueryRule {
    /// The values of secret keys are replaced.
    #[default]
    SecretsReplaced,
    /// Queries are left out as a whole.
    #[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "the layers of HTTP offer it"))]
    LeftOut,
}

/// Text of others, such as that of an error, without the credentials and the usual secret keys' values in it.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // Text takes whatever is written to it.
    let _written = write_text(text, &SecretKeys::new(), QueryRule::default(), &mut shown);
    shown
}

/// Writes text without the credentials and the secret values of the URLs in it.
pub(crate) fn write_text(
    text: &str,
    keys: &SecretKeys,
    rule: QueryRule,
    out: &mut dyn Write,
) -> fmt::Result {
    let mut rest = text;
    let mut before = Before::Nothing;
    while !rest.is_empty() {
        let end = rest.find(ends_word).unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if before.makes_secret(word) {
            write!(out, "{REDACTED}{}", closing(word))?;
        } else {
            write_word(word, keys, rule, out)?;
        }
        before = before.then(word, keys);
        let first = behind.chars().next().map_or(0, char::len_utf8);
        let (separator, behind) = behind.split_at_checked(first).unwrap_or(("", ""));
        out.write_str(separator)?;
        rest = behind;
    }
    Ok(())
}

/// Whether a character ends a word of running text. Quotes and brackets may be part of a secret.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// What the words before say of the next one.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// A secret key, after which an equals sign may stand apart.
    Key,
    /// A secret key with a colon, which stands in ordinary sentences too.
    Colon,
    /// The scheme of a login, which stands in ordinary sentences too.
    Login,
    /// A secret key with what separates it from its value.
    Value,
}

impl Before {
    fn makes_secret(self, word: &str) -> bool {
        match self {
            Self::Nothing | Self::Key => false,
            Self::Colon => is_no_word(word),
            Self::Login => looks_like_key(word),
            Self::Value => !matches!(word, "" | "=" | ":" | "=>"),
        }
    }

    fn then(self, word: &str, keys: &SecretKeys) -> Self {
        const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "negotiate", "token"];
        let separated = word.trim_end_matches(['=', ':', '>']);
        let key = key_at_end(separated);
        let last = word.rsplit([':', '=', '"']).next().unwrap_or_default();
        let is_scheme = is_one_of(last, &SCHEMES);
        match self {
            _ if word.is_empty() => self,
            Self::Key if matches!(word, "=" | "=>") => Self::Value,
            Self::Key if word == ":" => Self::Colon,
            Self::Value if is_scheme || matches!(word, "=" | ":" | "=>") => Self::Value,
            Self::Colon if is_scheme => Self::Value,
            _ if is_login_scheme(word) => Self::Login,
            Self::Login if looks_like_key(word) => Self::Nothing,
            _ if is_scheme && secret_value(word, keys).is_some() => Self::Value,
            _ if key.is_empty() || !keys.contains(key) => Self::Nothing,
            _ if separated.len() == word.len() => Self::Key,
            _ if word.ends_with(':') && separated.ends_with(is_letter) && !is_header(key) => {
                Self::Colon
            }
            _ => Self::Value,
        }
    }
}

const fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Whether a key is one of which a sentence with a colon does not speak.
fn is_header(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["authorization", "cookie", "password", "secret"].iter().any(|end| key.ends_with(end))
}

/// Writes a word that may be a URL, or the path and query of one.
fn write_word(word: &str, keys: &SecretKeys, rule: QueryRule, out: &mut dyn Write) -> fmt::Result {
    let rest = write_origin(word, keys, out)?;
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

/// Writes the scheme of a URL and what stands for its credentials, and gives what follows.
fn write_origin<'w>(
    word: &'w str,
    keys: &SecretKeys,
    out: &mut dyn Write,
) -> Result<&'w str, fmt::Error> {
    let Some((scheme, rest)) = word.split_once("://") else { return Ok(word) };
    // The URL is the value of a pair, which is left out as a whole.
    if scheme.contains(['=', '%', '@']) || secret_value(scheme, keys).is_some() {
        return Ok(word);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    write!(out, "{scheme}://")?;
    let Some(at) = authority.rfind('@') else { return Ok(rest) };
    write!(out, "{REDACTED}@")?;
    Ok(rest.get(at + 1..).unwrap_or_default())
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
    fn no_quote_bracket_or_space_cuts_a_secret() {
        for given in [
            "GET ?token=pa'S3CRET failed",
            "GET ?token=\"S3CRET\"",
            "http://u:pa(S3CRET@h",
            "no route to u:S3CRET@h:80",
            "//u:S3CRET@h/",
            "Authorization: Bearer S3CRET",
            "authorization: basic S3CRET, x",
            "authorization:Bearer S3CRET",
            "sent Bearer S3CRET",
            "sent Basic dXNlcjpTM0NSRVQ=S3CRET",
            r#"{"token":"S3CRET"}"#,
            r#"{"token": "S3CRET"}"#,
            r#"{\"token\":\"S3CRET\"}"#,
            "token = S3CRET",
            "token= S3CRET",
            "password: secretS3CRET",
            r"http:\/\/u:S3CRET@h\/",
            "/p%3Ftoken%3DS3CRET",
            "f(code=S3CRET)",
            "http://h&token=S3CRET",
        ] {
            let shown = text(given, QueryRule::SecretsReplaced);
            assert!(!shown.contains("CRET"), "{shown}");
        }
        for harmless in [
            "status code: 404",
            "unexpected token: expected `,`",
            "key: not found",
            "Basic Authentication failed",
            "Bearer Token is missing",
        ] {
            assert_eq!(text(harmless, QueryRule::SecretsReplaced), harmless);
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
