//! The bridge to the contexts of another tracer, which follow where a thread is.
//!
//! The layer and the OpenTelemetry API do not know each other. A layer shows the spans that are current on
//! threads to the bridge that is installed here, and asks the bridge what else is current; OpenTelemetry's contexts are on its other side.

#![cfg_attr(
    not(feature = "bridge"),
    expect(unreachable_pub, reason = "the feature makes them public")
)]

#[cfg(feature = "bridge")]
use std::ops::DerefMut;
#[cfg(feature = "layer")]
use std::sync::OnceLock;
#[cfg(feature = "layer")]
use std::sync::atomic::{AtomicBool, Ordering};

use super::span::SpanWriter;
#[cfg(feature = "bridge")]
use crate::kit::{fork::ForkLock, reentrancy};
use crate::model::{TraceContext, TraceId};

/// One bridge for the process, whose threads' contexts are global too.
#[cfg(feature = "layer")]
static BRIDGE: OnceLock<&'static dyn ContextBridge> = OnceLock::new();

// Relaxed: it only spares the threads the look into `BRIDGE`, which orders what it guards itself.
#[cfg(all(feature = "layer", feature = "bridge"))]
static IS_INSTALLED: AtomicBool = AtomicBool::new(false);

// Relaxed: it only spares the threads the look at bridge and options.
#[cfg(feature = "layer")]
static IS_ENTERING_NOTED: AtomicBool = AtomicBool::new(false);

/// The id of a layer's span, for as long as a thread is inside of that span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BridgedSpanId {
    /// Tells the layers apart, each of which numbers its spans.
    pub owner: u64,
    /// The span's number there.
    pub span: u64,
}

/// What the other tracer may know of a span and do with it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "bridge"), expect(dead_code, reason = "the other tracer reads it"))]
pub struct BridgedSpan {
    /// Its ids, its flags and its baggage.
    pub context: TraceContext,
    /// Writes to it; `None` when it is not on record.
    pub writer: Option<SpanWriter>,
    /// Whether its whole trace is not recorded.
    pub is_dropped: bool,
}

/// What a new span would find itself in.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "bridge"), expect(dead_code, reason = "the other tracer answers with it"))]
pub enum BridgedParent {
    /// Nothing that the layer does not know itself.
    Nothing,
    /// A span that is nearer than any of the layer's.
    Parent(TraceContext),
    /// Work that is not to be traced.
    Suppressed,
}

/// The contexts of another tracer, which follow where threads are.
pub trait ContextBridge: Send + Sync {
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

/// A lock for what the threads of a process share, and hold for a moment only. A process that was forked off while another
/// thread held it takes it all the same, and begins anew with what it guards.
#[cfg(feature = "bridge")]
#[derive(Debug, Default)]
pub struct ContextLock<T: Default>(ForkLock<T>);

#[cfg(feature = "bridge")]
impl<T: Default> ContextLock<T> {
    /// Takes the lock, until the guard is dropped.
    #[inline(always)]
    pub fn lock(&self) -> impl DerefMut<Target = T> {
        self.0.lock()
    }
}

/// Whether work of this crate runs on the calling thread: one of its threads, or a call of a sampler, a policy or a
/// filter. What is traced there belongs to no request of the application's.
#[cfg(feature = "bridge")]
#[must_use]
pub fn is_own_work() -> bool {
    reentrancy::is_any_user_call_running() || reentrancy::is_own_thread()
}

/// Whether there is a bridge: a load and a branch.
#[cfg(all(feature = "layer", feature = "bridge"))]
#[inline(always)]
pub(crate) fn is_installed() -> bool {
    IS_INSTALLED.load(Ordering::Relaxed)
}

/// None can be installed, so that asking costs nothing.
#[cfg(all(feature = "layer", not(feature = "bridge")))]
#[inline(always)]
pub(crate) const fn is_installed() -> bool {
    false
}

/// Whether a bridge or a layer of the process [wants to know](note_entering) more of entered spans than which they are. One load where two questions would be asked at each enter and exit.
#[cfg(feature = "layer")]
#[inline(always)]
pub(crate) fn is_entering_noted() -> bool {
    IS_ENTERING_NOTED.load(Ordering::Relaxed)
}

/// Has every layer look, at each enter and exit from now on, whether a bridge or its own options want to know of it.
#[cfg(feature = "layer")]
pub(crate) fn note_entering() {
    IS_ENTERING_NOTED.store(true, Ordering::Relaxed);
}

/// The bridge, if there is one.
#[cfg(feature = "layer")]
pub(crate) fn installed() -> Option<&'static dyn ContextBridge> {
    BRIDGE.get().copied()
}

/// Installs the bridge for the rest of the process; a second one is ignored.
#[cfg(all(feature = "layer", feature = "bridge"))]
pub(crate) fn install(bridge: &'static dyn ContextBridge) {
    let _ = BRIDGE.set(bridge);
    IS_INSTALLED.store(true, Ordering::Relaxed);
    note_entering();
}
