//! What a peer says to a request, and what follows from it.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use tonic::Code;

use super::reader::Reader;
use crate::export::ExportError;
use crate::export::console::escape::escape;

/// How much of what a peer says is told on.
const MOST_SAID: usize = 200;

/// The answer to a request that was accepted, at least in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::export) struct Answer {
    /// How many of its spans were not.
    pub(super) rejected: u64,
    /// Why, or what else the peer wants to be known.
    pub(super) message: String,
}

impl Answer {
    /// Reads an `ExportTraceServiceResponse`. What cannot be read says nothing.
    pub(super) fn of_protobuf(body: &[u8]) -> Self {
        let partial = Reader::bytes(body, 1).unwrap_or_default();
        // A negative number has its highest bit set.
        let rejected = Reader::number(partial, 1).and_then(|number| i64::try_from(number).ok());
        Self {
            rejected: rejected.map_or(0, i64::unsigned_abs),
            message: said(&Reader::text(partial, 2).unwrap_or_default()),
        }
    }

    /// Reads an `ExportTraceServiceResponse` in the form of JSON.
    pub(super) fn of_json(body: &[u8]) -> Self {
        let read: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let partial = read.get("partialSuccess");
        let field = |name: &str| partial.and_then(|partial| partial.get(name));
        let rejected = field("rejectedSpans").and_then(|number| match number.as_str() {
            Some(digits) => digits.parse().ok(),
            None => number.as_u64(),
        });
        let message = field("errorMessage").and_then(serde_json::Value::as_str);
        Self { rejected: rejected.unwrap_or(0), message: said(message.unwrap_or_default()) }
    }
}

/// An answer by HTTP, as far as it matters.
#[derive(Debug)]
pub(super) struct HttpAnswer<'a> {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<&'a str>,
    pub(super) is_json: bool,
    pub(super) body: &'a [u8],
}

impl HttpAnswer<'_> {
    /// What it means; `target` is who said it.
    pub(super) fn judge(&self, target: &str, now: SystemTime) -> Result<Answer, ExportError> {
        if self.status.is_success() {
            let read = if self.is_json { Answer::of_json } else { Answer::of_protobuf };
            return Ok(read(self.body));
        }
        let mut message = format!("{target} answered {}", self.status);
        if let Some(advice) = http_advice(self.status.as_u16()) {
            message.push_str("; ");
            message.push_str(advice);
        }
        let reason = self.reason();
        if !reason.is_empty() {
            message.push_str(": ");
            message.push_str(&reason);
        }
        // OTLP 1.x, "Retryable Response Codes".
        if !matches!(self.status.as_u16(), 429 | 502 | 503 | 504) {
            return Err(ExportError::permanent(message));
        }
        let error = ExportError::retryable(message);
        Err(match self.retry_after.and_then(|text| wait_of(text, now)) {
            Some(wait) => error.after(wait),
            None => error,
        })
    }

    /// What the body says: a `google.rpc.Status` in either form, or text.
    fn reason(&self) -> String {
        if self.is_json {
            let read: serde_json::Value = serde_json::from_slice(self.body).unwrap_or_default();
            if let Some(message) = read.get("message").and_then(serde_json::Value::as_str) {
                return said(message);
            }
        }
        match str::from_utf8(self.body) {
            // What prints is no message of protobuf: those begin with a control character.
            Ok(text) if !text.starts_with(|c: char| c.is_ascii_control()) => said(text),
            _ => said(&Reader::text(self.body, 2).unwrap_or_default()),
        }
    }
}

fn http_advice(status: u16) -> Option<&'static str> {
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

/// What a status of gRPC means that is not `OK`; `target` is who said it.
pub(super) fn judge_grpc(target: &str, code: Code, message: &str, details: &[u8]) -> ExportError {
    let mut told = format!("{target} answered {code:?}");
    if let Some(advice) = grpc_advice(code) {
        told.push_str("; ");
        told.push_str(advice);
    }
    let reason = said(message);
    if !reason.is_empty() {
        told.push_str(": ");
        told.push_str(&reason);
    }
    let asked = retry_delay(details);
    // OTLP 1.x, "Failures" of OTLP/gRPC.
    let is_retryable = match code {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted => asked.is_some(),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Unimplemented
        | Code::Internal
        | Code::Unauthenticated => false,
    };
    match asked {
        _ if !is_retryable => ExportError::permanent(told),
        Some(wait) => ExportError::retryable(told).after(wait),
        None => ExportError::retryable(told),
    }
}

fn grpc_advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::PermissionDenied | Code::Unauthenticated => "check the credentials in its headers",
        Code::Unimplemented => "nobody takes traces by gRPC there, check its port",
        Code::ResourceExhausted => "make its batches smaller",
        _ => return None,
    })
}

/// The delay of the `RetryInfo` among the details of a `google.rpc.Status`.
fn retry_delay(details: &[u8]) -> Option<Duration> {
    let is_retry_info = |any: &&[u8]| {
        Reader::text(any, 1).is_some_and(|url| url.ends_with("/google.rpc.RetryInfo"))
    };
    let info = Reader::all_bytes(details, 3).find(is_retry_info)?;
    let delay = Reader::bytes(Reader::bytes(info, 2)?, 1)?;
    let seconds = Reader::number(delay, 1).unwrap_or(0);
    let nanos = Reader::number(delay, 2).unwrap_or(0);
    // Negative delays have been over for a while.
    if i64::try_from(seconds).is_err() || nanos >= 1_000_000_000 {
        return Some(Duration::ZERO);
    }
    Some(Duration::new(seconds, nanos as u32))
}

