//! Our generator of ids behind OpenTelemetry's trait.

use opentelemetry_sdk::trace as sdk;

use super::convert::{to_span_id, to_trace_id};
use crate::kit::Random;
use crate::model::{SpanId, TraceId};
use crate::time::Clock;

/// Our ids for the spans of an OpenTelemetry provider.
///
/// The ids are never zero, and the low 56 bits of a trace id are uniform, so that consistent samplers in
/// different services agree. An id costs a few nanoseconds: each thread has a
/// generator of its own.
///
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use tailtrace::otel::IdGenerator;
///
/// let provider = SdkTracerProvider::builder().with_id_generator(IdGenerator::default()).build();
/// # let _ = provider;
/// ```
#[derive(Clone, Debug, Default)]
pub struct IdGenerator(Random);

impl IdGenerator {
    /// A generator that draws from `random`. [`Random::seeded`] gives the same ids in every run of a test.
    #[must_use]
    pub const fn new(random: Random) -> Self {
        Self(random)
    }
}

impl sdk::IdGenerator for IdGenerator {
    fn new_trace_id(&self) -> opentelemetry::TraceId {
        to_trace_id(TraceId::random_at(&self.0, moment()))
    }

    fn new_span_id(&self) -> opentelemetry::SpanId {
        to_span_id(SpanId::random_at(&self.0, moment()))
    }
}

/// Two copies of a machine that go on from one snapshot draw the same numbers at other moments.
fn moment() -> u64 {
    Clock::system().now().as_nanos()
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::trace::IdGenerator as _;

    use super::*;

    #[test]
    fn a_seed_repeats_the_ids_and_the_default_does_not() {
        let draw = |generator: IdGenerator| (generator.new_trace_id(), generator.new_span_id());
        let seeded = || IdGenerator::new(Random::seeded(7));
        assert_eq!(draw(seeded()), draw(seeded()));
        assert_ne!(draw(IdGenerator::default()), draw(IdGenerator::default()));
        let (trace, span) = draw(seeded());
        assert_ne!(trace, opentelemetry::TraceId::INVALID);
        assert_ne!(span, opentelemetry::SpanId::INVALID);
    }
}
