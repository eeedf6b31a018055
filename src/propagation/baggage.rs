//! The W3C header `baggage`.

use super::{Extractor, Injector, Propagator};
use crate::model::{Baggage, BaggageReader, Incoming, TraceContext};

const BAGGAGE: &str = "baggage";

/// Reads and writes the W3C header `baggage`.
///
/// Malformed members are skipped; if nothing is left, the baggage found so far
/// stays. What exceeds 64 members or 8192 bytes is dropped, member by member.
///
/// ```
/// use std::collections::HashMap;
/// use tailtrace::Incoming;
/// use tailtrace::propagation::{BaggagePropagator, Propagator};
///
/// let headers = HashMap::from([("baggage".to_owned(), "tenant=acme;private,user=Zo%C3%AB".to_owned())]);
/// let mut incoming = Incoming::default();
/// BaggagePropagator.extract(&headers, &mut incoming);
/// assert_eq!(incoming.baggage.get("user"), Some("Zoë"));
/// ```
///
/// Specification: W3C Baggage.
#[derive(Clone, Copy, Debug, Default)]
pub struct BaggagePropagator;

impl Propagator for BaggagePropagator {
    fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
        let mut reader = BaggageReader::default();
        carrier.visit(BAGGAGE, &mut |line| reader.line(line));
        let baggage = reader.finish();
        if !baggage.is_empty() {
            incoming.baggage = baggage;
        }
    }

    fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
        self.inject_baggage(&context.baggage, carrier);
    }

    fn inject_baggage(&self, baggage: &Baggage, carrier: &mut dyn Injector) {
        if baggage.is_empty() {
            carrier.remove(BAGGAGE);
        } else {
            carrier.set(BAGGAGE, baggage.to_string());
        }
    }

    fn fields(&self) -> &[&'static str] {
        &[BAGGAGE]
    }
}
