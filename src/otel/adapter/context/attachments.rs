//! The spans of ours that each thread has attached to OpenTelemetry's current context.

use std::cell::RefCell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::trace::{SpanId, TraceContextExt};
use opentelemetry::{Context, ContextGuard};

use super::super::release_line;
use super::borrowed_span::with_borrowed_span;
use super::conversion::from_context;
use crate::model::TraceId;
use crate::record::bridge::{self, BridgedParent, BridgedSpan, BridgedSpanId, ContextBridge};

thread_local! {
    static ATTACHMENTS: AttachmentStack = AttachmentStack::new();
}

/// The attachments of a thread, the innermost last.
struct AttachmentStack(RefCell<Vec<Attachment>>);

/// A span that a thread attached.
struct Attachment {
    id: BridgedSpanId,
    /// The span's id in OpenTelemetry's context.
    span: SpanId,
    /// The span's trace, if that is not recorded.
    dropped: Option<TraceId>,
    /// Brings back the context before, when it is dropped.
    guard: ContextGuard,
}

impl AttachmentStack {
    fn new() -> Self {
        // A thread destroys its locals in the reverse order: OpenTelemetry's stack must outlive this one.
        Context::map_current(|_| ());
        Self(RefCell::default())
    }
}

impl Drop for AttachmentStack {
    fn drop(&mut self) {
        // The thread ends, and a guard has no context left to bring back.
        for attachment in self.0.get_mut().drain(..) {
            mem::forget(attachment.guard);
        }
    }
}

/// Works on the thread's attachments; `None` while the thread ends.
fn with_attachments<R>(work: impl FnOnce(&mut Vec<Attachment>) -> Option<R>) -> Option<R> {
    ATTACHMENTS.try_with(|stack| work(&mut *stack.0.try_borrow_mut().ok()?)).ok().flatten()
}

/// OpenTelemetry's contexts, in which this crate's spans are made current.
pub(super) struct OtelContexts;

impl ContextBridge for OtelContexts {
    fn enter(&self, id: BridgedSpanId, bridged: BridgedSpan) {
        // Samplers and policies may be asked inside of a borrow of the thread's contexts, under which attaching panics.
        if bridge::is_own_work() {
            return;
        }
        let dropped = bridged.is_dropped.then_some(bridged.context.trace_id);
        let Some((span, guard)) = attach(bridged) else { return };
        // While the thread ends there are no attachments any more, and the guard is dropped here.
        with_attachments(|attachments| {
            attachments.push(Attachment { id, span, dropped, guard });
            Some(())
        });
    }

    fn is_in_dropped(&self, trace: TraceId) -> bool {
        let dropped = with_attachments(|attachments| {
            let top = attachments.last()?;
            (top.dropped == Some(trace)).then_some(top.span)
        });
        // The application may have attached another context since.
        let is_current =
            |span| Context::map_current(|current| current.span().span_context().span_id() == span);
        dropped.is_some_and(is_current)
    }

    fn exit(&self, id: BridgedSpanId) -> bool {
        let attachment = with_attachments(|attachments| {
            let at = attachments.iter().rposition(|attachment| attachment.id == id)?;
            Some(attachments.remove(at))
        });
        let was_dropped =
            attachment.as_ref().is_some_and(|attachment| attachment.dropped.is_some());
        detach(attachment);
        was_dropped
    }

    fn is_shown(&self, id: BridgedSpanId) -> bool {
        with_attachments(|attachments| {
            Some(attachments.iter().any(|attachment| attachment.id == id))
        })
        .unwrap_or(false)
    }

    fn update(&self, id: BridgedSpanId, bridged: BridgedSpan) {
        // Below a context that the application attached since, the span cannot be exchanged.
        let current = Context::map_current(|current| current.span().span_context().span_id());
        let attachment = with_attachments(|attachments| {
            let at = attachments.iter().rposition(|attachment| attachment.id == id)?;
            (attachments.get(at)?.span == current).then(|| attachments.remove(at))
        });
        if attachment.is_some() {
            detach(attachment);
            self.enter(id, bridged);
        }
    }

    fn tidy(&self, owner: u64, is_open: &dyn Fn(u64) -> bool) {
        while let Some(top) =
            with_attachments(|attachments| attachments.last().map(|attachment| attachment.id))
            && top.owner == owner
            && !is_open(top.span)
        {
            detach(with_attachments(Vec::pop));
        }
    }

    fn around(&self, innermost: Option<BridgedSpanId>) -> BridgedParent {
        if bridge::is_own_work() {
            return BridgedParent::Nothing;
        }
        // `None` without an own span, `Some(None)` with one that is not attached.
        let attached = innermost.map(|id| {
            with_attachments(|attachments| {
                let attachment = attachments.iter().rfind(|attachment| attachment.id == id)?;
                Some(attachment.span)
            })
        });
        Context::map_current(|current| {
            if release_line::is_suppressed(current) {
                return BridgedParent::Suppressed;
            }
            let span = current.span().span_context().span_id();
            // The current span is the caller's innermost span, or lies outside of it.
            if attached.is_some_and(|attached| attached.is_none_or(|attached| attached == span)) {
                return BridgedParent::Nothing;
            }
            from_context(current).map_or(BridgedParent::Nothing, BridgedParent::Parent)
        })
    }
}

/// Makes a span current; `None` where the application holds a borrow of the thread's contexts, as
/// `get_active_span` does while its closure runs: attaching panics there, and the panic is caught.
fn attach(bridged: BridgedSpan) -> Option<(SpanId, ContextGuard)> {
    let attach = || {
        let context = Context::map_current(|outer| {
            with_borrowed_span(outer, bridged.context, bridged.writer)
        });
        let span = context.span().span_context().span_id();
        (span, context.attach())
    };
    catch_unwind(AssertUnwindSafe(attach)).ok()
}

/// Brings back the context that was current before.
fn detach(attachment: Option<Attachment>) {
    if let Some(attachment) = attachment {
        // Dropping the guard panics where attaching does.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(attachment.guard)));
    }
}
