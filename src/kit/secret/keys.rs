//! The keys whose values grant access.

use std::borrow::Cow;
use std::iter;

use percent_encoding::percent_decode_str;

use super::usual_keys::{ENDINGS, KEYS, LAST_WORDS, WORDS};

/// How many times text may be percent-encoded; a server decodes once, a proxy before it once more.
const MOST_ENCODED: usize = 3;

/// What separates the parts of a key.
const SEPARATORS: [char; 3] = ['[', ']', '.'];

/// Longer keys are taken for secret: decoding them would cost time.
const LONGEST: usize = 256;

/// Which keys of a query have secret values: the usual ones, and those that a program adds.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecretKeys {
    added: Vec<String>,
}

impl SecretKeys {
    /// The usual keys.
    pub(crate) const fn new() -> Self {
        Self { added: Vec::new() }
    }

    /// Adds a key, which counts by its letters and digits, without case.
    pub(crate) fn add(&mut self, key: &str) {
        self.added.push(plain(key));
    }

    /// Whether the values of this key are secret. The key may be encoded, and may be one of a list or of a
    /// structure, of which any part may be the secret one: `token[0]`, `user[password]`, `auth[user][name]`.
    pub(crate) fn contains(&self, key: &str) -> bool {
        if key.len() > LONGEST {
            return true;
        }
        let key = decodings(key).last().map_or(Cow::Borrowed(key), Cow::Owned);
        let is_list = key.contains(SEPARATORS);
        let mut parts = key.split(SEPARATORS).filter(|part| is_list && !part.is_empty());
        self.is_secret(&key) || parts.any(|part| self.is_secret(part))
    }

    fn is_secret(&self, key: &str) -> bool {
        let whole = plain(key);
        // The second of several tokens is one.
        let numbered = whole.trim_end_matches(|c: char| c.is_ascii_digit());
        KEYS.contains(&numbered)
            || ENDINGS.iter().any(|ending| numbered.ends_with(ending))
            || words(key).any(|word| is_one_of(word, &WORDS))
            || words(key).last().is_some_and(|word| is_one_of(word, &LAST_WORDS))
            || (!whole.is_empty() && self.added.contains(&whole))
    }
}

/// The key by its letters and digits, without case.
fn plain(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a word is one of these, without case.
pub(super) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| one.eq_ignore_ascii_case(word))
}

/// The words of a key, which capitals or other characters than letters separate.
fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split(|c: char| !c.is_alphabetic()).flat_map(|mut rest| {
        iter::from_fn(move || {
            let mut is_after_capital = true;
            let next = rest.char_indices().find(|(_, c)| {
                let begins = c.is_uppercase() && !is_after_capital;
                is_after_capital = c.is_uppercase();
                begins
            });
            let (word, behind) = rest.split_at_checked(next.map_or(rest.len(), |(at, _)| at))?;
            rest = behind;
            (!word.is_empty()).then_some(word)
        })
    })
}

/// The text decoded once, twice and so on, as long as it is encoded.
pub(super) fn decodings(text: &str) -> impl Iterator<Item = String> {
    let decode = |text: &str| {
        text.contains('%').then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
    };
    iter::successors(decode(text), move |text| decode(text)).take(MOST_ENCODED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_clouds_and_of_oauth_are_secret_in_every_spelling() {
        let keys = SecretKeys::default();
        for key in [
            "X-Amz-Signature",
            "x-amz-security-token",
            "X-Amz-Credential",
            "AWSAccessKeyId",
            "Signature",
            "sig",
            "X-Goog-Signature",
            "OSSAccessKeyId",
            "access_token",
            "ACCESS_TOKEN",
            "accessToken",
            "access%5Ftoken",
            "%61ccess_token",
            "access%255Ftoken",
            "refresh_token",
            "id_token",
            "token",
            "token[]",
            "token%5B%5D",
            "token[0]",
            "token%5B0%5D",
            "token[a][b][c]",
            "user[password][0]",
            "password.value.0",
            "user[password]",
            "user.password",
            "api_key",
            "api-key",
            "apikey",
            "password",
            "code",
            "client_secret",
            "key",
            "secret_access_key",
            "AccountKey",
            "subscription-key",
            "x-functions-key",
            "authkey",
            "master.key",
            "encryption~key",
            "oauth_consumer_key",
            "passcode",
            "auth_code",
            "verification%2Dcode",
            "oauth_verifier",
            "code_verifier",
            "dbPass",
            "db_pwd",
            "pass",
            "cookie",
            "secret_id",
            "SAMLart",
            "sas",
            "token2",
            "x(token",
            "passwordConfirm",
            "password_confirmation",
            "tokenValue",
            "secret_key_base",
            "ASP.NET_SessionId",
            "_csrf",
            "totp",
            "mfa_code",
            "license_key",
            "pw",
            "appsecret_proof",
            &"k".repeat(300),
        ] {
            assert!(keys.contains(key), "{key}");
        }
        for key in [
            "",
            "q",
            "page",
            "design",
            "monkey",
            "tag",
            "zip",
            "coded",
            "%",
            "%4",
            "tokens",
            "compass",
            "bypass",
            "byPassing",
            "Christmas",
            "zip_code",
            "spin",
            "sort_key",
            "max_tokens",
            "country_code",
            "secretary",
        ] {
            assert!(!keys.contains(key), "{key}");
        }
    }

    #[test]
    fn a_program_adds_keys_of_its_own() {
        let mut keys = SecretKeys::default();
        keys.add("Customer-Number");
        assert!(keys.contains("customer_number") && keys.contains("CUSTOMER%2DNUMBER"));
        assert!(!keys.contains("customer"));
    }
}
