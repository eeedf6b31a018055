//! The exporter's own secrets in the answers of a peer: some peers repeat the key that they refuse.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;

/// Shorter words are no secrets, and stand in ordinary text.
const SHORTEST: usize = 6;

/// The words of the headers and of the query that a program set, to be hidden where a peer sends them back.
#[derive(Clone)]
pub(in crate::export) struct OwnSecrets(Arc<[Box<[u8]>]>);

impl OwnSecrets {
    /// The secrets of requests with these headers to this URL.
    pub(in crate::export) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        let mut words: Vec<Box<[u8]>> = Vec::new();
        for value in headers.values().filter(|value| value.is_sensitive()) {
            // "Bearer KEY" may come back without the first word.
            for word in value.as_bytes().split(|byte| *byte == b' ') {
                words.push(word.into());
                // Of "Basic", a peer may have read who it is.
                if let Ok(login) = STANDARD.decode(word) {
                    let password = login.splitn(2, |byte| *byte == b':').nth(1);
                    words.extend(password.map(Into::into));
                    words.push(login.into());
                }
            }
        }
        if let Some(query) = uri.query() {
            words.push(query.as_bytes().into());
            for pair in query.split('&') {
                let value = pair.split_once('=').map_or(pair, |(_, value)| value);
                words.push(value.as_bytes().into());
                words.push(percent_decode_str(value).collect());
                // Forms write a space as a plus.
                words.push(percent_decode_str(&value.replace('+', " ")).collect());
            }
        }
        words.retain(|word| word.len() >= SHORTEST);
        // A word may be a part of another one, which is hidden first then.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
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
        let secrets = OwnSecrets::of(&headers, &Uri::from_static("/"));
        let hide = |text: &'static str| secrets.hide(Bytes::from_static(text.as_bytes()));
        assert_eq!(hide("no S3CRET-KEY, S3CRET-KEY"), "no **********, **********");
        assert_eq!(hide("no key"), "no key");
        assert!(!format!("{secrets:?}").contains("S3CRET"));
    }

    #[test]
    fn what_a_peer_sends_back_of_a_query_or_of_a_login_is_hidden() {
        // "user:S3CRETPASS"
        let mut value = HeaderValue::from_static("Basic dXNlcjpTM0NSRVRQQVNT");
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
        let uri = Uri::from_static("http://h/v1/traces?a=1&api_key=S3CRET%2FKEY&S3CRETKEY");
        let secrets = OwnSecrets::of(&headers, &uri);
        for answer in [
            "POST /v1/traces?a=1&api_key=S3CRET%2FKEY&S3CRETKEY HTTP/1.1",
            "no key S3CRET%2FKEY",
            "no key S3CRET/KEY",
            "no key S3CRETKEY",
            "no user:S3CRETPASS",
            "wrong password S3CRETPASS",
        ] {
            let shown = secrets.hide(Bytes::from_static(answer.as_bytes()));
            assert!(!String::from_utf8_lossy(&shown).contains("CRET"), "{shown:?}");
        }
    }
}
