//! The W3C headers `traceparent` and `tracestate`.

use super::{Extractor, Injector, Propagator};
use crate::model::{
    Incoming, SpanId, TraceContext, TraceFlags, TraceId, TraceStateReader,
    text::{read_lower_hex, trim_ows},
};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// Reads and writes the W3C headers `traceparent` and `tracestate`.
///
/// A `traceparent` that is malformed, or there twice, is ignored together with
/// its `tracestate`: a new trace starts. A malformed `tracestate` alone is
/// dropped and leaves the trace whole. Later versions of the header are read
/// as far as version 00 goes. The random flag travels on unchanged.
///
/// ```
/// use std::collections::HashMap;
/// use tailtrace::propagation::{Propagator, TraceContextPropagator};
/// use tailtrace::{SpanId, TraceContext, TraceId};
///
/// let context = TraceContext::new(TraceId::new(), SpanId::new());
/// let mut headers = HashMap::new();
/// TraceContextPropagator.inject(&context, &mut headers);
/// assert_eq!(headers["traceparent"], format!("00-{}-{}-00", context.trace_id, context.span_id));
/// ```
///
/// Specification: W3C Trace Context Level 2.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceContextPropagator;

impl Propagator for TraceContextPropagator {
    fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
        let mut lines = 0_usize;
        let mut parent = None;
        carrier.visit(TRACEPARENT, &mut |line| {
            lines = lines.saturating_add(1);
            if lines == 1 {
                parent = read_traceparent(line);
            }
        });
        let (1, Some(mut parent)) = (lines, parent) else {
            return;
        };
        let mut trace_state = TraceStateReader::default();
        carrier.visit(TRACESTATE, &mut |line| trace_state.line(line));
        parent.trace_state = trace_state.finish().unwrap_or_default();
        incoming.context = Some(parent);
    }

    fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
        let TraceContext { trace_id, span_id, flags, trace_state, .. } = context;
        let flags = flags.bits();
        carrier.set(TRACEPARENT, format!("00-{trace_id}-{span_id}-{flags:02x}"));
        if trace_state.is_empty() {
            carrier.remove(TRACESTATE);
        } else {
            carrier.set(TRACESTATE, trace_state.to_string());
        }
    }

    fn fields(&self) -> &[&'static str] {
        &[TRACEPARENT, TRACESTATE]
    }
}

/// How long version 00 is; later ones start with as much of the same form.
const LEN: usize = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01".len();

/// Longer lines are refused unread, so that whitespace costs nothing either.
const MAX_LEN: usize = 1024;

fn read_traceparent(line: &[u8]) -> Option<TraceContext> {
    if line.len() > MAX_LEN {
        return None;
    }
    let (known, tail) = trim_ows(line).split_at_checked(LEN)?;
    let mut fields = known.split(|byte| *byte == b'-');
    let mut field = |len| fields.next().filter(|field| field.len() == len).and_then(read_lower_hex);
    let version = field(2)?;
    let trace_id = field(32)?;
    let span_id = field(16)?;
    let flags = field(2)?;
    match (version, tail) {
        (0xff, _) => return None,
        (0, []) | (1.., [] | [b'-', ..]) => {}
        _ => return None,
    }
    // Each field is as long as its type, so no cast loses a bit.
    let trace_id = TraceId::from_bits(trace_id)?;
    let span_id = SpanId::from_bits(span_id as u64)?;
    let flags = TraceFlags::from_bits_truncate(flags as u8);
    Some(TraceContext::new(trace_id, span_id).with_flags(flags).remote())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn every_single_changed_byte_is_refused_or_changes_what_is_read() {
        let original = read_traceparent(VALID.as_bytes()).unwrap();
        for at in 0..VALID.len() {
            for byte in 0..=u8::MAX {
                let mut line = VALID.as_bytes().to_vec();
                line[at] = byte;
                let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                let is_dash = [2, 35, 52].contains(&at);
                match read_traceparent(&line) {
                    None => assert!(is_dash || !is_digit || &line[..2] == b"ff", "{at} {byte}"),
                    Some(_) if is_dash => assert_eq!(byte, b'-'),
                    Some(read) => {
                        assert!(is_digit, "{at} {byte}");
                        // The version and undefined flags leave no trace.
                        assert!(
                            !(2..=52).contains(&at) || line == VALID.as_bytes() || read != original
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_other_length_of_version_00_is_refused() {
        for len in 0..VALID.len() {
            assert_eq!(read_traceparent(&VALID.as_bytes()[..len]), None);
        }
        for tail in ["-", "0", "-0", " x"] {
            assert_eq!(read_traceparent(format!("{VALID}{tail}").as_bytes()), None);
        }
    }

    #[test]
    fn a_line_beyond_any_use_is_refused_unread() {
        let padded = |spaces: usize| format!("{VALID}{}", " ".repeat(spaces));
        assert!(read_traceparent(padded(MAX_LEN - LEN).as_bytes()).is_some());
        assert!(read_traceparent(padded(MAX_LEN - LEN + 1).as_bytes()).is_none());
    }
}
