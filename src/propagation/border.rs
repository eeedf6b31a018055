//! A propagator at the border of a network.

use std::fmt;

use super::{CompositePropagator, Extractor, Injector, Propagator};
use crate::model::{Baggage, Border, Incoming, TraceContext};

/// Reads of what callers send only what counts at a [`Border`], and writes as another propagator does.
///
/// Use it wherever a propagator is taken: by [`Tracer::with_propagator`](crate::Tracer::with_propagator), by the HTTP
/// layers, and by `otel::Propagator` for programs that use OpenTelemetry's API.
///
/// ```
/// use std::collections::HashMap;
/// use tailtrace::Incoming;
/// use tailtrace::model::Border;
/// use tailtrace::propagation::{BorderPropagator, CompositePropagator, Propagator};
///
/// let propagator = BorderPropagator::new(Border::Public, CompositePropagator::default());
/// let headers = HashMap::from([
///     ("traceparent".to_owned(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
///     ("baggage".to_owned(), "priority=high".to_owned()),
/// ]);
/// let mut incoming = Incoming::default();
/// propagator.extract(&headers, &mut incoming);
/// assert!(incoming.context.is_none() && incoming.baggage.is_empty());
/// assert_eq!(incoming.link.unwrap().span_id.to_hex(), "00f067aa0ba902b7");
/// ```
pub struct BorderPropagator {
    border: Border,
    inner: Box<dyn Propagator>,
}

impl BorderPropagator {
    /// Reads with `propagator` what counts at this border.
    #[must_use]
    pub fn new(border: Border, propagator: impl Propagator + 'static) -> Self {
        Self { border, inner: Box::new(propagator) }
    }

    /// The formats of W3C at the edge of a network: [`Border::Public`].
    #[must_use]
    pub fn public() -> Self {
        Self::new(Border::Public, CompositePropagator::default())
    }
}

impl Propagator for BorderPropagator {
    fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
        // What was found before belongs to this process: only what the headers say stands at the border.
        let mut found = Incoming::default();
        self.inner.extract(carrier, &mut found);
        let Incoming { context, baggage, link } = found.at(self.border);
        if context.is_some() {
            incoming.context = context;
        }
        if !baggage.is_empty() {
            incoming.baggage = baggage;
        }
        if link.is_some() {
            incoming.link = link;
        }
    }

    fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
        self.inner.inject(context, carrier);
    }

    fn inject_baggage(&self, baggage: &Baggage, carrier: &mut dyn Injector) {
        self.inner.inject_baggage(baggage, carrier);
    }

    fn fields(&self) -> &[&'static str] {
        self.inner.fields()
    }

    fn border(&self) -> Border {
        self.border.stricter(self.inner.border())
    }
}

impl fmt::Debug for BorderPropagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorderPropagator")
            .field("border", &self.border)
            .field("fields", &self.fields())
            .finish_non_exhaustive()
    }
}
