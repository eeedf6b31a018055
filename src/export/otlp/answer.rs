//! What a peer answers to a request of OTLP, and what follows from it.

use std::time::{Duration, SystemTime};

use tonic::Code;

use super::protobuf::reader::Reader;
use crate::export::http::{JsonField, RequestError, Response, quoted};

/// The answer to a request that was accepted, at least in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// How many of its spans were not.
    pub(super) rejected: u64,
    /// Why, or what else the peer wants to be known, in its words.
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
            message: quoted(&Reader::text(partial, 2).unwrap_or_default()),
        }
    }

    /// Reads an `ExportTraceServiceResponse` in the form of JSON.
    pub(super) fn of_json(body: &[u8]) -> Self {
        let rejected = match JsonField::at(&["partialSuccess", "rejectedSpans"], body) {
            Some(JsonField::Text(digits)) => digits.parse().unwrap_or(0),
            Some(JsonField::Number(number)) => number,
            None => 0,
        };
        let message = JsonField::text_at(&["partialSuccess", "errorMessage"], body);
        Self { rejected, message: quoted(&message.unwrap_or_default()) }
    }
}

/// Reads an answer by HTTP; `target` names the peer.
///
/// # Errors
/// When the status says that the request was not accepted.
pub(super) fn read_http(
    response: &Response,
    target: &str,
    now: SystemTime,
) -> Result<Answer, RequestError> {
    if response.status.is_success() {
        let read = if response.is_json { Answer::of_json } else { Answer::of_protobuf };
        // Of a page, which is no message, nothing is read.
        let body = if response.is_page { &[][..] } else { &response.body };
        return Ok(read(body));
    }
    // What is neither JSON nor text is a `google.rpc.Status`.
    let reason = response
        .reason()
        .unwrap_or_else(|| quoted(&Reader::text(&response.body, 2).unwrap_or_default()));
    Err(response.failure(target, reason, now))
}

/// The failure that a status of gRPC other than `OK` means; `target` names the peer.
pub(super) fn grpc_failure(
    target: &str,
    code: Code,
    message: &str,
    details: &[u8],
) -> RequestError {
    let mut told = format!("{target} answered {code:?}");
    if let Some(advice) = grpc_advice(code) {
        told.push_str("; ");
        told.push_str(advice);
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
    let error = if is_retryable {
        RequestError::retryable(told, asked)
    } else {
        RequestError::permanent(told)
    };
    error.with_words(quoted(message))
}

fn grpc_advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::PermissionDenied | Code::Unauthenticated => "check the credentials in its headers",
        Code::Unimplemented => "no service takes traces by gRPC there, check its port",
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

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    const TARGET: &str = "http://localhost:4318/v1/traces";

    fn read(status: u16, is_json: bool, body: &[u8]) -> Result<Answer, RequestError> {
        let status = StatusCode::from_u16(status).unwrap();
        let body = body.to_vec().into();
        let response = Response { status, is_json, body, ..Response::default() };
        read_http(&response, TARGET, UNIX_EPOCH)
    }

    #[test]
    fn what_a_peer_says_stands_apart_and_cannot_forge_lines() {
        for status in [200, 202, 204] {
            assert_eq!(read(status, false, b"").unwrap(), Answer::default());
        }
        let status = b"\x08\x03\x12\x08bad\nspan";
        let error = read(400, false, status).unwrap_err();
        assert_eq!(error.message, format!("{TARGET} answered 400 Bad Request"));
        assert_eq!(error.words, "bad\\nspan");
        let long = "x".repeat(100_000);
        let told = read(500, false, long.as_bytes()).unwrap_err().words;
        assert!(told.len() < 400 && told.ends_with("x…"));
        let json = br#"{"code":3,"message":"no such thing"}"#;
        assert_eq!(read(400, true, json).unwrap_err().words, "no such thing");
    }

    #[test]
    fn nothing_is_read_of_a_page_of_html() {
        let body = b"\x0a\x0c\x08\xac\x02\x12\x07too old".to_vec().into();
        let page = Response { is_page: true, body, ..Response::default() };
        assert_eq!(read_http(&page, TARGET, UNIX_EPOCH).unwrap(), Answer::default());
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
    fn each_code_of_grpc_is_permanent_or_not() {
        let retryable = [1, 4, 10, 11, 14, 15];
        for number in 1..=16 {
            let code = Code::from_i32(number);
            let plain = grpc_failure(TARGET, code, "", &[]);
            assert_eq!(plain.is_retryable, retryable.contains(&number), "{plain:?}");
            let asked = grpc_failure(TARGET, code, "", &retry_info(7));
            let may = retryable.contains(&number) || code == Code::ResourceExhausted;
            assert_eq!(asked.is_retryable, may, "{asked:?}");
            assert_eq!(asked.retry_after, may.then_some(Duration::from_secs(7)));
        }
    }

    proptest! {
        #[test]
        fn no_answer_of_a_peer_does_harm(
            status in 200_u16..600,
            is_json in any::<bool>(),
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            if let Err(error) = read(status, is_json, &body) {
                prop_assert!(!error.message.contains(char::is_control));
                prop_assert!(!error.words.contains(char::is_control));
            }
            let error = grpc_failure(TARGET, Code::Unavailable, "", &body);
            prop_assert!(error.is_retryable);
        }
    }
}
