//! Which of our spans a thread has made current for OpenTelemetry.

use std::cell::RefCell;
use std::mem;

use opentelemetry::trace::{SpanId, TraceContextExt};
use opentelemetry::{Context, ContextGuard};

use super::{entered, parent_of};
use crate::kit::{guarded, own_work};
use crate::model::TraceId;
use crate::record::neighbour::{Around, Neighbour, Place, Shown};

thread_local! {
    static STACK: Stack = Stack::new();
}

/// What this thread made current, and how to undo it.
struct Stack(RefCell<Vec<Current>>);

struct Current {
    place: Place,
    span: SpanId,
    /// Its trace, where that is not recorded.
    dropped: Option<TraceId>,
    guard: ContextGuard,
}

impl Stack {
    fn new() -> Self {
        // Theirs is there before ours, so that it outlives ours.
        Context::map_current(|_| ());
        Self(RefCell::default())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The thread ends: there is nothing left for a guard to bring back.
        for current in self.0.get_mut().drain(..) {
            mem::forget(current.guard);
        }
    }
}

/// Works on the stack; `None` while the thread ends.
fn with<R>(work: impl FnOnce(&mut Vec<Current>) -> Option<R>) -> Option<R> {
    STACK.try_with(|stack| work(&mut *stack.0.try_borrow_mut().ok()?)).ok().flatten()
}

/// Whether what runs on this thread is our own business. What we ask may be asked inside of a borrow of
/// the thread's contexts, under which attaching panics.
fn is_ours() -> bool {
    own_work::is_asking() || own_work::is_own_thread()
}

/// The contexts of OpenTelemetry.
pub(super) struct Contexts;

impl Neighbour for Contexts {
    fn enter(&self, place: Place, shown: Shown) {
        if is_ours() {
            return;
        }
        let dropped = shown.is_dropped.then_some(shown.context.trace_id);
        let Some((span, guard)) = attach(shown) else { return };
        // Where the thread ends, the guard goes at once.
        with(|stack| {
            stack.push(Current { place, span, dropped, guard });
            Some(())
        });
    }

    fn is_in_dropped(&self, trace: TraceId) -> bool {
        let dropped = with(|stack| {
            let top = stack.last()?;
            (top.dropped == Some(trace)).then_some(top.span)
        });
        // Something else may have been attached since.
        let is_current =
            |span| Context::map_current(|cx| cx.span().span_context().span_id() == span);
        dropped.is_some_and(is_current)
    }

    fn exit(&self, place: Place) -> bool {
        let left = with(|stack| {
            let at = stack.iter().rposition(|current| current.place == place)?;
            Some(stack.remove(at))
        });
        let hid_others = left.as_ref().is_some_and(|left| left.dropped.is_some());
        detach(left);
        hid_others
    }

    fn is_shown(&self, place: Place) -> bool {
        with(|stack| Some(stack.iter().any(|current| current.place == place))).unwrap_or(false)
    }

    fn update(&self, place: Place, shown: Shown) {
        // Under what others have attached since, it cannot be exchanged.
        let now = Context::map_current(|cx| cx.span().span_context().span_id());
        let left = with(|stack| {
            let at = stack.iter().rposition(|current| current.place == place)?;
            (stack.get(at)?.span == now).then(|| stack.remove(at))
        });
        if left.is_some() {
            detach(left);
            self.enter(place, shown);
        }
    }

    fn tidy(&self, owner: u64, is_open: &dyn Fn(u64) -> bool) {
        while let Some(top) = with(|stack| stack.last().map(|current| current.place))
            && top.owner == owner
            && !is_open(top.span)
        {
            detach(with(Vec::pop));
        }
    }

    fn around(&self, innermost: Option<Place>) -> Around {
        if is_ours() {
            return Around::Nothing;
        }
        let shown = innermost.map(|place| {
            with(|stack| {
                let current = stack.iter().rfind(|current| current.place == place)?;
                Some(current.span)
            })
        });
        Context::map_current(|cx| {
            if cx.is_telemetry_suppressed() {
                return Around::Suppressed;
            }
            let span = cx.span().span_context().span_id();
            // What is current is the door's innermost span, or lies outside of it.
            if shown.is_some_and(|shown| shown.is_none_or(|shown| shown == span)) {
                return Around::Nothing;
            }
            parent_of(cx).map_or(Around::Nothing, Around::Parent)
        })
    }
}

/// Makes a span current. It fails where the application holds a borrow of its contexts, as
/// `get_active_span` does while its closure runs.
fn attach(shown: Shown) -> Option<(SpanId, ContextGuard)> {
    guarded::call(|| {
        let context = Context::map_current(|around| entered::with(around, shown));
        let span = context.span().span_context().span_id();
        (span, context.attach())
    })
}

/// Brings back what was current before.
fn detach(left: Option<Current>) {
    if let Some(left) = left {
        guarded::call(|| drop(left.guard));
    }
}
