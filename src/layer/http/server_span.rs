//! The span of an HTTP request that comes in.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderValue, header};
use tracing::field::Empty;
use tracing::{Level, Span, span};

use super::method::{OTHER, SpanName};
use super::options::{SharedOptions, TARGET, span_of_level};
use super::url::{Authority, protocol_version};

/// What is known of a request besides its head.
pub(super) struct RequestNotes<'a> {
    pub(super) route: Option<&'a str>,
    pub(super) scheme: &'a str,
    /// The client's address, where a trusted proxy tells it.
    pub(super) client: Option<&'a str>,
}

/// The span with everything that samplers may ask for. Its fields are formatted only where a
/// subscriber reads them.
pub(super) fn request_span(
    parts: &Parts,
    shared: &SharedOptions,
    notes: &RequestNotes<'_>,
    is_root: bool,
) -> Span {
    let RequestNotes { route, scheme, client } = *notes;
    let method = shared.known_methods.name(&parts.method);
    let authority = Authority::of(parts);
    let redaction = &shared.redaction;
    let original = method.is_none().then_some(parts.method.as_str());
    let original =
        original.and_then(|method| redaction.text("http.request.method_original", method));
    let address =
        authority.and_then(|authority| redaction.text("server.address", authority.address()));
    let client = client.and_then(|client| redaction.text("client.address", client));
    let path = Some(parts.uri.path()).filter(|path| !path.is_empty());
    let path = path.map(|path| redaction.path(path));
    let path = path.as_deref().and_then(|path| redaction.text("url.path", path));
    let query = parts.uri.query().and_then(|query| redaction.query(query));
    let query = query.and_then(|query| redaction.shown("url.query", query));
    let user_agent = text_of(parts.headers.get(header::USER_AGENT));
    let user_agent =
        user_agent.as_deref().and_then(|text| redaction.text("user_agent.original", text));

    // The parent is static, as the level is, so each pair is a callsite of its own.
    macro_rules! span_at {
        ($level:ident $($parent:tt)*) => {
            span!(
                target: TARGET, $($parent)* Level::$level, "http.server",
                otel.name = display(SpanName { method, route }),
                otel.kind = "server",
                http.request.method = method.unwrap_or(OTHER),
                http.request.method_original = original.as_deref(),
                http.route = route,
                url.scheme = scheme,
                url.path = path.as_deref(),
                url.query = query.as_ref().map(display),
                server.address = address.as_deref(),
                server.port = authority.and_then(|authority| authority.port(parts.uri.scheme())).map(i64::from),
                client.address = client.as_deref(),
                network.protocol.version = protocol_version(parts.version),
                user_agent.original = user_agent.as_deref(),
                http.response.status_code = Empty,
                error.type = Empty,
                otel.status_code = Empty,
                otel.status_description = Empty,
            )
        };
    }
    if is_root {
        span_of_level!(shared.level, span_at, parent: None,)
    } else {
        span_of_level!(shared.level, span_at)
    }
}

fn text_of(value: Option<&HeaderValue>) -> Option<Cow<'_, str>> {
    value.map(|value| String::from_utf8_lossy(value.as_bytes()))
}
