//! What the fuzz targets share. Run one from the top of the repository with
//! `cargo +nightly fuzz run traceparent`.

use std::collections::HashMap;

use tailtrace::Incoming;
use tailtrace::propagation::{CompositePropagator, Extractor, Propagator};

/// A `traceparent` that is valid.
pub const PARENT: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Header lines as bytes, which need not be text.
#[derive(Default)]
pub struct Lines<'a>(pub Vec<(&'static str, &'a [u8])>);

impl<'a> Lines<'a> {
    /// Adds each line of the input as a header line of this name.
    pub fn with(mut self, name: &'static str, input: &'a [u8]) -> Self {
        self.0.extend(input.split(|byte| *byte == b'\n').map(|line| (name, line)));
        self
    }
}

impl Extractor for Lines<'_> {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for (_, line) in self.0.iter().filter(|(key, _)| *key == name) {
            each(line);
        }
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, line) in &self.0 {
            if let Some(rest) = name.strip_prefix(prefix) {
                each(rest, line);
            }
        }
    }
}

/// Reads headers of a format that cannot say all that it reads; if they hold a
/// trace, sends it on and checks that the receiver finds the same span,
/// decision and baggage.
pub fn send_on_by(propagator: &dyn Propagator, headers: &dyn Extractor) {
    let mut incoming = Incoming::default();
    propagator.extract(headers, &mut incoming);
    let Some(context) = incoming.into_context() else {
        return;
    };
    let mut sent = HashMap::new();
    propagator.inject(&context, &mut sent);
    for (name, value) in &sent {
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value:?}");
    }
    let mut received = Incoming::default();
    propagator.extract(&sent, &mut received);
    let mut expected = context;
    expected.parent_span_id = None;
    assert_eq!(received.into_context(), Some(expected));
}

/// Reads the headers; if they hold a trace, sends it on and checks that it
/// means the same to the receiver.
pub fn extract_and_send_on(headers: &dyn Extractor) -> Incoming {
    let propagator = CompositePropagator::default();
    let mut incoming = Incoming::default();
    propagator.extract(headers, &mut incoming);
    if let Some(context) = incoming.clone().into_context() {
        assert!(context.is_remote);
        let mut sent = HashMap::new();
        propagator.inject(&context, &mut sent);
        for (name, value) in &sent {
            assert!(!value.is_empty(), "{name}");
            assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value:?}");
        }
        let mut received = Incoming::default();
        propagator.extract(&sent, &mut received);
        assert_eq!(received, incoming);
    }
    incoming
}
