//! How a call of gRPC ended, as the head or the trailers of a response say.

use std::borrow::Cow;

use http::HeaderMap;
use tracing::Span;

use super::redaction::Redaction;
use super::side::HttpSide;
use crate::model::Border;

/// The names of the status codes, each at its number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The codes that are errors of the server: the others say that the client asked wrongly.
const SERVER_ERRORS: [u16; 6] = [2, 4, 12, 13, 14, 15];

/// Those of them that a caller can have at will: by a deadline of a nanosecond, and by a method that does not exist.
const AT_WILL: [u16; 2] = [4, UNIMPLEMENTED];

const UNIMPLEMENTED: u16 = 12;

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RpcStatus {
    code: u16,
    message: Option<String>,
}

impl RpcStatus {
    /// The status that the head or the trailers of a response give, if they do.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get("grpc-status")?.to_str().ok()?.trim().parse().ok()?;
        let message = headers.get("grpc-message").map(|text| decoded(text.as_bytes()));
        Some(Self { code, message: message.filter(|text| !text.is_empty()) })
    }

    /// The status of a call whose response ended without one.
    pub(super) fn missing() -> Self {
        Self { code: 2, message: Some("the response ended without a status".to_owned()) }
    }

    /// The status of a call that was given up: `CANCELLED`, or `UNKNOWN` where a panic did it.
    pub(super) fn of_abandonment(is_panic: bool) -> Self {
        Self { code: if is_panic { 2 } else { 1 }, message: None }
    }

    /// Whether the service has shown that the method exists.
    pub(super) fn is_of_a_method(&self) -> bool {
        self.code != UNIMPLEMENTED
    }

    fn is_error(&self, side: HttpSide, border: Border) -> bool {
        match side {
            HttpSide::Server if !border.is_inside() && AT_WILL.contains(&self.code) => false,
            HttpSide::Server => SERVER_ERRORS.contains(&self.code),
            HttpSide::Client => self.code != 0,
        }
    }

    fn name(&self) -> Cow<'static, str> {
        let known = CODES.get(usize::from(self.code));
        known.map_or_else(|| self.code.to_string().into(), |name| Cow::Borrowed(*name))
    }

    /// Records the code alone, and not whether it is an error.
    pub(super) fn record_code(&self, span: &Span) {
        span.record("rpc.response.status_code", &*self.name());
        span.record("rpc.grpc.status_code", i64::from(self.code));
    }

    pub(super) fn record(
        &self,
        side: HttpSide,
        border: Border,
        span: &Span,
        redaction: &Redaction,
    ) {
        self.record_code(span);
        if self.is_error(side, border) {
            span.record("error.type", &*self.name());
            span.record("otel.status_code", "error");
            let text = self.message.as_ref().and_then(|message| redaction.error(message));
            if let Some(text) = text {
                span.record("otel.status_description", tracing::field::display(text));
            }
        }
    }
}

/// A message as gRPC spells it, without its percents. What is no text is replaced.
fn decoded(message: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(message.len());
    let mut rest = message;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let byte = digits
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = after.get(if byte.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    match String::from_utf8_lossy(&bytes) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_the_client_asked_wrongly_is_no_error_of_the_server() {
        for code in 0..20 {
            let status = RpcStatus { code, message: None };
            let is_server_error = matches!(code, 2 | 4 | 12 | 13 | 14 | 15);
            let is_error = |side, border| status.is_error(side, border);
            assert_eq!(is_error(HttpSide::Server, Border::Inside), is_server_error, "{code}");
            let at_border = is_server_error && !matches!(code, 4 | 12);
            assert_eq!(is_error(HttpSide::Server, Border::Public), at_border, "{code}");
            assert_eq!(is_error(HttpSide::Client, Border::Inside), code != 0, "{code}");
        }
    }

    #[test]
    fn a_status_is_read_with_its_message_or_not_at_all() {
        let status =
            RpcStatus::of(&headers(&[("grpc-status", "5"), ("grpc-message", "no%20such")]));
        assert_eq!(status, Some(RpcStatus { code: 5, message: Some("no such".to_owned()) }));
        for wrong in ["", "x", "-1", "99999"] {
            assert_eq!(RpcStatus::of(&headers(&[("grpc-status", wrong)])), None, "{wrong}");
        }
        assert_eq!(RpcStatus::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_message_is_decoded_as_far_as_it_is_encoded() {
        for (message, expected) in [
            ("a%20b", "a b"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%E2%82%AC", "€"),
            ("%FF", "\u{fffd}"),
        ] {
            assert_eq!(decoded(message.as_bytes()), expected);
        }
    }
}
