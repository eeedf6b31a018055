//! The headers of Jaeger's own clients: `uber-trace-id`, and baggage beside it.

use std::fmt::Write;

use super::{Extractor, Injector, Propagator};
use crate::model::{
    Baggage, BaggageReader, Incoming, SpanId, TraceContext, TraceFlags, TraceId,
    text::{ByteSet, trim_ows, whole_members},
};

const TRACE_ID: &str = "uber-trace-id";
const BAGGAGE_PREFIX: &str = "uberctx-";
const BAGGAGE: &str = "jaeger-baggage";

/// Reads and writes the headers of Jaeger's own clients: `uber-trace-id`, and
/// baggage as one header `uberctx-{name}` for each member.
///
/// Use it, alone or in a [`CompositePropagator`](super::CompositePropagator),
/// where other services still use those clients; new ones speak the W3C
/// formats.
///
/// Ids may lack leading zeros, digits may be of either case, and the colons may
/// be URL-encoded. The flags know sampled and [debug](TraceFlags::DEBUG), which
/// counts only together with sampled; the others do not travel on. The parent
/// span id is deprecated: it is not looked at, and written as `0`. A header
/// that is malformed, or there twice, is ignored: a new trace starts.
///
/// Baggage is read with or without a trace, also from the header
/// `jaeger-baggage: k=v,k2=v2`; a malformed member costs only itself. Names
/// are in lower case on the way, values are URL-encoded, metadata is left out.
/// What is found takes the place of the baggage found so far, in the order of
/// the names. At most 64 members and 8192 bytes are read, as the W3C header
/// counts them; which ones are left out is not specified. Your
/// [`Extractor`] needs [`visit_prefix`](Extractor::visit_prefix) for this.
///
/// ```
/// use std::collections::HashMap;
/// use tailtrace::Incoming;
/// use tailtrace::propagation::{JaegerPropagator, Propagator};
///
/// let headers = HashMap::from([
///     ("uber-trace-id".to_owned(), "a3ce929d0e0e4736:f067aa0ba902b7:0:1".to_owned()),
///     ("uberctx-user".to_owned(), "Zo%C3%AB".to_owned()),
/// ]);
/// let mut incoming = Incoming::default();
/// JaegerPropagator.extract(&headers, &mut incoming);
/// let parent = incoming.into_context().expect("the header carries a trace");
/// assert!(parent.is_sampled());
/// assert_eq!(parent.baggage.get("user"), Some("Zoë"));
///
/// let mut outgoing = HashMap::new();
/// JaegerPropagator.inject(&parent, &mut outgoing);
/// assert_eq!(
///     outgoing["uber-trace-id"],
///     "0000000000000000a3ce929d0e0e4736:00f067aa0ba902b7:0:1"
/// );
/// ```
///
/// Specification: Jaeger, "Propagation format".
#[derive(Clone, Copy, Debug, Default)]
pub struct JaegerPropagator;

impl Propagator for JaegerPropagator {
    fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
        let mut lines = 0_usize;
        let mut parent = None;
        carrier.visit(TRACE_ID, &mut |line| {
            lines = lines.saturating_add(1);
            if lines == 1 {
                parent = read_trace_id_header(line);
            }
        });
        if let (1, Some(parent)) = (lines, parent) {
            incoming.context = Some(parent);
        }
        let baggage = read_baggage(carrier);
        if !baggage.is_empty() {
            incoming.baggage = baggage;
        }
    }

    fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
        let TraceContext { trace_id, span_id, flags, .. } = context;
        let flags = match (flags.is_debug(), flags.is_sampled()) {
            (true, _) => SAMPLED | DEBUG,
            (false, true) => SAMPLED,
            (false, false) => 0,
        };
        carrier.set(TRACE_ID, format!("{trace_id}:{span_id}:0:{flags:x}"));
        self.inject_baggage(&context.baggage, carrier);
    }

    fn inject_baggage(&self, baggage: &Baggage, carrier: &mut dyn Injector) {
        carrier.remove(BAGGAGE);
        carrier.remove_prefix(BAGGAGE_PREFIX);
        for member in baggage.iter() {
            let name = format!("{BAGGAGE_PREFIX}{}", member.name.to_ascii_lowercase());
            carrier.set(&name, url_encoded(member.value));
        }
    }

    /// `uber-trace-id`; the names of the baggage headers depend on the baggage.
    fn fields(&self) -> &[&'static str] {
        &[TRACE_ID]
    }
}

