//! OpenTelemetry's propagators as propagators of ours.

use std::collections::HashMap;
use std::fmt;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;

use super::convert;
use super::propagator::context_values;
use crate::model::{Incoming, TraceContext, TraceFlags};
use crate::propagation::{Extractor, Injector, Propagator};

/// The most bytes of a request's headers that are copied, over all lines of all names.
const MOST_READ: usize = 24 * 1024;

/// Any propagator of OpenTelemetry as one of ours, such as those for X-Ray and Datadog that have crates of their own.
///
/// For the tracer, the HTTP layers and a [`CompositePropagator`](crate::propagation::CompositePropagator). It copies the
/// headers that the propagator names for each request, at most 24 KiB over all their lines. What OpenTelemetry's types cannot hold is lost on the way.
///
/// The crates for X-Ray and Datadog say by the bit 0x02 of the flags that the decision is left to the receiver, where W3C
/// has the random flag. A propagator without the header `traceparent` is taken to mean that, in both directions.
///
#[cfg_attr(not(older_line), doc = include_str!("examples/from_text_map.md"))]
pub struct FromTextMap<P> {
    inner: P,
    fields: Vec<&'static str>,
    /// Whether the second bit of the flags is W3C's random flag.
    has_random_flag: bool,
}

impl<P: TextMapPropagator> FromTextMap<P> {
    /// Wraps a propagator. The names of its headers are kept for as long as the program runs.
    #[must_use]
    pub fn new(inner: P) -> Self {
        let kept = |name: &str| -> &'static str { Box::leak(name.to_lowercase().into_boxed_str()) };
        let fields: Vec<&'static str> = inner.fields().map(kept).collect();
        let has_random_flag = fields.contains(&"traceparent");
        Self { inner, fields, has_random_flag }
    }

    /// The flags as the propagator's crate means them, of flags of ours.
    fn outgoing(&self, flags: TraceFlags) -> TraceFlags {
        if self.has_random_flag { flags } else { flags.with_random(flags.is_deferred()) }
    }

    /// The flags as we mean them, of what the propagator's crate made of a header.
    fn incoming(&self, flags: TraceFlags) -> TraceFlags {
        match flags.is_random() && !self.has_random_flag {
            true => TraceFlags::DEFERRED,
            false => flags,
        }
    }
}

impl<P: TextMapPropagator + Send + Sync> Propagator for FromTextMap<P> {
    fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
        let mut headers: HashMap<String, String> = HashMap::new();
        let mut left = MOST_READ;
        for name in &self.fields {
            carrier.visit(name, &mut |line| {
                // A line that does not fit leaves its place to shorter ones.
                let Some(rest) = left.checked_sub(line.len().saturating_add(1)) else { return };
                left = rest;
                let line = String::from_utf8_lossy(line);
                // Lines of one name are one list.
                let joined = headers.entry((*name).to_owned()).or_default();
                if !joined.is_empty() {
                    joined.push(',');
                }
                joined.push_str(&line);
            });
        }
        let extracted = self.inner.extract_with_context(&Context::new(), &headers);
        let context = context_values::trace_context_of(&extracted);
        let baggage = context_values::baggage_of(&extracted);
        if let Some(mut context) = context {
            context.flags = self.incoming(context.flags);
            incoming.context = Some(context.remote());
        }
        if !baggage.is_empty() {
            incoming.baggage = baggage;
        }
        let link = context_values::arrived_link(&extracted).and_then(convert::from_span_context);
        if link.is_some() {
            incoming.link = link;
        }
    }

    fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
        let baggage = context.baggage.clone();
        let mut context = context.clone();
        context.flags = self.outgoing(context.flags);
        let mut incoming = Incoming::from(context);
        incoming.baggage = baggage;
        let context = context_values::with_incoming(&Context::new(), incoming);
        let mut headers: HashMap<String, String> = HashMap::new();
        self.inner.inject_context(&context, &mut headers);
        for name in &self.fields {
            carrier.remove(name);
        }
        // An empty line says nothing: it stands for one that cannot be removed.
        for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
            carrier.set(&name, value);
        }
    }

    fn fields(&self) -> &[&'static str] {
        &self.fields
    }
}

impl<P: fmt::Debug> fmt::Debug for FromTextMap<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FromTextMap").field(&self.inner).finish()
    }
}
