//! Several formats at once.

use std::fmt;

use super::{BaggagePropagator, Extractor, Injector, Propagator, TraceContextPropagator};
use crate::model::{Baggage, Border, Incoming, TraceContext};

/// Speaks several header formats at once.
///
/// Incoming headers are read by all its propagators in order, so of several
/// that find a parent the last one wins. Outgoing headers are written in all
/// formats.
///
/// The default speaks the W3C formats: `traceparent`, `tracestate`, `baggage`.
///
/// ```
/// use tailtrace::propagation::{CompositePropagator, Propagator, TraceContextPropagator};
///
/// assert_eq!(CompositePropagator::default().fields(), ["traceparent", "tracestate", "baggage"]);
/// // No baggage of strangers in, none of ours out:
/// let without_baggage = CompositePropagator::new(vec![Box::new(TraceContextPropagator)]);
/// assert_eq!(without_baggage.fields(), ["traceparent", "tracestate"]);
/// ```
pub struct CompositePropagator {
    propagators: Vec<Box<dyn Propagator>>,
    fields: Vec<&'static str>,
}

impl CompositePropagator {
    /// Speaks the formats of these propagators. Without any, nothing is read
    /// and nothing written.
    #[must_use]
    pub fn new(propagators: Vec<Box<dyn Propagator>>) -> Self {
        let mut fields = Vec::new();
        for field in propagators.iter().flat_map(|propagator| propagator.fields()) {
            if !fields.contains(field) {
                fields.push(*field);
            }
        }
        Self { propagators, fields }
    }
}

impl Default for CompositePropagator {
    fn default() -> Self {
        Self::new(vec![Box::new(TraceContextPropagator), Box::new(BaggagePropagator)])
    }
}

impl Propagator for CompositePropagator {
    fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
        for propagator in &self.propagators {
            propagator.extract(carrier, incoming);
        }
    }

    fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
        for propagator in &self.propagators {
            propagator.inject(context, carrier);
        }
    }

    fn inject_baggage(&self, baggage: &Baggage, carrier: &mut dyn Injector) {
        for propagator in &self.propagators {
            propagator.inject_baggage(baggage, carrier);
        }
    }

    fn fields(&self) -> &[&'static str] {
        &self.fields
    }

    /// The strictest of its propagators.
    fn border(&self) -> Border {
        let borders = self.propagators.iter().map(|propagator| propagator.border());
        borders.fold(Border::Inside, Border::stricter)
    }
}

impl fmt::Debug for CompositePropagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompositePropagator").field("fields", &self.fields).finish_non_exhaustive()
    }
}
