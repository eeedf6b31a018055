//! The span of a request that comes in.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderName, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use super::forwarded::Forwarded;
use super::grpc;
use super::options::{SharedOptions, shared_option_methods};
use super::request_scope::RequestScope;
use super::response::{ResponseBody, ResponseFuture};
use super::server_span::{RequestNotes, request_span};
use super::side::HttpSide;
use crate::kit::glob::Glob;
use crate::kit::unwind_safe;
use crate::layer::caller::{self, CallerRole, RequestTag};
use crate::layer::lookup;
use crate::layer::span_ext::TraceSpanExt;
use crate::model::{Border, Incoming, TagKey, TagValue};

type Route = dyn for<'p> Fn(&'p Parts) -> Option<&'p str> + Send + Sync;
type Tags = dyn Fn(&Parts) -> Vec<RequestTag> + Send + Sync;

/// Makes the span of each request that comes in (a tower layer).
///
/// The span is a child of the caller's, as the headers say. Baggage without a caller's context goes to the
/// new trace that the span starts. Without such headers it is a child of the current span, or a root. It lasts until the body of the response has ended or was dropped, and is
/// the current one whenever the service or the body is polled. [The module](super) lists its tags.
///
/// ```
/// use http::{Request, Response};
/// use tailtrace::layer::http::HttpServerLayer;
/// use tailtrace::{InMemoryExporter, Pipeline};
/// use tower::{Service, ServiceBuilder, service_fn};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let memory = InMemoryExporter::new();
/// let pipeline = Pipeline::builder("shop").with_exporter(memory.clone()).start()?;
/// let subscriber = tracing_subscriber::registry().with(pipeline.layer());
///
/// let mut service = ServiceBuilder::new()
///     .layer(HttpServerLayer::new().with_route(|_request| Some("/orders/{id}")))
///     .service(service_fn(async |_request: Request<String>| {
///         tracing::info!("cooking"); // A log of the request's span.
///         Ok::<_, std::io::Error>(Response::new(String::new()))
///     }));
/// let request = Request::get("/orders/7")
///     .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
///     .body(String::new())?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// tracing::subscriber::with_default(subscriber, || runtime.block_on(service.call(request)))?;
///
/// pipeline.shutdown(std::time::Duration::from_secs(5))?;
/// let spans = memory.spans();
/// assert_eq!(spans[0].operation_name(), "GET /orders/{id}");
/// assert_eq!(spans[0].context().trace_id.to_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HttpServerLayer {
    shared: SharedOptions,
    route: Option<Arc<Route>>,
    tags: Option<Arc<Tags>>,
    without: Arc<[Glob]>,
    trace_id_header: Option<HeaderName>,
    trusted_proxies: usize,
    scheme: Scheme,
}

impl HttpServerLayer {
    /// Makes a layer that reads the W3C headers, knows no routes, and makes spans of the level INFO.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: SharedOptions::default(),
            route: None,
            tags: None,
            without: Arc::default(),
            trace_id_header: None,
            trusted_proxies: 0,
            scheme: Scheme::HTTP,
        }
    }

    /// Sets what tells the route of a request, in the form with placeholders: the tag `http.route` and
    /// the second half of the span's name. Default: nothing does, and the name is the method alone.
    ///
    /// A route is one of few; never give the path itself. The layer asks once for each request. With axum,
    /// where the layer is added to the router:
    ///
    /// ```
    /// use axum::{Router, extract::MatchedPath, routing::get};
    /// use tailtrace::layer::http::HttpServerLayer;
    ///
    /// let layer = HttpServerLayer::new()
    ///     .with_route(|request| request.extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    /// let app: Router = Router::new().route("/orders/{id}", get(|| async {})).layer(layer);
    /// ```
    #[must_use]
    pub fn with_route<F>(mut self, route: F) -> Self
    where
        F: for<'p> Fn(&'p Parts) -> Option<&'p str> + Send + Sync + 'static,
    {
        self.route = Some(Arc::new(route));
        self
    }

    /// Sets how much of what callers send is believed. Default: [`Border::Inside`], all of it.
    ///
    /// With [`Border::Public`], the answer for the edge of a network, each request begins a trace of its own that
    /// is linked to the caller's. The headers that the propagator reads, and those of all other formats of this
    /// crate, are taken out of the request then, so that no handler and no proxy hands them on.
    #[must_use]
    pub fn with_border(mut self, border: Border) -> Self {
        self.shared.border = border;
        self
    }

    /// Sets what makes tags of a request. They are on the span before a sampler is asked about it, with and
    /// without a caller. Default: nothing does. The layer asks once for each request.
    ///
    /// ```
    /// use tailtrace::layer::http::HttpServerLayer;
    /// let layer = HttpServerLayer::new().with_tags(|request| {
    ///     let tenant = request.headers.get("x-tenant").and_then(|tenant| tenant.to_str().ok());
    ///     tenant.map(|tenant| ("tenant", tenant.to_owned()))
    /// });
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn with_tags<F, T, K, V>(mut self, tags: F) -> Self
    where
        F: Fn(&Parts) -> T + Send + Sync + 'static,
        T: IntoIterator<Item = (K, V)>,
        K: Into<TagKey<'static>>,
        V: Into<TagValue>,
    {
        self.tags = Some(Arc::new(move |parts| {
            let tags = tags(parts).into_iter();
            tags.map(|(key, value)| (key.into().into_owned(), value.into())).collect()
        }));
        self
    }

    /// Leaves out requests by their paths, such as `/healthz` or `/assets/*`, where a `*` stands for any text: they
    /// have no span. What the handler traces itself goes on, below the caller. Default: none.
    #[must_use]
    pub fn without_paths(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.without = paths.into_iter().map(|path| Glob::new(path.into())).collect();
        self
    }

    /// Sets the header of responses that tells the client the trace id, in 32 digits, for a ticket or a page of
    /// errors. Default: none does.
    #[must_use]
    pub fn with_trace_id_header(mut self, name: HeaderName) -> Self {
        self.trace_id_header = Some(name);
        self
    }

    /// Sets how many proxies before this server are trusted to tell the scheme and the client's address, which become
    /// `url.scheme` and `client.address`: `Forwarded`, or `X-Forwarded-For` and `X-Forwarded-Proto`. Default: 0, and
    /// these headers are not read.
    ///
    /// Each proxy adds what it saw at the end of the header. What stands before the entries of the trusted ones is what
    /// a stranger claims, and is not read.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: usize) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// Sets the `url.scheme` of requests that do not say it, which are those of HTTP/1. Default:
    /// [`Scheme::HTTP`].
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }
}

