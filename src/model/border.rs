//! How much of what a caller sends is believed.

use super::{Randomness, TraceContext, TraceFlags, TraceState};
use crate::kit::Random;

/// How much of what a caller sends is believed: where in a network a service stands.
///
/// A caller that can send headers chooses trace ids, the sampled flag, sampling thresholds, trace state and baggage.
/// Inside a network that is what makes services agree. At its edge anyone is the caller: choose
/// [`Public`](Self::Public) there. Each way in has it as one line:
///
/// | way in | the line |
/// |---|---|
/// | `HttpServerLayer` | `.with_border(Border::Public)` |
/// | [`Tracer`](crate::Tracer) | [`.with_border(Border::Public)`](crate::Tracer::with_border) |
/// | any propagator, also for OpenTelemetry | [`BorderPropagator::new(Border::Public, propagator)`](crate::propagation::BorderPropagator) |
/// | what was read already | [`incoming.at(Border::Public)`](crate::Incoming::at) |
///
/// [The manual](crate::manual::propagation#at-the-edge-of-a-network) says what each answer costs and defends.
///
/// ```
/// use tailtrace::model::{Border, TraceFlags};
/// use tailtrace::{Incoming, SpanId, TraceContext, TraceId};
/// let caller = TraceContext::new(TraceId::new(), SpanId::new()).with_flags(TraceFlags::SAMPLED).remote();
///
/// let stranger = Incoming::from(&caller).at(Border::Public);
/// assert_eq!(stranger.context, None);
/// assert_eq!(stranger.link.unwrap().span_id, caller.span_id);
///
/// let partner = Incoming::from(&caller).at(Border::Partner).context.unwrap();
/// assert_eq!(partner.trace_id, caller.trace_id);
/// assert!(!partner.is_sampled() && partner.flags.is_deferred());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Border {
    /// The caller is a service of the same network: its ids, flags, thresholds, trace state and baggage count. The
    /// default.
    #[default]
    Inside,
    /// The caller is known, and its ids are followed, so that both sides see one trace. Randomness, flags and
    /// thresholds are drawn here; trace state and baggage are left out.
    Partner,
    /// Anyone may be the caller: the request begins a trace of its own, with ids and randomness of its own, linked to
    /// the caller's span. Trace state and baggage are left out.
    Public,
}

impl Border {
    /// Whether what the caller sent is believed as a whole.
    #[must_use]
    pub const fn is_inside(self) -> bool {
        matches!(self, Self::Inside)
    }

    /// The one of two borders that believes less.
    pub(crate) const fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Public, _) | (_, Self::Public) => Self::Public,
            (Self::Partner, _) | (_, Self::Partner) => Self::Partner,
            (Self::Inside, Self::Inside) => Self::Inside,
        }
    }
}

/// The ids, with randomness of this process, and with the decision left to it.
pub(super) fn ids_of(caller: TraceContext) -> TraceContext {
    let randomness = Randomness::from_bits(Random::thread().next_u64());
    let mut context = bare(caller).with_flags(TraceFlags::DEFERRED);
    context.trace_state = TraceState::of_randomness(randomness);
    context
}

/// The ids alone.
pub(super) fn bare(caller: TraceContext) -> TraceContext {
    TraceContext::new(caller.trace_id, caller.span_id).remote()
}