/// The beginning of a stranger's text, with every character that could do harm written out.
fn said(text: &str) -> String {
    let text = text.trim();
    let end = text.char_indices().nth(MOST_SAID).map_or(text.len(), |(end, _)| end);
    let shown = escape(text.get(..end).unwrap_or_default());
    if end < text.len() { format!("{shown}…") } else { shown.into_owned() }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    const TARGET: &str = "http://localhost:4318/v1/traces";

    fn judge(status: u16, retry_after: Option<&str>, body: &[u8]) -> Result<Answer, ExportError> {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = HttpAnswer { status, retry_after, is_json: false, body };
        answer.judge(TARGET, UNIX_EPOCH + Duration::from_secs(784_111_767))
    }

    #[test]
    fn only_four_statuses_of_http_may_be_tried_again() {
        for status in 300..=599 {
            let error = judge(status, None, b"").unwrap_err();
            assert_eq!(error.is_retryable(), [429, 502, 503, 504].contains(&status), "{error}");
            assert!(error.to_string().starts_with(&format!("{TARGET} answered {status}")));
        }
        for status in [200, 202, 204] {
            assert_eq!(judge(status, None, b"").unwrap(), Answer::default());
        }
    }

    #[test]
    fn a_wait_may_be_asked_for_in_seconds_or_by_date() {
        let wait = |text| judge(503, Some(text), b"").unwrap_err().retry_after();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(wait(" 120 "), seconds(120));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), seconds(10));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:20 GMT"), seconds(0));
        assert_eq!((wait("soon"), wait("-1")), (None, None));
        assert_eq!(judge(400, Some("1"), b"").unwrap_err().retry_after(), None);
    }

    #[test]
    fn the_reason_is_told_and_cannot_forge_lines() {
        let status = b"\x08\x03\x12\x08bad\nspan";
        let told = judge(400, None, status).unwrap_err().to_string();
        assert_eq!(told, format!("{TARGET} answered 400 Bad Request: bad\\nspan"));
        let long = "x".repeat(100_000);
        let told = judge(500, None, long.as_bytes()).unwrap_err().to_string();
        assert!(told.len() < 400 && told.ends_with("x…"));
        let answer = HttpAnswer {
            status: StatusCode::BAD_REQUEST,
            retry_after: None,
            is_json: true,
            body: br#"{"code":3,"message":"no such thing"}"#,
        };
        let told = answer.judge(TARGET, UNIX_EPOCH).unwrap_err().to_string();
        assert!(told.ends_with(": no such thing"), "{told}");
    }

    #[test]
    fn what_was_rejected_is_read_in_both_forms() {
        let expected = Answer { rejected: 300, message: "too old".to_owned() };
        let binary = b"\x0a\x0c\x08\xac\x02\x12\x07too old";
        assert_eq!(Answer::of_protobuf(binary), expected);
        let json = br#"{"partialSuccess":{"rejectedSpans":"300","errorMessage":"too old"}}"#;
        assert_eq!(Answer::of_json(json), expected);
        let json = br#"{"partialSuccess":{"rejectedSpans":300,"errorMessage":"too old"}}"#;
        assert_eq!(Answer::of_json(json), expected);
        for nothing in [&b""[..], b"{}", b"null", b"<html>", br#"{"partialSuccess":7}"#] {
            assert_eq!(Answer::of_json(nothing), Answer::default());
        }
        let negative = b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(Answer::of_protobuf(negative), Answer::default());
    }

    /// A `google.rpc.Status` whose details are a `RetryInfo` of so many seconds.
    fn retry_info(seconds: u8) -> Vec<u8> {
        let url = b"type.googleapis.com/google.rpc.RetryInfo";
        let info = [0x0a, 2, 0x08, seconds];
        let mut any = vec![0x0a, url.len() as u8];
        any.extend(url);
        any.extend([0x12, info.len() as u8]);
        any.extend(info);
        let mut status = vec![0x08, 8, 0x1a, any.len() as u8];
        status.extend(any);
        status
    }

    #[test]
    fn each_code_of_grpc_has_its_fate() {
        let retryable = [1, 4, 10, 11, 14, 15];
        for number in 1..=16 {
            let code = Code::from_i32(number);
            let plain = judge_grpc(TARGET, code, "", &[]);
            assert_eq!(plain.is_retryable(), retryable.contains(&number), "{plain}");
            let asked = judge_grpc(TARGET, code, "", &retry_info(7));
            let may = retryable.contains(&number) || code == Code::ResourceExhausted;
            assert_eq!(asked.is_retryable(), may, "{asked}");
            assert_eq!(asked.retry_after(), may.then_some(Duration::from_secs(7)));
        }
    }

    proptest! {
        #[test]
        fn no_answer_of_a_stranger_does_harm(
            status in 200_u16..600,
            retry_after in ".{0,20}",
            is_json in any::<bool>(),
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let status = StatusCode::from_u16(status).unwrap();
            let retry_after = Some(&*retry_after);
            let answer = HttpAnswer { status, retry_after, is_json, body: &body };
            if let Err(error) = answer.judge(TARGET, UNIX_EPOCH) {
                prop_assert!(!error.to_string().contains(char::is_control));
            }
            let error = judge_grpc(TARGET, Code::Unavailable, "", &body);
            prop_assert!(error.is_retryable());
        }
    }
}
