//! Between headers and [`TraceContext`]: how a trace crosses from one process
//! into the next.
//!
//! A [`Propagator`] knows one header format. It reads from whatever implements
//! [`Extractor`] and writes to whatever implements [`Injector`]; both are there
//! for `HashMap<String, String>` and, with the feature `http`, for
//! `http::HeaderMap`. [`CompositePropagator::default`] speaks the W3C formats
//! and is what most programs need; [`B3Propagator`] and [`JaegerPropagator`]
//! are for services that speak older ones.
//!
//! Headers come from strangers. Reading never fails and never panics: what is
//! malformed counts as absent. It is bounded too: a header costs at most about
//! 16 KiB of memory and some microseconds, however long it is and over however
//! many lines it is spread. Jaeger's baggage, which has a header for each
//! member, costs at most about 100 KiB together.
//!
//! ```
//! use std::collections::HashMap;
//! use tailtrace::Incoming;
//! use tailtrace::propagation::{CompositePropagator, Propagator};
//!
//! let headers = HashMap::from([
//!     ("traceparent".to_owned(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
//!     ("baggage".to_owned(), "priority=high".to_owned()),
//! ]);
//! let propagator = CompositePropagator::default();
//! let mut incoming = Incoming::default();
//! propagator.extract(&headers, &mut incoming);
//! let parent = incoming.into_context().expect("the headers carry a trace");
//! assert!(parent.is_remote && parent.flags.is_sampled());
//! assert_eq!(parent.baggage.get("priority"), Some("high"));
//!
//! let mut outgoing = HashMap::new();
//! propagator.inject(&parent, &mut outgoing);
//! assert_eq!(outgoing, headers);
//! ```

mod b3;
mod baggage;
mod border;
mod carrier;
mod composite;
mod jaeger;
mod shared;
mod trace_context;

pub use b3::B3Propagator;
pub use baggage::BaggagePropagator;
pub use border::BorderPropagator;
pub use carrier::{Extractor, Injector};
pub use composite::CompositePropagator;
pub use jaeger::JaegerPropagator;
pub(crate) use shared::default_propagator;
pub use shared::set_default;
pub use trace_context::TraceContextPropagator;

use crate::model::{Baggage, Border, Incoming, TraceContext};

/// Carries a [`TraceContext`] in headers of one format (OpenTelemetry:
/// `TextMapPropagator`).
///
/// Implement it to speak a format that this crate does not know.
pub trait Propagator: Send + Sync {
    /// Reads what the headers say into `incoming`.
    ///
    /// What they do not say, or say wrongly, stays as it is there.
    fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming);

    /// Writes the headers that make `context` the parent of what the receiver
    /// starts, in place of all lines that [`extract`](Self::extract) would read. What is empty is not
    /// written, and its lines are [removed](Injector::remove) all the same.
    fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector);

    /// Writes the headers that hand on baggage where there is no span to go with
    /// it, in place of those that are there. By default there are no such headers.
    fn inject_baggage(&self, baggage: &Baggage, carrier: &mut dyn Injector) {
        let _ = (baggage, carrier);
    }

    /// The names of the headers that [`inject`](Self::inject) may write, in
    /// lower case. Use it to clear a carrier before it is used again.
    fn fields(&self) -> &[&'static str];

    /// How much of what callers send counts by this propagator; the HTTP server layer uses the stricter of this and
    /// its own. Default: [`Border::Inside`], all of it. Hand it on from a propagator that stands around another.
    fn border(&self) -> Border {
        Border::Inside
    }
}
