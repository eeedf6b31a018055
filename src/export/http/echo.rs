//! The exporter's own secrets in the answers of a peer: some peers repeat the key that they refuse.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

/// Shorter words are no secrets, and stand in ordinary text.
const SHORTEST: usize = 6;

/// The words of the headers that a program set, to be hidden where a peer sends them back.
#[derive(Clone)]
pub(in crate::export) struct OwnSecrets(Arc<[Box<[u8]>]>);

impl OwnSecrets {
    pub(in crate::export) fn of(headers: &HeaderMap) -> Self {
        let values = headers.values().filter(|value| value.is_sensitive());
        // "Bearer KEY" may come back without the first word.
        let words = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b' '));
        let mut words: Vec<Box<[u8]>> =
            words.filter(|word| word.len() >= SHORTEST).map(Into::into).collect();
        // A word may be a part of another one, which is hidden first then.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Self(words.into())
    }

    /// The answer with asterisks instead of the secrets. Its length stays, so a message of protobuf stays whole.
    pub(in crate::export) fn hide(&self, answer: Bytes) -> Bytes {
        if !self.0.iter().any(|secret| find(&answer, secret, 0).is_some()) {
            return answer;
        }
        let mut shown = answer.to_vec();
        for secret in self.0.iter() {
            let mut from = 0;
            while let Some(at) = find(&shown, secret, from) {
                from = at + secret.len();
                if let Some(found) = shown.get_mut(at..from) {
                    found.fill(b'*');
                }
            }
        }
        shown.into()
    }

    /// The text of an answer without the secrets.
    #[cfg(feature = "otlp")]
    pub(in crate::export) fn hide_in_text(&self, text: &str) -> String {
        let shown = self.hide(Bytes::copy_from_slice(text.as_bytes()));
        String::from_utf8_lossy(&shown).into_owned()
    }
}

fn find(text: &[u8], part: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.windows(part.len()).position(|window| window == part).map(|at| from + at)
}

impl fmt::Debug for OwnSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnSecrets").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_a_peer_sends_back_of_a_header_is_hidden() {
        let mut value = HeaderValue::from_static("Bearer S3CRET-KEY");
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
        let secrets = OwnSecrets::of(&headers);
        let hide = |text: &'static str| secrets.hide(Bytes::from_static(text.as_bytes()));
        assert_eq!(hide("no S3CRET-KEY, S3CRET-KEY"), "no **********, **********");
        assert_eq!(hide("no key"), "no key");
        assert!(!format!("{secrets:?}").contains("S3CRET"));
    }
}
