//! The keys whose values grant access.

/// Keys of queries that are secret wherever they stand, without case, dashes and underscores: of clouds, of
/// OAuth, of sessions. Longer keys that end like one of [`ENDINGS`] are secret too.
const KEYS: [&str; 33] = [
    "accesskey",
    "accesskeyid",
    "assertion",
    "auth",
    "authorization",
    "bearer",
    "clientassertion",
    "code",
    "codeverifier",
    "credentials",
    "devicecode",
    "googleaccessid",
    "hmac",
    "idtokenhint",
    "jsessionid",
    "jwt",
    "key",
    "otp",
    "pass",
    "phpsessid",
    "pin",
    "privatekey",
    "pwd",
    "samlrequest",
    "samlresponse",
    "session",
    "sessionid",
    "sessionkey",
    "sid",
    "sig",
    "subscriptionkey",
    "ticket",
    "usercode",
];

const ENDINGS: [&str; 10] = [
    "accesskeyid",
    "apikey",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "secretkey",
    "signature",
    "token",
];

/// How many times a key may be percent-encoded; a server decodes once, a proxy before it once more.
const MOST_ENCODED: usize = 3;

/// Longer keys are none that grant access, and decoding them would cost time.
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

    /// Adds a key, which counts without case, dashes and underscores.
    pub(crate) fn add(&mut self, key: &str) {
        self.added.push(plain(key));
    }

    /// Whether the values of this key are secret. The key may be encoded, and may be one of a list or of a
    /// structure, of which any part may be the secret one: `token[0]`, `user[password]`, `auth[user][name]`.
    pub(crate) fn contains(&self, key: &str) -> bool {
        if key.len() > LONGEST {
            return false;
        }
        let key = decoded(key);
        let parts = key.split(['[', ']', '.']).map(plain).filter(|part| !part.is_empty());
        std::iter::once(plain(&key)).chain(parts).any(|key| {
            KEYS.contains(&&*key)
                || ENDINGS.iter().any(|ending| key.ends_with(ending))
                || self.added.contains(&key)
        })
    }
}

/// The key without case and without what separates words.
fn plain(key: &str) -> String {
    key.chars()
        .filter(|c| !matches!(c, '-' | '_' | ' ' | '+'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn decoded(key: &str) -> String {
    let mut text = key.to_owned();
    for _ in 0..MOST_ENCODED {
        if !text.contains('%') {
            break;
        }
        text = decoded_once(&text);
    }
    text
}

/// The text behind percent-encoding. What is malformed stays as it is, as lenient servers do it.
fn decoded_once(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let encoded = (*first == b'%').then(|| Some(digit(0)? << 4 | digit(1)?)).flatten();
        match encoded {
            Some(byte) => {
                bytes.push(byte as u8);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
        ] {
            assert!(keys.contains(key), "{key}");
        }
        for key in ["", "q", "page", "design", "monkey", "tag", "zip", "coded", "%", "%4", "tokens"]
        {
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