shared_option_methods!(HttpServerLayer, propagator: "Sets what reads the caller's context from the headers.");

impl fmt::Debug for HttpServerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServerLayer")
            .field("scheme", &self.scheme)
            .field("level", &self.shared.level)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for HttpServerLayer {
    type Service = HttpServerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HttpServerService { inner, layer: self.clone() }
    }
}

/// The service of a [`HttpServerLayer`].
#[derive(Clone, Debug)]
pub struct HttpServerService<S> {
    inner: S,
    layer: HttpServerLayer,
}

impl<S, A, B> Service<Request<A>> for HttpServerService<S>
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
        let scope = self.layer.scope(&parts);
        self.layer.shared.take_out_untrusted(&mut parts.headers);
        let request = Request::from_parts(parts, body);
        let response = scope.run(|| self.inner.call(request));
        ResponseFuture::new(response, scope, HttpSide::Server)
    }
}

impl HttpServerLayer {
    /// The span of this request, under its caller if that is known, or with the caller's baggage in a new
    /// trace. What a remote caller says goes before the span that happens to be the current one here.
    fn scope(&self, parts: &Parts) -> RequestScope {
        let mut caller = Incoming::default();
        self.shared.propagator.extract(&parts.headers, &mut caller);
        let caller = caller.at(self.shared.border);
        let redaction = &self.shared.redaction;
        let scope = if self.without.iter().any(|path| path.matches(parts.uri.path())) {
            RequestScope::hidden(Span::none(), redaction, caller)
        } else {
            let is_grpc = grpc::is_grpc(&parts.headers);
            self.traced_scope(parts, caller, is_grpc).of_call(is_grpc)
        };
        scope.with_trace_id_header(self.trace_id_header.clone())
    }

    fn traced_scope(&self, parts: &Parts, caller: Incoming, is_grpc: bool) -> RequestScope {
        let redaction = &self.shared.redaction;
        // Asked first: what it traces itself has nothing to do with the caller.
        let route =
            self.route.as_ref().and_then(|route| unwind_safe::call(|| route(parts)).flatten());
        let tags = self.tags.as_ref().and_then(|tags| unwind_safe::call(|| tags(parts)));
        let tags = tags.unwrap_or_default();
        if caller.is_empty() {
            let span = self.span(parts, route, is_grpc, false);
            // A root's sampler is not asked before the span is entered or has children.
            for (key, value) in tags {
                span.set_tag(key, value);
            }
            return RequestScope::new(span, redaction);
        }
        let create = || self.span(parts, route, is_grpc, true);
        let role = CallerRole::ParentOfRequest;
        let span = caller::with_caller_and_tags(caller.clone(), role, tags, create);
        if lookup::is_known(&span) {
            RequestScope::new(span, redaction)
        } else {
            RequestScope::hidden(span, redaction, caller)
        }
    }

    fn span(&self, parts: &Parts, route: Option<&str>, is_grpc: bool, is_root: bool) -> Span {
        let shared = &self.shared;
        if is_grpc {
            return grpc::call_span(
                parts,
                HttpSide::Server,
                shared.level,
                &shared.redaction,
                is_root,
            );
        }
        let forwarded = Forwarded::read(&parts.headers, self.trusted_proxies);
        let own = parts.uri.scheme().unwrap_or(&self.scheme).as_str();
        let scheme = forwarded.scheme.unwrap_or(own);
        let notes = RequestNotes { route, scheme, client: forwarded.client };
        request_span(parts, shared, &notes, is_root)
    }
}
