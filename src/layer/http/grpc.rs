//! gRPC over HTTP: its names and its spans.

use std::borrow::Cow;
use std::fmt;

use http::request::Parts;
use http::{HeaderMap, header};
use tracing::field::Empty;
use tracing::{Level, Span, span};

use super::options::{TARGET, span_of_level};
use super::redaction::{Redaction, ShownTag};
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

/// The name of a call whose method must not or need not be told.
const NAMELESS: &str = "grpc";

/// The name of a span: the method that is called, where it may be told.
struct CallName<'a>(Option<&'a ShownTag<RpcMethod<'a>>>);

impl fmt::Display for CallName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(method) => method.fmt(f),
            None => f.write_str(NAMELESS),
        }
    }
}

/// The name that the span of a call has once the service has shown that the method exists.
pub(super) fn name_of(parts: &Parts, redaction: &Redaction) -> Option<String> {
    let method = redaction.shown("rpc.method", RpcMethod::of(parts.uri.path()))?;
    Some(method.to_string())
}

/// The span of a call, with everything that samplers may ask for. Its name is that of its method where the caller
/// `is_trusted` to choose names.
pub(super) fn call_span(
    parts: &Parts,
    side: HttpSide,
    level: Level,
    redaction: &Redaction,
    is_root: bool,
    is_trusted: bool,
) -> Span {
    let method = RpcMethod::of(parts.uri.path());
    // The method begins with the service: a rule for the one is one for the other.
    let service = match redaction.text("rpc.method", method.service) {
        Some(Cow::Borrowed(service)) => redaction.text("rpc.service", service),
        hidden => hidden.filter(|service| redaction.text("rpc.service", service).is_some()),
    };
    let method = redaction.shown("rpc.method", method);
    let method = method.as_ref();
    let name = CallName(method.filter(|_| is_trusted));
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
                otel.name = display(&name),
                otel.kind = kind,
                rpc.system = "grpc",
                rpc.system.name = "grpc",
                rpc.service = service.as_deref(),
                rpc.method = method.map(display),
                server.address = address.as_deref(),
                server.port = port,
                http.response.status_code = Empty,
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
}