const SAMPLED: u8 = 0x01;
const DEBUG: u8 = 0x02;

/// Longer lines are refused unread, so that whitespace costs nothing either.
const MAX_LEN: usize = 1024;

fn read_trace_id_header(line: &[u8]) -> Option<TraceContext> {
    if line.len() > MAX_LEN {
        return None;
    }
    let mut rest = Some(trim_ows(line));
    let mut field = || {
        let (field, behind) = split_at_colon(rest?);
        rest = behind;
        Some(field)
    };
    let trace_id = field()?;
    let span_id = field()?;
    let _parent = field()?;
    let flags = field()?;
    if rest.is_some() {
        return None;
    }
    let trace_id = TraceId::from_bits(read_hex(trace_id, 32)?)?;
    // As many digits as the type has, so no cast loses a bit.
    let span_id = SpanId::from_bits(read_hex(span_id, 16)? as u64)?;
    let flags = read_hex(flags, 2)? as u8;
    let flags = match (flags & SAMPLED, flags & DEBUG) {
        (0, _) => TraceFlags::default(),
        (_, 0) => TraceFlags::SAMPLED,
        _ => TraceFlags::DEBUG,
    };
    Some(TraceContext::new(trace_id, span_id).with_flags(flags).remote())
}

/// What is before the first colon, plain or URL-encoded, and what is behind it.
fn split_at_colon(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(at) = text.iter().position(|byte| matches!(byte, b':' | b'%')) else {
        return (text, None);
    };
    let (field, colon) = text.split_at_checked(at).unwrap_or_default();
    match colon {
        [b':', rest @ ..] | [b'%', b'3', b'A' | b'a', rest @ ..] => (field, Some(rest)),
        // A `%` that no field may hold.
        _ => (text, None),
    }
}

/// Reads 1 to `digits` hex digits of either case.
fn read_hex(text: &[u8], digits: usize) -> Option<u128> {
    if text.is_empty() || text.len() > digits {
        return None;
    }
    text.iter().try_fold(0_u128, |bits, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some((bits << 4) | u128::from(digit))
    })
}

fn read_baggage(carrier: &dyn Extractor) -> Baggage {
    let mut reader = BaggageReader::default();
    carrier.visit(BAGGAGE, &mut |line| {
        // Members without an own header are few: the limit of the W3C header.
        let limit = line.len().min(Baggage::MAX_BYTES).min(reader.url_encoded_left());
        reader.count_url_encoded(limit);
        for member in whole_members(line, limit) {
            if reader.url_encoded_left() == 0 {
                break;
            }
            let mut pair = member.splitn(2, |byte| *byte == b'=');
            if let (Some(name), Some(value)) = (pair.next(), pair.next()) {
                add_member(&mut reader, trim_ows(name), trim_ows(value));
            }
        }
    });
    carrier.visit_prefix(BAGGAGE_PREFIX, &mut |name, value| {
        let len = name.len().saturating_add(value.len());
        // One that does not fit is not looked at, and leaves its place to others.
        if len < reader.url_encoded_left() {
            reader.count_url_encoded(len);
            add_member(&mut reader, name.as_bytes(), trim_ows(value));
        }
    });
    reader.finish_sorted()
}

fn add_member(reader: &mut BaggageReader, name: &[u8], value: &[u8]) {
    if let Ok(name) = str::from_utf8(name) {
        reader.url_encoded(&name.to_ascii_lowercase(), value);
    }
}

/// What needs no escape in any part of a URL.
static UNRESERVED: ByteSet =
    ByteSet::of_ranges(&[(b'a', b'z'), (b'A', b'Z'), (b'0', b'9')]).and(b"-._~");

fn url_encoded(value: &str) -> String {
    let others = UNRESERVED.count_others(value.as_bytes());
    let mut text = String::with_capacity(value.len().saturating_add(others.saturating_mul(2)));
    for byte in value.bytes() {
        if UNRESERVED.contains(byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a `String` does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
