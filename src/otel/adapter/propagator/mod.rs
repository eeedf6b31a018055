//! Our propagators for OpenTelemetry.

mod carrier;
pub(crate) mod kept;

use std::fmt;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use self::carrier::{Reader, Writer};
use crate::propagation::{self, CompositePropagator, Extracted};

/// Any propagator of ours as a propagator of OpenTelemetry; by default those of W3C.
///
/// For programs that use OpenTelemetry's API and want headers read and written by the letter: what
/// arrives in several lines, what is malformed, baggage with any character in it. What OpenTelemetry's
/// types cannot hold travels on all the same, from a request to those it causes: the random flag,
/// members of the trace state with keys of Level 2, B3's and Jaeger's debug, the order of the baggage.
///
/// What the context already has stays when the headers say nothing, or nothing that can be read.
///
#[cfg_attr(not(older_line), doc = include_str!("../examples/propagator.md"))]
///
/// Make it the one of the program with `opentelemetry::global::set_text_map_propagator`.
pub struct Propagator {
    inner: Box<dyn propagation::Propagator>,
    fields: Vec<String>,
}

impl Propagator {
    /// Speaks the formats of a propagator of ours, such as a [`CompositePropagator`].
    #[must_use]
    pub fn new(propagator: impl propagation::Propagator + 'static) -> Self {
        let fields = propagator.fields().iter().map(|field| (*field).to_owned()).collect();
        Self { inner: Box::new(propagator), fields }
    }
}

impl Default for Propagator {
    fn default() -> Self {
        Self::new(CompositePropagator::default())
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        match kept::context_of(context) {
            Some(context) => self.inner.inject(&context, &mut Writer(injector)),
            None => self.inner.inject_baggage(&kept::baggage_of(context), &mut Writer(injector)),
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let mut extracted = Extracted::default();
        self.inner.extract(&Reader(extractor), &mut extracted);
        kept::keep(context, extracted)
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

impl fmt::Debug for Propagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Propagator").field("fields", &self.fields).finish_non_exhaustive()
    }
}
