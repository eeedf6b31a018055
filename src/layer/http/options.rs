//! What both layers of this module can be told.

use std::sync::Arc;

use http::{HeaderMap, Method};
use tracing::Level;

use super::method::KnownMethods;
use super::redaction::Redaction;
use crate::model::Border;
use crate::propagation::{Injector as _, Propagator, default_propagator};

/// The target of the spans, which filters know them by.
pub(super) const TARGET: &str = "tailtrace::http";

/// The options that the server's layer and the client's have in common.
#[derive(Clone)]
pub(super) struct SharedOptions {
    pub(super) propagator: Arc<dyn Propagator>,
    pub(super) known_methods: KnownMethods,
    pub(super) level: Level,
    pub(super) redaction: Redaction,
    pub(super) border: Border,
}

impl Default for SharedOptions {
    fn default() -> Self {
        Self {
            propagator: default_propagator(),
            known_methods: KnownMethods::default(),
            level: Level::INFO,
            redaction: Redaction::new(),
            border: Border::Inside,
        }
    }
}

/// Every header that a propagator of this crate reads, but for Jaeger's baggage.
const HEADERS: [&str; 11] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "jaeger-baggage",
];

const JAEGER_BAGGAGE: &str = "uberctx-";

impl SharedOptions {
    /// The stricter of the layer's border and its propagator's.
    pub(super) fn border(&self) -> Border {
        self.border.stricter(self.propagator.border())
    }

    /// Takes out of a request what its sender is not trusted with.
    pub(super) fn take_out_untrusted(&self, headers: &mut HeaderMap) {
        if self.border().is_inside() {
            return;
        }
        for name in HEADERS.iter().chain(self.propagator.fields()) {
            headers.remove(*name);
        }
        headers.remove_prefix(JAEGER_BAGGAGE);
    }

    pub(super) fn set_propagator(&mut self, propagator: impl Propagator + 'static) {
        self.propagator = Arc::new(propagator);
    }

    pub(super) fn set_known_methods(&mut self, methods: impl IntoIterator<Item = Method>) {
        self.known_methods = KnownMethods::new(methods);
    }
}

/// The builder methods of a layer that has [`SharedOptions`] in its field `shared`.
macro_rules! shared_option_methods {
    ($layer:ident, propagator: $propagator_doc:literal) => {
        impl $layer {
            #[doc = $propagator_doc]
            /// Default: that of [`propagation::set_default`](crate::propagation::set_default) when the layer is
            /// made, else the W3C headers.
            #[must_use]
            pub fn with_propagator(
                mut self,
                propagator: impl crate::propagation::Propagator + 'static,
            ) -> Self {
                self.shared.set_propagator(propagator);
                self
            }

            /// Sets the methods that stand in tags and names; any other method is `_OTHER`. Default: those
            /// of RFC 9110, and `PATCH`. Use it for a service with methods of its own, such as `PROPFIND`.
            #[must_use]
            pub fn with_known_methods(
                mut self,
                methods: impl IntoIterator<Item = http::Method>,
            ) -> Self {
                self.shared.set_known_methods(methods);
                self
            }

            /// Sets what of a request is not told. Default: the secrets of URLs; see [`Redaction`](super::Redaction).
            #[must_use]
            pub fn with_redaction(mut self, redaction: super::Redaction) -> Self {
                self.shared.redaction = redaction;
                self
            }

            /// Sets the level of the spans. Default: [`Level::INFO`](tracing::Level::INFO).
            #[must_use]
            pub fn with_level(mut self, level: tracing::Level) -> Self {
                self.shared.level = level;
                self
            }
        }

        impl Default for $layer {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

/// Makes a span of a level that is known only at run time, with a macro that takes the level's name.
/// Levels are static in `tracing`, so each is a callsite of its own.
macro_rules! span_of_level {
    ($level:expr, $span:ident $(, $($argument:tt)*)?) => {
        match $level {
            tracing::Level::ERROR => $span!(ERROR $($($argument)*)?),
            tracing::Level::WARN => $span!(WARN $($($argument)*)?),
            tracing::Level::INFO => $span!(INFO $($($argument)*)?),
            tracing::Level::DEBUG => $span!(DEBUG $($($argument)*)?),
            tracing::Level::TRACE => $span!(TRACE $($($argument)*)?),
        }
    };
}

pub(super) use {shared_option_methods, span_of_level};
