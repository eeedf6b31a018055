//! The span of a request that comes in.

use std::fmt::Display;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use super::grpc;
use super::request_scope::RequestScope;
use super::response::ResponseFuture;
use super::response_body::ResponseBody;
use super::server_layer::HttpServerLayer;
use super::server_span::{RequestNotes, request_span};
use super::side::HttpSide;
use crate::kit::unwind_safe;
use crate::layer::caller::{self, CallerRole};
use crate::layer::lookup;
use crate::layer::span_ext::TraceSpanExt;
use crate::model::{Border, Incoming};

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
        let mut scope = self.layer.scope(&parts);
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
        let border = self.shared.border();
        let caller = caller.at(border);
        let redaction = &self.shared.redaction;
        let scope = if self.without.iter().any(|path| path.matches(parts.uri.path())) {
            RequestScope::hidden(Span::none(), redaction, caller)
        } else {
            let is_grpc = grpc::is_grpc(&parts.headers);
            let scope = self.traced_scope(parts, caller, is_grpc, border).of_call(is_grpc);
            // A caller that is not trusted names no span before the method is known to exist.
            let is_nameless = is_grpc && !border.is_inside();
            scope.with_name_to_be(is_nameless.then(|| grpc::name_of(parts, redaction)).flatten())
        };
        scope.at(border).with_trace_id_header(self.trace_id_header.clone())
    }

    fn traced_scope(
        &self,
        parts: &Parts,
        caller: Incoming,
        is_grpc: bool,
        border: Border,
    ) -> RequestScope {
        let redaction = &self.shared.redaction;
        // Asked first: what it traces itself has nothing to do with the caller.
        let route =
            self.route.as_ref().and_then(|route| unwind_safe::call(|| route(parts)).flatten());
        let tags = self.tags.as_ref().and_then(|tags| unwind_safe::call(|| tags(parts)));
        let tags = tags.unwrap_or_default();
        if caller.is_empty() {
            let span = self.span(parts, route, is_grpc, border, false);
            // A root's sampler is not asked before the span is entered or has children.
            for (key, value) in tags {
                span.set_tag(key, value);
            }
            return RequestScope::new(span, redaction);
        }
        let create = || self.span(parts, route, is_grpc, border, true);
        let role = CallerRole::ParentOfRequest;
        let span = caller::with_caller_and_tags(caller.clone(), role, tags, create);
        if lookup::is_known(&span) {
            RequestScope::new(span, redaction)
        } else {
            RequestScope::hidden(span, redaction, caller)
        }
    }

    fn span(
        &self,
        parts: &Parts,
        route: Option<&str>,
        is_grpc: bool,
        border: Border,
        is_root: bool,
    ) -> Span {
        let shared = &self.shared;
        if is_grpc {
            return grpc::call_span(
                parts,
                HttpSide::Server,
                shared.level,
                &shared.redaction,
                is_root,
                border.is_inside(),
            );
        }
        let forwarded = self.proxies.read(&parts.headers);
        let own = parts.uri.scheme().unwrap_or(&self.scheme).as_str();
        let scheme = forwarded.scheme.unwrap_or(own);
        let notes = RequestNotes { route, scheme, client: forwarded.client };
        request_span(parts, shared, &notes, is_root)
    }
}
