//! The span of a request that goes out.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;
use tracing::field::Empty;
use tracing::{Level, Span, span};

use super::grpc;
use super::method::{OTHER, SpanName};
use super::options::{SharedOptions, TARGET, shared_option_methods, span_of_level};
use super::request_scope::RequestScope;
use super::response::ResponseFuture;
use super::response_body::ResponseBody;
use super::side::HttpSide;
use super::url::{Authority, FullUrl};
use crate::layer::caller::{self, CallerRole};
use crate::layer::span_ext::TraceSpanExt;
use crate::model::pattern::Pattern;
use crate::model::{Baggage, Incoming};

/// Makes the span of each request that goes out, and tells the receiver about it in the request's
/// headers (a tower layer).
///
/// The span is a child of the current one. It lasts until the body of the response has ended or was
/// dropped, so reading the body counts. The headers are those of the propagator; whatever
/// it would read of the request is replaced, so that no header of a caller goes out again through a proxy. Baggage
/// that stands in the request without ids of a span was written by the program: its members are kept beside those
/// of the span, whose values count for names that both have. Where the span is not recorded, its nearest
/// recorded ancestor stands in the headers; without one they stay as they are. Put the layer inside
/// of one that sends again, so that each attempt has its own span. [The module](super) lists its tags.
///
/// ```
/// use http::{Request, Response};
/// use tailtrace::layer::http::HttpClientLayer;
/// use tailtrace::{InMemoryExporter, Pipeline};
/// use tower::{Service, ServiceBuilder, service_fn};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let pipeline = Pipeline::builder("shop").with_exporter(InMemoryExporter::new()).start()?;
/// let subscriber = tracing_subscriber::registry().with(pipeline.layer());
///
/// // In a program this is the client of hyper.
/// let send = service_fn(async |request: Request<String>| {
///     assert!(request.headers().contains_key("traceparent"));
///     Ok::<_, std::io::Error>(Response::new(String::new()))
/// });
/// let mut client = ServiceBuilder::new().layer(HttpClientLayer::new()).service(send);
/// let request = Request::get("http://bank.example/rates").body(String::new())?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// tracing::subscriber::with_default(subscriber, || runtime.block_on(client.call(request)))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HttpClientLayer {
    shared: SharedOptions,
    /// The hosts that baggage goes to; `None` for all.
    baggage_hosts: Option<Arc<[Pattern]>>,
}

impl HttpClientLayer {
    /// Makes a layer that writes the W3C headers and makes spans of the level INFO.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: SharedOptions::default(), baggage_hosts: None }
    }

    /// Sends baggage to these hosts only, `*` for any text in a name. Default: to every host.
    ///
    /// Baggage holds what the program and its callers put into it, and a host of a third party sees all of that. Trace
    /// ids go to every host.
    ///
    /// ```
    /// use tailtrace::layer::http::HttpClientLayer;
    /// let layer = HttpClientLayer::new().with_baggage_hosts(["localhost", "*.internal"]);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn with_baggage_hosts(mut self, hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let lower = |host: &str| Pattern::glob(&host.to_ascii_lowercase());
        self.baggage_hosts = Some(hosts.into_iter().map(|host| lower(host.as_ref())).collect());
        self
    }

    fn sends_baggage(&self, parts: &Parts) -> bool {
        let Some(hosts) = &self.baggage_hosts else { return true };
        let host = Authority::of(parts).map(|host| host.address().to_ascii_lowercase());
        host.is_some_and(|host| hosts.iter().any(|pattern| pattern.matches(&host)))
    }
}

shared_option_methods!(HttpClientLayer, propagator: "Sets what writes the headers.");

impl fmt::Debug for HttpClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientLayer").field("level", &self.shared.level).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for HttpClientLayer {
    type Service = HttpClientService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HttpClientService { inner, layer: self.clone() }
    }
}

/// The service of a [`HttpClientLayer`].
#[derive(Clone, Debug)]
pub struct HttpClientService<S> {
    inner: S,
    layer: HttpClientLayer,
}

impl<S, A, B> Service<Request<A>> for HttpClientService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Error: Display,
    B: Body,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let is_grpc = grpc::is_grpc(&parts.headers);
        let shared = &self.layer.shared;
        let span = match is_grpc {
            true => grpc::call_span(
                &parts,
                HttpSide::Client,
                shared.level,
                &shared.redaction,
                false,
                true,
            ),
            false => self.layer.request_span(&parts),
        };
        let sends_baggage = self.layer.sends_baggage(&parts);
        self.layer.inject(&span, sends_baggage, &mut parts.headers);
        let request = Request::from_parts(parts, body);
        let mut scope = RequestScope::new(span, &self.layer.shared.redaction).of_call(is_grpc);
        let response = scope.run(|| self.inner.call(request));
        ResponseFuture::new(response, scope, HttpSide::Client)
    }
}

