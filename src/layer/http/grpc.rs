//! gRPC over HTTP: its names, its spans, and the status in the head or the trailers of a response.

use std::borrow::Cow;
use std::fmt;

use http::request::Parts;
use http::{HeaderMap, header};
use tracing::field::Empty;
use tracing::{Level, Span, span};

use super::options::{TARGET, span_of_level};
use super::redaction::Redaction;
use super::side::HttpSide;
use super::url::Authority;

/// Whether the headers of a request or a response say that it is gRPC.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The method that a request calls: `package.Service` and `Method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RpcMethod<'a> {
    service: &'a str,
    method: &'a str,
}

impl<'a> RpcMethod<'a> {
    /// The method of a path such as `/package.Service/Method`.
    pub(super) fn of(path: &'a str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (service, method) = path.rsplit_once('/').unwrap_or((path, ""));
        Self { service, method }
    }
}

impl fmt::Display for RpcMethod<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.method)
    }
}

/// The span of a call, with everything that samplers may ask for.
pub(super) fn call_span(
    parts: &Parts,
    side: HttpSide,
    level: Level,
    redaction: &Redaction,
    is_root: bool,
) -> Span {
    let method = RpcMethod::of(parts.uri.path());
    let authority = Authority::of(parts);
    let address =
        authority.and_then(|authority| redaction.text("server.address", authority.address()));
    let port = authority.and_then(|authority| authority.port(parts.uri.scheme())).map(i64::from);
    let kind = if side == HttpSide::Server { "server" } else { "client" };

    // The parent is static, as the level is, so each pair is a callsite of its own.
    macro_rules! span_at {
        ($level:ident $($parent:tt)*) => {
            span!(
                target: TARGET, $($parent)* Level::$level, "grpc",
                otel.name = display(method),
                otel.kind = kind,
                rpc.system = "grpc",
                rpc.system.name = "grpc",
                rpc.service = method.service,
                rpc.method = display(method),
                server.address = address.as_deref(),
                server.port = port,
                rpc.response.status_code = Empty,
                rpc.grpc.status_code = Empty,
                error.type = Empty,
                otel.status_code = Empty,
                otel.status_description = Empty,
            )
        };
    }
    if is_root {
        span_of_level!(level, span_at, parent: None,)
    } else {
        span_of_level!(level, span_at)
    }
}

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

    fn is_error(&self, side: HttpSide) -> bool {
        match side {
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

    pub(super) fn record(&self, side: HttpSide, span: &Span, redaction: &Redaction) {
        self.record_code(span);
        if self.is_error(side) {
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
    fn the_content_type_says_whether_it_is_grpc() {
        for (kind, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc; charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            assert_eq!(is_grpc(&headers(&[("content-type", kind)])), expected, "{kind}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn a_path_names_service_and_method() {
        for (path, name) in [
            ("/shop.v1.Orders/Place", "shop.v1.Orders/Place"),
            ("/prefix/shop.Orders/Place", "prefix/shop.Orders/Place"),
            ("/odd", "odd/"),
            ("", "/"),
        ] {
            assert_eq!(RpcMethod::of(path).to_string(), name);
        }
    }

    #[test]
    fn what_the_client_asked_wrongly_is_no_error_of_the_server() {
        for code in 0..20 {
            let status = RpcStatus { code, message: None };
            let is_server_error = matches!(code, 2 | 4 | 12 | 13 | 14 | 15);
            assert_eq!(status.is_error(HttpSide::Server), is_server_error, "{code}");
            assert_eq!(status.is_error(HttpSide::Client), code != 0, "{code}");
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
