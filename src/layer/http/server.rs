//! The span of a request that comes in.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;
use tracing::field::Empty;
use tracing::{Level, Span, span};

use super::method::{OTHER, SpanName};
use super::options::{SharedOptions, TARGET, shared_option_methods, span_of_level};
use super::response::{HttpSide, RequestScope, ResponseBody, ResponseFuture};
use super::url::{Authority, protocol_version};
use crate::kit::unwind_safe;
use crate::layer::caller::{self, CallerRole};
use crate::layer::lookup;
use crate::model::{Border, Incoming};

type Route = dyn for<'p> Fn(&'p Parts) -> Option<&'p str> + Send + Sync;

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
    scheme: Scheme,
}

impl HttpServerLayer {
    /// Makes a layer that reads the W3C headers, knows no routes, and makes spans of the level INFO.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: SharedOptions::default(), route: None, scheme: Scheme::HTTP }
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
        // Asked first: what it traces itself has nothing to do with the caller.
        let route =
            self.route.as_ref().and_then(|route| unwind_safe::call(|| route(parts)).flatten());
        if caller.is_empty() {
            return RequestScope::new(
                self.request_span(parts, route, false),
                &self.shared.redaction,
            );
        }
        let create = || self.request_span(parts, route, true);
        let span = caller::with_caller(caller.clone(), CallerRole::ParentOfRequest, create);
        if lookup::is_known(&span) {
            RequestScope::new(span, &self.shared.redaction)
        } else {
            RequestScope::hidden(span, &self.shared.redaction, caller)
        }
    }

    /// The span with everything that samplers may ask for. Its fields are formatted only where a
    /// subscriber reads them.
    fn request_span(&self, parts: &Parts, route: Option<&str>, is_root: bool) -> Span {
        let method = self.shared.known_methods.name(&parts.method);
        let authority = Authority::of(parts);
        let redaction = &self.shared.redaction;
        let original = method.is_none().then_some(parts.method.as_str());
        let original =
            original.and_then(|method| redaction.text("http.request.method_original", method));
        let address =
            authority.and_then(|authority| redaction.text("server.address", authority.address()));
        let path = Some(parts.uri.path()).filter(|path| !path.is_empty());
        let path = path.and_then(|path| redaction.text("url.path", path));
        let query = parts.uri.query().and_then(|query| redaction.query(query));
        let query = query.and_then(|query| redaction.shown("url.query", query));
        let user_agent = text_of(parts.headers.get(header::USER_AGENT));
        let user_agent =
            user_agent.as_deref().and_then(|text| redaction.text("user_agent.original", text));
        let scheme = parts.uri.scheme().unwrap_or(&self.scheme);

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
                    url.scheme = scheme.as_str(),
                    url.path = path.as_deref(),
                    url.query = query.as_ref().map(display),
                    server.address = address.as_deref(),
                    server.port = authority.and_then(|authority| authority.port(parts.uri.scheme())).map(i64::from),
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
            span_of_level!(self.shared.level, span_at, parent: None,)
        } else {
            span_of_level!(self.shared.level, span_at)
        }
    }
}

fn text_of(value: Option<&HeaderValue>) -> Option<Cow<'_, str>> {
    value.map(|value| String::from_utf8_lossy(value.as_bytes()))
}
