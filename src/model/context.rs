//! What one span tells the next: in a child, in a header, in another service.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::{Baggage, TraceState};
use super::{SpanId, TraceId};

/// The flags of a trace context: those of `traceparent`, and what only B3 and Jaeger can say.
///
/// W3C Trace Context Level 2, section 3.2.2.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// The caller may have recorded the trace.
    pub const SAMPLED: Self = Self(0x01);
    /// The low 56 bits of the trace id are random.
    pub const RANDOM: Self = Self(0x02);
    /// The caller wants the trace sampled by every service, to look at it (B3 and Jaeger: debug).
    /// The sampled bit is set too.
    pub const DEBUG: Self = Self(Self::SAMPLED.0 | DEBUG_BIT);
    /// The caller leaves the decision to the receiver (B3: defer). The sampled bit is clear.
    pub const DEFERRED: Self = Self(DEFERRED_BIT);

    /// The flags of `traceparent` that have a meaning; other bits are ignored, as the standard asks.
    #[must_use]
    pub const fn from_bits_truncate(bits: u8) -> Self {
        Self(bits & W3C_BITS)
    }

    /// The flags as the byte of `traceparent`, which knows sampled and random only.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0 & W3C_BITS
    }

    /// All flags in four bits, for storage in this process.
    pub(crate) const fn pack(self) -> u8 {
        self.0
    }

    /// What [`pack`](Self::pack) gave; other bits are ignored.
    pub(crate) const fn unpack(bits: u8) -> Self {
        Self(bits & (W3C_BITS | DEBUG_BIT | DEFERRED_BIT))
    }

    /// Whether the sampled bit is set.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.0 & Self::SAMPLED.0 != 0
    }

    /// Whether the random bit is set.
    #[must_use]
    pub const fn is_random(self) -> bool {
        self.0 & Self::RANDOM.0 != 0
    }

    /// Whether the trace is sampled to be looked at. A trace that is not sampled is not debugged
    /// either; the wish comes back with the sampled bit.
    #[must_use]
    pub const fn is_debug(self) -> bool {
        self.is_sampled() && self.0 & DEBUG_BIT != 0
    }

    /// Whether the decision is left to the receiver.
    #[must_use]
    pub const fn is_deferred(self) -> bool {
        self.0 & DEFERRED_BIT != 0
    }

    /// These flags with the sampled bit set or cleared, which is a decision: it is no longer
    /// deferred.
    #[must_use]
    pub const fn with_sampled(self, sampled: bool) -> Self {
        let others = self.0 & !(Self::SAMPLED.0 | DEFERRED_BIT);
        if sampled { Self(others | Self::SAMPLED.0) } else { Self(others) }
    }

    /// These flags with the random bit set or cleared.
    #[must_use]
    pub const fn with_random(self, random: bool) -> Self {
        if random { Self(self.0 | Self::RANDOM.0) } else { Self(self.0 & !Self::RANDOM.0) }
    }
}

const W3C_BITS: u8 = TraceFlags::SAMPLED.0 | TraceFlags::RANDOM.0;
/// Not on the wire: each format writes it in its own way, or not at all.
const DEBUG_BIT: u8 = 0x04;
/// Not on the wire.
const DEFERRED_BIT: u8 = 0x08;

/// The identity of a span and what travels with it: trace id, flags, trace state and baggage.
///
/// OpenTelemetry: `SpanContext` and `Baggage` together. Extract one from incoming headers, give it
/// to [`Tracer::start_span_with_context`](crate::Tracer::start_span_with_context), inject a span's
/// own into outgoing headers. Cloning it does not copy the trace state or the baggage.
///
/// ```
/// use tailtrace::{SpanId, TraceContext, TraceId};
/// let context = TraceContext::new(TraceId::new(), SpanId::new());
/// assert!(!context.is_remote && !context.flags.is_sampled());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct TraceContext {
    /// The trace all its spans share.
    pub trace_id: TraceId,
    /// The span this context belongs to; the parent of whatever is started with it.
    pub span_id: SpanId,
    /// That span's own parent, where it is known.
    pub parent_span_id: Option<SpanId>,
    /// The sampled and the random flag.
    pub flags: TraceFlags,
    /// What tracing systems carry along, among it the sampling threshold.
    pub trace_state: TraceState,
    /// What the application carries along.
    pub baggage: Baggage,
    /// Whether the context came from another process.
    pub is_remote: bool,
    local: Option<LocalHandle>,
}

