//! The bridge to the contexts of another tracer, which follow where a thread is.
//!
//! The layer and the OpenTelemetry API do not know each other. A layer shows the spans that are current on
//! threads to the bridge that is installed here, and asks the bridge what else is current; OpenTelemetry's contexts are on its other side.

use std::sync::OnceLock;
#[cfg(feature = "otel")]
use std::sync::atomic::{AtomicBool, Ordering};

use super::span::SpanWriter;
use crate::model::{TraceContext, TraceId};

/// One bridge for the process, whose threads' contexts are global too.
static BRIDGE: OnceLock<&'static dyn ContextBridge> = OnceLock::new();

// Relaxed: it only spares the threads the look into `BRIDGE`, which orders what it guards itself.
#[cfg(feature = "otel")]
static IS_INSTALLED: AtomicBool = AtomicBool::new(false);

/// The id of a layer's span, for as long as a thread is inside of that span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BridgedSpanId {
    /// Tells the layers apart, each of which numbers its spans.
    pub(crate) owner: u64,
    pub(crate) span: u64,
}

/// What the other tracer may know of a span and do with it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "the other tracer reads it"))]
pub(crate) struct BridgedSpan {
    pub(crate) context: TraceContext,
    /// `None` when it is not on record.
    pub(crate) writer: Option<SpanWriter>,
    /// Whether its whole trace is not recorded.
    pub(crate) is_dropped: bool,
}

/// What a new span would find itself in.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "the other tracer answers with it"))]
pub(crate) enum BridgedParent {
    /// Nothing that the layer does not know itself.
    Nothing,
    /// A span that is nearer than any of the layer's.
    Parent(TraceContext),
    /// Work that is not to be traced.
    Suppressed,
}

/// The contexts of another tracer, which follow where threads are.
pub(crate) trait ContextBridge: Send + Sync {
    /// The calling thread entered a span.
    fn enter(&self, id: BridgedSpanId, span: BridgedSpan);

    /// Whether the innermost span that the calling thread entered is of this trace, which is not
    /// recorded: further spans of that trace need not be shown inside of it.
    fn is_in_dropped(&self, trace: TraceId) -> bool;

    /// The calling thread left a span, the latest time it entered it. True when spans were not shown
    /// because that one was current.
    fn exit(&self, id: BridgedSpanId) -> bool;

    /// Whether a span that the calling thread entered was shown.
    fn is_shown(&self, id: BridgedSpanId) -> bool;

    /// A span that the calling thread may be inside of has become another.
    fn update(&self, id: BridgedSpanId, span: BridgedSpan);

    /// Spans that have closed are forgotten where they are still current, because this thread was not
    /// told to leave them.
    fn tidy(&self, owner: u64, is_open: &dyn Fn(u64) -> bool);

    /// What the calling thread is in, where `innermost` is the layer's own span that the thread entered last.
    fn around(&self, innermost: Option<BridgedSpanId>) -> BridgedParent;
}

/// Whether there is a bridge: a load and a branch.
#[cfg(feature = "otel")]
#[inline(always)]
pub(crate) fn is_installed() -> bool {
    IS_INSTALLED.load(Ordering::Relaxed)
}

/// None can be installed, so that asking costs nothing.
#[cfg(not(feature = "otel"))]
#[inline(always)]
pub(crate) const fn is_installed() -> bool {
    false
}

/// The bridge, if there is one.
pub(crate) fn installed() -> Option<&'static dyn ContextBridge> {
    BRIDGE.get().copied()
}

/// Installs the bridge for the rest of the process; a second one is ignored.
#[cfg(feature = "otel")]
pub(crate) fn install(bridge: &'static dyn ContextBridge) {
    let _ = BRIDGE.set(bridge);
    IS_INSTALLED.store(true, Ordering::Relaxed);
}
