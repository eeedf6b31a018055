//! A world of contexts beside ours that is told where a thread is.
//!
//! Doors do not know each other. One that keeps spans current on threads tells whoever is installed
//! here, and asks it what else is current; OpenTelemetry's contexts are that bridge.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::active::ActiveSpan;
use super::recorder::Recorder;
use super::writer::SpanWriter;
use crate::kit::own_work::Asking;
use crate::ledger::Reason;
use crate::model::{TraceContext, TraceId};

/// One for the process, as its contexts are.
static BRIDGE: OnceLock<&'static dyn ContextBridge> = OnceLock::new();

static IS_INSTALLED: AtomicBool = AtomicBool::new(false);

/// A span of a door, for as long as a thread is inside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BridgedSpanId {
    /// Tells those apart who number spans.
    pub(crate) owner: u64,
    pub(crate) span: u64,
}

/// What others may know of a span and do with it.
#[derive(Clone, Debug)]
pub(crate) struct BridgedSpan {
    pub(crate) context: TraceContext,
    /// `None` when it is not on record.
    pub(crate) writer: Option<SpanWriter>,
    /// Whether its whole trace is not recorded.
    pub(crate) is_dropped: bool,
}

/// What a new span would find itself in.
#[derive(Clone, Debug)]
pub(crate) enum BridgedParent {
    /// Nothing that the door does not know itself.
    Nothing,
    /// A span that is nearer than any of the door's.
    Parent(TraceContext),
    /// Work that is not to be traced.
    Suppressed,
}

/// Who is told where threads are.
pub(crate) trait ContextBridge: Send + Sync {
    /// The calling thread entered a span.
    fn enter(&self, place: BridgedSpanId, span: BridgedSpan);

    /// Whether the innermost span that the calling thread entered is of this trace, which is not
    /// recorded: others of the same kind need not be shown inside of it.
    fn is_in_dropped(&self, trace: TraceId) -> bool;

    /// The calling thread left a span, the latest time it entered it. Whether others were not shown
    /// because of it.
    fn exit(&self, place: BridgedSpanId) -> bool;

    /// Whether a span that the calling thread entered was shown.
    fn is_shown(&self, place: BridgedSpanId) -> bool;

    /// A span that the calling thread may be inside of has become another.
    fn update(&self, place: BridgedSpanId, span: BridgedSpan);

    /// Spans that have closed are forgotten where they are still current, because nobody said on this
    /// thread that it left them.
    fn tidy(&self, owner: u64, is_open: &dyn Fn(u64) -> bool);

    /// What the calling thread is in, where `innermost` is the door's own span that it entered last.
    fn around(&self, innermost: Option<BridgedSpanId>) -> BridgedParent;
}

/// Whether there is a bridge: a load and a branch.
#[cfg(feature = "otel")]
#[inline(always)]
pub(crate) fn is_installed() -> bool {
    IS_INSTALLED.load(Ordering::Relaxed)
}

/// Nobody can be installed, so that asking costs nothing.
#[cfg(not(feature = "otel"))]
#[inline(always)]
pub(crate) const fn is_installed() -> bool {
    false
}

/// The bridge, if there is one.
pub(crate) fn installed() -> Option<&'static dyn ContextBridge> {
    BRIDGE.get().copied()
}

/// Installs the bridge for the rest of the process; a second one is not heard.
pub(crate) fn install(bridge: &'static dyn ContextBridge) {
    let _ = BRIDGE.set(bridge);
    IS_INSTALLED.store(true, Ordering::Relaxed);
}

impl Recorder {
    /// Shows the spans that threads are inside of to the bridge, from now on.
    pub(crate) fn share_context(&self) {
        self.shares_context.store(true, Ordering::Relaxed);
    }

    /// Whether the bridge is to be told.
    pub(crate) fn shares_context(&self) -> bool {
        self.shares_context.load(Ordering::Relaxed)
    }

    /// Whether one of its samplers or policies is being asked on this thread: what that starts is refused.
    pub(crate) fn is_decider_running(&self) -> bool {
        Asking::is_under_way(self.owner())
    }

    /// A span that is not recorded, because it belongs to what is not to be traced. What it causes
    /// elsewhere stays in its parent's trace, unsampled.
    pub(crate) fn start_refused(&self, parent: Option<&TraceContext>) -> ActiveSpan {
        let head = self.head_of(parent, self.clock.correction());
        let baggage = parent.map(|parent| parent.baggage.clone()).unwrap_or_default();
        self.unrecorded_root_with_id(None, Some(Reason::OwnWork), &head, baggage)
    }
}
