//! What is read of headers has a budget over all lines of all names, in every format.

use std::cell::Cell;

use tailtrace::Incoming;
use tailtrace::model::Baggage;
use tailtrace::propagation::{
    BaggagePropagator, CompositePropagator, Extractor, JaegerPropagator, Propagator,
};

const PARENT: (&str, &str) =
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

/// Header lines, of which a name may have many.
struct Lines(Vec<(String, String)>);

impl Lines {
    /// A hundred lines of this name and text, and then one more line.
    fn flood(name: &str, text: &str, last: (&str, &str)) -> Self {
        let flood = (0..100).map(|at| {
            let name = if name.ends_with('-') { format!("{name}{at}") } else { name.to_owned() };
            (name, text.to_owned())
        });
        let last = [last, PARENT].map(|(name, text)| (name.to_owned(), text.to_owned()));
        Self(flood.chain(last).collect())
    }
}

impl Extractor for Lines {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for (_, text) in self.0.iter().filter(|(key, _)| key == name) {
            each(text.as_bytes());
        }
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, text) in &self.0 {
            if let Some(rest) = name.strip_prefix(prefix) {
                each(rest, text.as_bytes());
            }
        }
    }
}

fn extracted(propagator: &dyn Propagator, lines: &Lines) -> Incoming {
    let mut incoming = Incoming::default();
    propagator.extract(lines, &mut incoming);
    incoming
}

/// Texts of 8 KiB that say little and take work.
fn texts() -> Vec<String> {
    let units = [";", ",", "=", " ", "%", "%ff", "a=b,", "a=%,", "(=1,", "k=v;a;", "a=b; c ,"];
    units.iter().map(|unit| unit.repeat(8192 / unit.len())).collect()
}

#[test]
fn lines_of_baggage_share_one_budget_in_every_format() {
    for text in texts() {
        let w3c = Lines::flood("baggage", &text, ("baggage", "late=1"));
        assert_eq!(extracted(&BaggagePropagator, &w3c).baggage.get("late"), None, "{text:.9}");
        // The lines of one name and the headers of members count together.
        for last in [("jaeger-baggage", "late=1"), ("uberctx-late", "1")] {
            let jaeger = Lines::flood("jaeger-baggage", &text, last);
            let read = extracted(&JaegerPropagator, &jaeger).baggage;
            assert_eq!(read.get("late"), None, "{text:.9}");
            assert!(read.to_string().len() <= Baggage::MAX_BYTES);
        }
        let jaeger = Lines::flood("uberctx-", &text, ("uberctx-late", "x".repeat(99).as_str()));
        assert_eq!(extracted(&JaegerPropagator, &jaeger).baggage.get("late"), None, "{text:.9}");
    }
}

/// Counts how often a carrier is gone through.
struct Counted {
    lines: Lines,
    passes: Cell<usize>,
}

impl Extractor for Counted {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        self.passes.set(self.passes.get() + 1);
        self.lines.visit(name, each);
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        self.passes.set(self.passes.get() + 1);
        self.lines.visit_prefix(prefix, each);
    }
}

#[test]
fn of_many_short_lines_no_more_members_are_read_than_baggage_may_have() {
    let w3c: &dyn Propagator = &BaggagePropagator;
    let jaeger: &dyn Propagator = &JaegerPropagator;
    let formats = [
        (w3c, "baggage", "a=%C3%BC", ("baggage", "late=1")),
        (jaeger, "uberctx-a", "%C3%BC", ("uberctx-late", "1")),
        (jaeger, "uberctx-", "%C3%BC", ("uberctx-late", "1")),
        (jaeger, "jaeger-baggage", "a=%C3%BC", ("jaeger-baggage", "late=1")),
        (jaeger, "jaeger-baggage", "a=%C3%BC", ("uberctx-late", "1")),
        // Members that cannot be read count as well.
        (w3c, "baggage", "a=%C3", ("baggage", "late=1")),
        (jaeger, "uberctx-a", "%C3", ("uberctx-late", "1")),
        (jaeger, "uberctx-", "", ("uberctx-late", "1")),
    ];
    for (propagator, name, text, last) in formats {
        let flood = Counted { lines: Lines::flood(name, text, last), passes: Cell::new(0) };
        let mut incoming = Incoming::default();
        propagator.extract(&flood, &mut incoming);
        assert!(incoming.baggage.len() <= Baggage::MAX_MEMBERS, "{name}");
        assert_eq!(incoming.baggage.get("late"), None, "{name}: {text}");
        let one = Counted { lines: Lines(Vec::new()), passes: Cell::new(0) };
        propagator.extract(&one, &mut Incoming::default());
        assert_eq!(flood.passes, one.passes, "{name}");
    }
}

#[test]
fn lines_of_trace_state_share_one_budget() {
    for text in [",", " ", ", ", "\t"].map(|unit| unit.repeat(8192 / unit.len())) {
        let lines = Lines::flood("tracestate", &text, ("tracestate", "late=1"));
        let parent = extracted(&CompositePropagator::default(), &lines).context.unwrap();
        assert!(parent.trace_state.is_empty());
    }
}

#[cfg(feature = "otel")]
#[test]
fn lines_for_propagators_of_opentelemetry_share_one_budget() {
    use std::sync::{Arc, Mutex};

    use opentelemetry::Context;
    use opentelemetry::propagation::text_map_propagator::FieldIter;
    use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
    use tailtrace::otel::FromTextMap;

    /// Reads `x-one` and `x-other`, and keeps what it saw.
    #[derive(Clone, Debug, Default)]
    struct Spy(Arc<Mutex<Vec<String>>>);

    static FIELDS: std::sync::LazyLock<[String; 2]> =
        std::sync::LazyLock::new(|| ["x-one".to_owned(), "x-other".to_owned()]);

    impl TextMapPropagator for Spy {
        fn inject_context(&self, _: &Context, _: &mut dyn Injector) {}

        fn extract_with_context(&self, context: &Context, carrier: &dyn Extractor) -> Context {
            let seen = FIELDS.iter().filter_map(|name| carrier.get(name).map(str::to_owned));
            self.0.lock().unwrap().extend(seen);
            context.clone()
        }

        fn fields(&self) -> FieldIter<'_> {
            FieldIter::new(FIELDS.as_slice())
        }
    }

    let spy = Spy::default();
    let lines = Lines::flood("x-one", &"v".repeat(8000), ("x-other", &"late".repeat(2000)));
    extracted(&FromTextMap::new(spy.clone()), &lines);
    let seen = spy.0.lock().unwrap();
    assert!(seen.concat().len() <= 24 * 1024, "{}", seen.concat().len());
    assert!(!seen.is_empty() && !seen.concat().contains("late"));
}
