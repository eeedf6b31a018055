//! The span that a request is handled inside of.

use std::any::type_name;
use std::fmt::Display;
use std::{mem, thread};

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use tracing::Span;
use tracing::field::display;

use super::redaction::Redaction;
use super::rpc_status::RpcStatus;
use super::side::HttpSide;
use crate::layer::caller::{self, CallerRole};
use crate::layer::lookup;
use crate::layer::span_ext::TraceSpanExt;
use crate::model::{Border, Incoming};

/// The span that a request is handled inside of.
#[derive(Debug)]
pub(super) struct RequestScope {
    pub(super) span: Span,
    /// The caller, where a filter hides the span that would tell of it.
    hidden: Option<Box<Incoming>>,
    pub(super) redaction: Redaction,
    /// Whether the response of a gRPC call has yet to say how the call ended.
    pub(super) awaits_status: bool,
    /// The name of a call's span once the response shows that the method exists.
    name_to_be: Option<String>,
    /// The header of the response that tells the trace id.
    trace_id_header: Option<HeaderName>,
    /// Whether a panic has passed through what ran inside.
    has_panicked: bool,
    /// Who may be the caller.
    border: Border,
}

impl RequestScope {
    pub(super) fn new(span: Span, redaction: &Redaction) -> Self {
        let redaction = redaction.clone();
        Self {
            span,
            hidden: None,
            redaction,
            awaits_status: false,
            name_to_be: None,
            trace_id_header: None,
            has_panicked: false,
            border: Border::Inside,
        }
    }

    pub(super) fn hidden(span: Span, redaction: &Redaction, caller: Incoming) -> Self {
        // It is held as long as the request lasts, and no trace weighs it.
        let caller = lookup::carried_limit().incoming(caller);
        Self { hidden: Some(Box::new(caller)), ..Self::new(span, redaction) }
    }

    /// The scope of a gRPC call, if it is one.
    pub(super) fn of_call(self, is_grpc: bool) -> Self {
        Self { awaits_status: is_grpc, ..self }
    }

    /// This scope of a call whose span gets a name as soon as a status shows that the method exists.
    pub(super) fn with_name_to_be(self, name_to_be: Option<String>) -> Self {
        Self { name_to_be, ..self }
    }

    /// Takes back that this is a call of gRPC: the response says that it is none, whatever the request says.
    pub(super) fn is_no_call(&mut self) {
        self.awaits_status = false;
    }

    pub(super) fn is_inside(&self) -> bool {
        self.border.is_inside()
    }

    /// This scope of a request that came over a border.
    pub(super) fn at(self, border: Border) -> Self {
        Self { border, ..self }
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
            status.record(side, self.border, &self.span, &self.redaction);
            if let Some(name) = self.name_to_be.take().filter(|_| status.is_of_a_method()) {
                self.span.record("otel.name", name);
            }
        }
    }

    /// Notes that no more of the response comes.
    pub(super) fn note_end(&mut self, side: HttpSide) {
        if mem::take(&mut self.awaits_status) {
            let status = RpcStatus::missing();
            match self.border.is_inside() {
                true => status.record(side, self.border, &self.span, &self.redaction),
                false => status.record_code(&self.span),
            }
        }
    }

    /// Notes the error that came in place of the response or of the rest of it.
    pub(super) fn note_error<E: Display>(&mut self, error: &E) {
        self.awaits_status = false;
        let name = type_name::<E>();
        // The type of an error in a box is not known.
        let kind = if name.starts_with("alloc::boxed::Box<") { "_OTHER" } else { name };
        self.span.record("error.type", kind);
        self.span.record("otel.status_code", "error");
        if let Some(text) = self.redaction.error(error) {
            self.span.record("otel.status_description", display(text));
        }
    }

    /// Notes that the request was given up before `what` it waited for: a panic has passed through it, or its client
    /// went away.
    pub(super) fn note_abandonment(&mut self, what: &str) {
        let is_panic = self.has_panicked;
        if mem::take(&mut self.awaits_status) {
            RpcStatus::of_abandonment(is_panic).record_code(&self.span);
        }
        let (kind, verb) = if is_panic { ("panic", "panicked") } else { ("cancelled", "dropped") };
        self.span.record("error.type", kind);
        if !is_panic && !self.border.is_inside() {
            // A stranger would have traces kept, and spared at every limit, by hanging up.
            return;
        }
        self.span.record("otel.status_code", "error");
        self.span.record("otel.status_description", display(format_args!("{verb} before {what}")));
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

    /// Runs a part of the work inside of the span. A panic that passes through says so in the span.
    pub(super) fn run<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let was_panicking = thread::panicking();
        let passage = Passage { span: &self.span, was_panicking, is_seen: &mut self.has_panicked };
        let _entered = passage.span.enter();
        match &self.hidden {
            None => work(),
            Some(caller) => {
                caller::with_caller((**caller).clone(), CallerRole::InsteadOfRequest, work)
            }
        }
    }
}

/// Sees a panic that passes through.
struct Passage<'a> {
    span: &'a Span,
    was_panicking: bool,
    is_seen: &'a mut bool,
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if thread::panicking() && !self.was_panicking {
            *self.is_seen = true;
            self.span.record("exception.type", "panic");
            self.span.record("error.type", "panic");
            self.span.record("otel.status_code", "error");
        }
    }
}

impl Default for RequestScope {
    fn default() -> Self {
        Self::new(Span::none(), &Redaction::default())
    }
}
