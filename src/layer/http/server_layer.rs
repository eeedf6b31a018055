//! What makes the spans of requests that come in, and what it can be told.

use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use http::uri::Scheme;

use super::forwarded::{ProxyHeaders, TrustedProxies};
use super::options::{SharedOptions, shared_option_methods};
use crate::kit::glob::Glob;
use crate::layer::caller::RequestTag;
use crate::model::{Border, TagKey, TagValue};

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
    pub(super) shared: SharedOptions,
    pub(super) route: Option<Arc<Route>>,
    pub(super) tags: Option<Arc<Tags>>,
    pub(super) without: Arc<[Glob]>,
    pub(super) trace_id_header: Option<HeaderName>,
    pub(super) proxies: TrustedProxies,
    pub(super) scheme: Scheme,
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
            proxies: TrustedProxies::default(),
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
    ///
    /// A request that ends because it was dropped, as when its client hangs up or leaves a stream, is an error of ours
    /// inside a network only. At the other borders `error.type` says `cancelled`, and the span is no error: it would be
    /// kept and spared for what a stranger did. A layer that drops requests that take too long belongs below this one
    /// there, so that its answer is seen.
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
    /// `url.scheme` and `client.address`: `X-Forwarded-For` and `X-Forwarded-Proto`, or `Forwarded`. Default: 0, and
    /// these headers are not read.
    ///
    /// Each proxy adds what it saw at the end of the header. What stands before the entries of the trusted ones is what
    /// a stranger claims, and is not read. A request that has headers of both families says nothing, for one of them may
    /// be the client's, unless [`with_proxy_headers`](Self::with_proxy_headers) tells which to read.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: usize) -> Self {
        self.proxies.count = proxies;
        self
    }

    /// Sets which headers the [trusted proxies](Self::with_trusted_proxies) write; the others are not read. Default:
    /// those that a request has, if it has one family alone. Say it: most proxies write one family, and hand on the
    /// other as the client sent it.
    #[must_use]
    pub fn with_proxy_headers(mut self, headers: ProxyHeaders) -> Self {
        self.proxies.headers = Some(headers);
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