/// Headers with the ids of a span. Baggage beside one of them was copied from another request; baggage alone is
/// what the program itself wants to send.
const IDS: [&str; 4] = ["traceparent", "b3", "x-b3-traceid", "uber-trace-id"];

/// The baggage of the span with the members that the program wrote into the request by itself. Where both have a
/// name, the span's value counts: a proxy may have copied an older one from the caller's request.
fn with_own_members(mut baggage: Baggage, own: &Baggage) -> Baggage {
    if baggage.is_empty() {
        return own.clone();
    }
    for member in own.iter() {
        if baggage.get(member.name).is_some() {
            continue;
        }
        // One that does not fit any more is left out, as from a header that is too long.
        if let Ok(longer) =
            baggage.clone().with_metadata(member.name, member.value, member.metadata)
        {
            baggage = longer;
        }
    }
    baggage
}

impl HttpClientLayer {
    /// Writes the headers that make `span` the parent of what the receiver starts.
    fn inject(&self, span: &Span, sends_baggage: bool, headers: &mut HeaderMap) {
        // Where a filter hides both spans, the caller's trace goes on without a trace of us.
        let context = span.context().or_else(|| Span::current().context());
        let caller = caller::of_thread(CallerRole::InsteadOfRequest).filter(|_| context.is_none());
        // Baggage stands by itself: it goes on though the caller brought no trace.
        let baggage = caller.as_ref().map(|caller| caller.baggage.clone()).unwrap_or_default();
        let Some(mut context) = context.or_else(|| caller?.into_context()) else {
            if sends_baggage {
                self.inject_baggage(baggage, headers);
            } else {
                self.remove_baggage(headers);
            }
            return;
        };
        if !sends_baggage {
            context.baggage = Baggage::new();
        } else if !IDS.iter().any(|name| headers.contains_key(*name)) {
            let mut own = Incoming::default();
            self.shared.propagator.extract(headers, &mut own);
            context.baggage = with_own_members(context.baggage, &own.baggage);
        }
        // A propagator of the program's may write fields and remove none.
        for field in self.shared.propagator.fields() {
            headers.remove(*field);
        }
        self.shared.propagator.inject(&context, headers);
    }

    /// Takes out of a request the baggage that the program wrote into it: injecting none removes what is there.
    fn remove_baggage(&self, headers: &mut HeaderMap) {
        self.shared.propagator.inject_baggage(&Baggage::new(), headers);
        // A propagator of the program's may write baggage beside a span alone.
        for field in
            self.shared.propagator.fields().iter().filter(|field| field.contains("baggage"))
        {
            headers.remove(*field);
        }
    }

    /// Writes the baggage of a caller without a trace.
    fn inject_baggage(&self, baggage: Baggage, headers: &mut HeaderMap) {
        if !baggage.is_empty() {
            let mut own = Incoming::default();
            self.shared.propagator.extract(headers, &mut own);
            let baggage = with_own_members(baggage, &own.baggage);
            self.shared.propagator.inject_baggage(&baggage, headers);
        }
    }

    /// The span with everything that samplers may ask for. Its fields are formatted only where a
    /// subscriber reads them.
    fn request_span(&self, parts: &Parts) -> Span {
        let method = self.shared.known_methods.name(&parts.method);
        let authority = Authority::of(parts);
        let redaction = &self.shared.redaction;
        let original = method.is_none().then_some(parts.method.as_str());
        let original =
            original.and_then(|method| redaction.text("http.request.method_original", method));
        let address =
            authority.and_then(|authority| redaction.text("server.address", authority.address()));
        let url = redaction.shown("url.full", FullUrl { parts, authority, redaction });

        macro_rules! span_at {
            ($level:ident) => {
                span!(
                    target: TARGET, Level::$level, "http.client",
                    otel.name = display(SpanName { method, route: None }),
                    otel.kind = "client",
                    http.request.method = method.unwrap_or(OTHER),
                    http.request.method_original = original.as_deref(),
                    url.full = url.as_ref().map(display),
                    server.address = address.as_deref(),
                    server.port = authority.and_then(|authority| authority.port(parts.uri.scheme())).map(i64::from),
                    network.protocol.version = Empty,
                    http.response.status_code = Empty,
                    error.type = Empty,
                    otel.status_code = Empty,
                    otel.status_description = Empty,
                )
            };
        }
        span_of_level!(self.shared.level, span_at)
    }
}
