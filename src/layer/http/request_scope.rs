//! The span that a request is handled inside of.

use std::mem;

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use tracing::Span;

use super::grpc::RpcStatus;
use super::redaction::Redaction;
use super::side::HttpSide;
use crate::layer::caller::{self, CallerRole};
use crate::layer::span_ext::TraceSpanExt;
use crate::model::Incoming;

/// The span that a request is handled inside of.
#[derive(Debug)]
pub(super) struct RequestScope {
    pub(super) span: Span,
    /// The caller, where a filter hides the span that would tell of it.
    hidden: Option<Box<Incoming>>,
    pub(super) redaction: Redaction,
    /// Whether the response of a gRPC call has yet to say how the call ended.
    pub(super) awaits_status: bool,
    /// The header of the response that tells the trace id.
    trace_id_header: Option<HeaderName>,
}

impl RequestScope {
    pub(super) fn new(span: Span, redaction: &Redaction) -> Self {
        let redaction = redaction.clone();
        Self { span, hidden: None, redaction, awaits_status: false, trace_id_header: None }
    }

    pub(super) fn hidden(span: Span, redaction: &Redaction, caller: Incoming) -> Self {
        Self { hidden: Some(Box::new(caller)), ..Self::new(span, redaction) }
    }

    /// The scope of a gRPC call, if it is one.
    pub(super) fn of_call(self, is_grpc: bool) -> Self {
        Self { awaits_status: is_grpc, ..self }
    }

    pub(super) fn with_trace_id_header(self, name: Option<HeaderName>) -> Self {
        Self { trace_id_header: name, ..self }
    }

    /// Notes what the head or the trailers of a response say of how a call ended.
    pub(super) fn note_status(&mut self, side: HttpSide, headers: &HeaderMap) {
        if self.awaits_status
            && let Some(status) = RpcStatus::of(headers)
        {
            self.awaits_status = false;
            status.record(side, &self.span, &self.redaction);
        }
    }

    /// Notes that no more of the response comes.
    pub(super) fn note_end(&mut self, side: HttpSide) {
        if mem::take(&mut self.awaits_status) {
            RpcStatus::missing().record(side, &self.span, &self.redaction);
        }
    }

    /// Tells the client the trace id, for a ticket or a page of errors.
    pub(super) fn tell_trace_id<B>(&self, response: &mut Response<B>) {
        let Some(name) = &self.trace_id_header else { return };
        let of_span = self.span.context().map(|context| context.trace_id);
        let of_caller = || Some(self.hidden.as_ref()?.context.as_ref()?.trace_id);
        let value = of_span.or_else(of_caller).map(|id| HeaderValue::from_str(&id.to_hex()));
        if let Some(Ok(value)) = value {
            response.headers_mut().insert(name.clone(), value);
        }
    }

    pub(super) fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        let _entered = self.span.enter();
        match &self.hidden {
            None => work(),
            Some(caller) => {
                caller::with_caller((**caller).clone(), CallerRole::InsteadOfRequest, work)
            }
        }
    }
}

impl Default for RequestScope {
    fn default() -> Self {
        Self::new(Span::none(), &Redaction::default())
    }
}