impl TraceContext {
    /// A context with these ids, no flags, no trace state and no baggage.
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            flags: TraceFlags::default(),
            trace_state: TraceState::default(),
            baggage: Baggage::default(),
            is_remote: false,
            local: None,
        }
    }

    /// This context with the given flags.
    #[must_use]
    pub fn with_flags(mut self, flags: TraceFlags) -> Self {
        self.flags = flags;
        self
    }

    /// This context marked as coming from another process.
    #[must_use]
    pub fn remote(mut self) -> Self {
        self.is_remote = true;
        self.local = None;
        self
    }

    /// Whether the sampled flag is set.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    /// What a link keeps of it: no baggage, and no way back into a local trace.
    pub(crate) fn identity(mut self) -> Self {
        self.baggage = Baggage::default();
        self.local = None;
        self
    }

    pub(crate) fn with_local(mut self, local: LocalHandle) -> Self {
        self.local = Some(local);
        self
    }

    pub(crate) fn local(&self) -> Option<&LocalHandle> {
        self.local.as_ref().filter(|_| !self.is_remote)
    }
}

impl PartialEq for TraceContext {
    fn eq(&self, other: &Self) -> bool {
        self.trace_id == other.trace_id
            && self.span_id == other.span_id
            && self.parent_span_id == other.parent_span_id
            && self.flags == other.flags
            && self.trace_state == other.trace_state
            && self.baggage == other.baggage
            && self.is_remote == other.is_remote
    }
}

impl Eq for TraceContext {}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceContext")
            .field("trace_id", &self.trace_id)
            .field("span_id", &self.span_id)
            .field("parent_span_id", &self.parent_span_id)
            .field("flags", &self.flags)
            .field("trace_state", &self.trace_state)
            .field("baggage", &self.baggage)
            .field("is_remote", &self.is_remote)
            .finish_non_exhaustive()
    }
}

/// Leads from a context back to the local trace its span is recorded in.
///
/// The recorder puts it there and is the only one to look inside; all other code just carries it.
#[derive(Clone)]
pub(crate) struct LocalHandle(Arc<dyn Any + Send + Sync>);

impl LocalHandle {
    pub(crate) fn new(local: Arc<dyn Any + Send + Sync>) -> Self {
        Self(local)
    }

    pub(crate) fn downcast<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.0).downcast().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> TraceContext {
        TraceContext::new(TraceId::new(), SpanId::new())
    }

    #[test]
    fn flags_without_a_meaning_are_ignored() {
        let flags = TraceFlags::from_bits_truncate(0xff);
        assert_eq!((flags.bits(), flags.is_sampled(), flags.is_random()), (3, true, true));
        assert_eq!(TraceFlags::from_bits_truncate(0xfc), TraceFlags::default());
    }

    #[test]
    fn sampling_does_not_touch_the_random_flag() {
        let sampled = TraceFlags::RANDOM.with_sampled(true);
        assert_eq!((sampled.bits(), sampled.with_sampled(false)), (3, TraceFlags::RANDOM));
        assert_eq!(sampled.with_random(false).with_random(true), sampled);
        assert_eq!(TraceFlags::DEBUG.with_random(true).with_random(false), TraceFlags::DEBUG);
    }

    #[test]
    fn debug_and_deferred_are_decisions_that_traceparent_cannot_say() {
        assert_eq!((TraceFlags::DEBUG.bits(), TraceFlags::DEFERRED.bits()), (1, 0));
        assert!(TraceFlags::DEBUG.is_sampled() && TraceFlags::DEBUG.is_debug());
        assert!(!TraceFlags::SAMPLED.is_debug() && !TraceFlags::RANDOM.is_deferred());
        let dropped = TraceFlags::DEBUG.with_sampled(false);
        assert!(!dropped.is_debug() && dropped.with_sampled(true).is_debug());
        assert!(TraceFlags::DEFERRED.is_deferred() && !TraceFlags::DEFERRED.is_sampled());
        for sampled in [false, true] {
            assert!(!TraceFlags::DEFERRED.with_sampled(sampled).is_deferred());
        }
    }

    #[test]
    fn a_remote_context_does_not_lead_to_a_local_trace() {
        let local = context().with_local(LocalHandle::new(Arc::new(7_u32)));
        let found = local.local().and_then(LocalHandle::downcast::<u32>);
        assert_eq!(found.as_deref(), Some(&7));
        assert!(local.local().and_then(LocalHandle::downcast::<u64>).is_none());
        assert!(local.clone().remote().local().is_none());
        let mut claimed = local;
        claimed.is_remote = true;
        assert!(claimed.local().is_none());
    }

    #[test]
    fn contexts_are_equal_when_they_tell_the_next_the_same() {
        let one = context();
        let local = one.clone().with_local(LocalHandle::new(Arc::new(())));
        assert_eq!(one, local);
        assert_ne!(one, one.clone().remote());
        assert_ne!(one, one.clone().with_flags(TraceFlags::SAMPLED));
        let mut carries = one.clone();
        carries.baggage = carries.baggage.with("tenant", "acme").unwrap();
        assert_ne!(one, carries);
    }

    #[test]
    fn debug_shows_the_ids_and_nothing_of_the_local_trace() {
        let one = context().with_local(LocalHandle::new(Arc::new("inside")));
        let text = format!("{one:?}");
        assert!(text.contains(&one.trace_id.to_hex()) && text.contains(&one.span_id.to_hex()));
        assert!(!text.contains("inside"));
    }
}
