//! `OTEL_PROPAGATORS`.

use super::variables::{Variables, joined_names};
use crate::propagation::{
    B3Propagator, BaggagePropagator, CompositePropagator, JaegerPropagator, Propagator,
    TraceContextPropagator,
};

/// A format of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    TraceContext,
    Baggage,
    B3,
    B3Multi,
    Jaeger,
}

const NAMES: &[(&str, Format)] = &[
    ("tracecontext", Format::TraceContext),
    ("baggage", Format::Baggage),
    ("b3", Format::B3),
    ("b3multi", Format::B3Multi),
    ("jaeger", Format::Jaeger),
];

const DEFAULT: &[Format] = &[Format::TraceContext, Format::Baggage];

/// The formats that the environment asks for.
#[derive(Clone, Debug)]
pub(super) struct PropagatorChoice(Vec<Format>);

impl PropagatorChoice {
    pub(super) fn read(vars: &mut Variables<'_>) -> Self {
        let meanwhile = |list: Option<&[Format]>| joined_names(NAMES, list.unwrap_or(DEFAULT));
        let list = vars.list("OTEL_PROPAGATORS", NAMES, |_| None, meanwhile);
        Self(list.unwrap_or_else(|| DEFAULT.to_vec()))
    }

    pub(super) fn propagator(&self) -> CompositePropagator {
        let each = |format: &Format| -> Box<dyn Propagator> {
            match format {
                Format::TraceContext => Box::new(TraceContextPropagator),
                Format::Baggage => Box::new(BaggagePropagator),
                Format::B3 => Box::new(B3Propagator::single()),
                Format::B3Multi => Box::new(B3Propagator::multi()),
                Format::Jaeger => Box::new(JaegerPropagator),
            }
        };
        CompositePropagator::new(self.0.iter().map(each).collect())
    }
}
