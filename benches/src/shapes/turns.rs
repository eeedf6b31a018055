//! Many traces that are open at the same time and get a span each in turn.
//!
//! Between two spans of a trace all the others get one, so that what a library touches of a trace is
//! as cold as the number of open traces makes it. A trace has a root and nine children; when it has
//! all of them it ends, and the next takes its place.

use std::sync::{Mutex, OnceLock};

use fastrace::prelude::SpanContext;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;
use tailtrace::Tracer;
use tracing::info_span;

use super::rich::{self, Request};

/// Spans of one trace.
const SPANS: usize = 10;

/// One open trace in the words of a library.
pub trait Open {
    /// Makes a span below the root, and ends it.
    fn step(&self);
}

/// The traces that are open.
pub struct Turns<T>(Mutex<Vec<(T, usize)>>);

impl<T: Open> Turns<T> {
    /// `live` open traces, which will not end in the same turn.
    pub fn new(live: usize, open: impl Fn() -> T) -> Self {
        Self(Mutex::new((0..live).map(|place| (open(), 1 + place % (SPANS - 1))).collect()))
    }

    /// Gives each trace a span; one that has all of its spans ends, and another begins with its root.
    pub fn turn(&self, open: impl Fn() -> T) {
        let mut traces = self.0.lock().expect("no library panics");
        for (trace, spans) in traces.iter_mut() {
            if *spans == SPANS {
                *trace = open();
                *spans = 1;
            } else {
                trace.step();
                *spans += 1;
            }
        }
    }
}

/// Traces that are opened by the first turn, when the subscriber of the process is there.
pub struct LateTurns<T>(OnceLock<Turns<T>>);

impl<T> Default for LateTurns<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T: Open> LateTurns<T> {
    /// A turn of `live` open traces.
    pub fn turn(&self, live: usize, open: impl Fn() -> T) {
        self.0.get_or_init(|| Turns::new(live, &open)).turn(&open);
    }
}

/// What a span says about itself: nothing, or as much as [`rich`] does.
pub type Says = Option<Request>;

pub struct Native(tailtrace::SpanGuard, &'static Says);

pub fn tailtrace(tracer: &Tracer, says: &'static Says) -> Native {
    let root = tracer.start_span("root");
    if let Some(request) = says {
        rich::describe(&root, request);
    }
    Native(root, says)
}

impl Open for Native {
    fn step(&self) {
        let step = self.0.child("step");
        if let Some(request) = self.1 {
            rich::describe(&step, request);
        }
    }
}

pub struct Macros(tracing::Span, &'static Says);

pub fn tracing(says: &'static Says) -> Macros {
    let root = match says {
        None => info_span!(parent: None, "root"),
        Some(request) => rich::span(None, request),
    };
    Macros(root, says)
}

impl Open for Macros {
    fn step(&self) {
        match self.1 {
            None => drop(info_span!(parent: &self.0, "step").entered()),
            Some(request) => drop(rich::span(self.0.id(), request)),
        }
    }
}

pub struct Sdk(Context, SdkTracer, &'static Says);

pub fn opentelemetry(tracer: &SdkTracer, says: &'static Says) -> Sdk {
    let mut root = tracer.start_with_context("root", &Context::new());
    if let Some(request) = says {
        rich::describe_opentelemetry(&mut root, request);
    }
    Sdk(Context::new().with_span(root), tracer.clone(), says)
}

impl Open for Sdk {
    fn step(&self) {
        let mut step = self.1.start_with_context("step", &self.0);
        if let Some(request) = self.2 {
            rich::describe_opentelemetry(&mut step, request);
        }
    }
}

pub struct Fast(fastrace::Span, &'static Says);

pub fn fastrace(root: SpanContext, says: &'static Says) -> Fast {
    let root = fastrace::Span::root("root", root);
    Fast(
        match says {
            None => root,
            Some(request) => rich::describe_fastrace(root, request),
        },
        says,
    )
}

impl Open for Fast {
    fn step(&self) {
        let step = fastrace::Span::enter_with_parent("step", &self.0);
        if let Some(request) = self.1 {
            drop(rich::describe_fastrace(step, request));
        }
    }
}
