//! What a peer answers to a request, and what follows from it.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderName, StatusCode};

use super::failure::{RequestError, quoted};
use super::json_field::JsonField;

/// The answer to a request, as far as it was read.
#[derive(Clone, Debug, Default)]
pub(in crate::export) struct Response {
    pub(in crate::export) status: StatusCode,
    pub(in crate::export) retry_after: Option<String>,
    pub(in crate::export) is_json: bool,
    /// Whether it is a page for people, which no peer of an exporter writes.
    pub(in crate::export) is_page: bool,
    pub(in crate::export) body: Bytes,
}

impl Response {
    pub(super) fn new(head: &Parts, body: Bytes) -> Self {
        let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
        let is_form = |form| text(CONTENT_TYPE).is_some_and(|text| text.starts_with(form));
        Self {
            status: head.status,
            retry_after: text(RETRY_AFTER).map(str::to_owned),
            is_json: is_form("application/json"),
            is_page: is_form("text/html"),
            body,
        }
    }

    /// What is odd about an answer that says that all is well.
    pub(super) fn oddity(&self) -> Option<&'static str> {
        const PAGE: &str = "answers as if it took the spans, but with a page of HTML, as a login or another service does; check its address";
        (self.is_page && self.status.is_success()).then_some(PAGE)
    }

    /// What the body says about a failure: the `message` of an object in JSON, or text; `None` when it is
    /// in another form.
    pub(in crate::export) fn reason(&self) -> Option<String> {
        if self.is_json
            && let Some(message) = JsonField::text_at(&["message"], &self.body)
        {
            return Some(quoted(&message));
        }
        let text = str::from_utf8(&self.body).ok()?;
        // What prints is no message of protobuf: those begin with a control character.
        let is_text = !text.starts_with(|c: char| c.is_ascii_control());
        is_text.then(|| quoted(text))
    }

    /// The failure that a status other than success means; `target` names the peer, which said `words`.
    pub(in crate::export) fn failure(
        &self,
        target: &str,
        words: String,
        now: SystemTime,
    ) -> RequestError {
        let mut message = format!("{target} answered {}", self.status);
        if let Some(advice) = advice(self.status.as_u16()) {
            message.push_str("; ");
            message.push_str(advice);
        }
        // OTLP 1.x, "Retryable Response Codes"; Zipkin names none.
        if !matches!(self.status.as_u16(), 429 | 502 | 503 | 504) {
            return RequestError::permanent(message).with_words(words);
        }
        let wait = self.retry_after.as_deref().and_then(|text| wait_of(text, now));
        RequestError::retryable(message, wait).with_words(words)
    }
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        300..=399 => "give it the address it moved to",
        401 | 403 => "check the credentials in its headers",
        404 | 405 => {
            "check its path, which is /v1/traces at most collectors and /api/v2/spans at Zipkin"
        }
        413 => "make its batches smaller",
        415 => "use another protocol",
        _ => return None,
    })
}

/// The wait of a `Retry-After` header: seconds, or a date.
fn wait_of(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    const TARGET: &str = "http://localhost:4318/v1/traces";

    fn failure(status: u16, retry_after: Option<&str>) -> RequestError {
        let response = Response {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: retry_after.map(str::to_owned),
            ..Response::default()
        };
        response.failure(TARGET, String::new(), UNIX_EPOCH + Duration::from_secs(784_111_767))
    }

    #[test]
    fn only_four_statuses_of_http_may_be_tried_again() {
        for status in 300..=599 {
            let error = failure(status, None);
            let is_retryable = [429, 502, 503, 504].contains(&status);
            assert_eq!(error.is_retryable, is_retryable, "{error:?}");
            assert!(error.message.starts_with(&format!("{TARGET} answered {status}")));
        }
    }

    #[test]
    fn a_wait_may_be_asked_for_in_seconds_or_by_date() {
        let wait = |text| failure(503, Some(text)).retry_after;
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(wait(" 120 "), seconds(120));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), seconds(10));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:20 GMT"), seconds(0));
        assert_eq!((wait("soon"), wait("-1")), (None, None));
        assert_eq!(failure(400, Some("1")).retry_after, None);
    }

    #[test]
    fn the_reason_is_text_or_the_message_of_json() {
        let of = |is_json, body: &'static [u8]| {
            Response { is_json, body: body.into(), ..Response::default() }.reason()
        };
        assert_eq!(of(false, b" too old\n").as_deref(), Some("too old"));
        let json = br#"{"code":3,"message":"no such thing"}"#;
        assert_eq!(of(true, json).as_deref(), Some("no such thing"));
        assert_eq!(of(false, b"\x08\x03\x12\x08bad\nspan"), None);
    }

    proptest! {
        #[test]
        fn no_answer_of_a_peer_forges_lines(
            status in 300_u16..600,
            retry_after in ".{0,20}",
            is_json in any::<bool>(),
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let status = StatusCode::from_u16(status).unwrap();
            let retry_after = Some(retry_after);
            let body = body.into();
            let response = Response { status, retry_after, is_json, is_page: false, body };
            let reason = response.reason().unwrap_or_default();
            let error = response.failure(TARGET, reason, UNIX_EPOCH);
            prop_assert!(!error.message.contains(char::is_control));
            prop_assert!(!error.words.contains(char::is_control));
            prop_assert!(error.words.len() < 1200 && error.message.len() < 300);
        }
    }
}
