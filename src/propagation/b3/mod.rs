//! The headers of Zipkin: `b3`, and the older ones that begin with `x-b3-`.

use super::{Extractor, Injector, Propagator};
use crate::model::{
    Incoming, SpanId, TraceContext, TraceFlags, TraceId,
    text::{read_lower_hex, trim_ows},
};

const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";

/// Reads and writes the B3 headers of Zipkin.
///
/// Use it, alone or in a [`CompositePropagator`](super::CompositePropagator),
/// where other services speak B3, as many meshes and older Spring services do.
/// It always reads both forms, the single header `b3` first; which one it
/// writes is chosen by [`single`](Self::single), the default, or
/// [`multi`](Self::multi).
///
/// Trace ids of 16 digits are padded with zeros. The sampling state may be
/// accept, deny, [debug](TraceFlags::DEBUG) or absent, which
/// [defers](TraceFlags::DEFERRED) the decision to the receiver. A form with
/// any malformed part is ignored as a whole, and so is a state without ids,
/// such as `b3: 0`: a new trace starts. The parent span id is read, and not
/// written. B3 has no baggage, no trace state and no random flag.
///
/// ```
/// use std::collections::HashMap;
/// use tailtrace::Incoming;
/// use tailtrace::propagation::{B3Propagator, Propagator};
///
/// let headers = HashMap::from([("b3".to_owned(), "a3ce929d0e0e4736-00f067aa0ba902b7-1".to_owned())]);
/// let mut incoming = Incoming::default();
/// B3Propagator::multi().extract(&headers, &mut incoming);
/// let parent = incoming.into_context().expect("the header carries a trace");
/// assert!(parent.is_sampled());
///
/// let mut outgoing = HashMap::new();
/// B3Propagator::multi().inject(&parent, &mut outgoing);
/// assert_eq!(outgoing["x-b3-traceid"], "0000000000000000a3ce929d0e0e4736");
/// assert_eq!(outgoing["x-b3-sampled"], "1");
/// ```
///
/// Specification: openzipkin/b3-propagation; OpenTelemetry, "Propagators API",
/// B3 requirements.
#[derive(Clone, Copy, Debug, Default)]
pub struct B3Propagator {
    form: Form,
}

/// What is written.
#[derive(Clone, Copy, Debug, Default)]
enum Form {
    #[default]
    Single,
    Multi,
}

impl B3Propagator {
    /// Writes the one header `b3`. The default.
    #[must_use]
    pub const fn single() -> Self {
        Self { form: Form::Single }
    }

    /// Writes the headers `x-b3-traceid`, `x-b3-spanid`, and `x-b3-sampled` or
    /// `x-b3-flags`.
    #[must_use]
    pub const fn multi() -> Self {
        Self { form: Form::Multi }
    }
}

impl Propagator for B3Propagator {
    fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
        let single = Field::first(carrier, SINGLE, read_single).some();
        if let Some(parent) = single.or_else(|| read_multi(carrier)) {
            incoming.context = Some(parent);
        }
    }

    fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
        match self.form {
            Form::Single => write_single(context, carrier),
            Form::Multi => write_multi(context, carrier),
        }
    }

    fn fields(&self) -> &[&'static str] {
        match self.form {
            Form::Single => &[SINGLE],
            Form::Multi => &[TRACE_ID, SPAN_ID, SAMPLED, FLAGS],
        }
    }
}

fn write_single(context: &TraceContext, carrier: &mut dyn Injector) {
    let TraceContext { trace_id, span_id, flags, .. } = context;
    let state = write_state(*flags).map_or_else(String::new, |state| format!("-{state}"));
    carrier.set(SINGLE, format!("{trace_id}-{span_id}{state}"));
    for name in [TRACE_ID, SPAN_ID, PARENT_SPAN_ID, SAMPLED, FLAGS] {
        carrier.remove(name);
    }
}

fn write_multi(context: &TraceContext, carrier: &mut dyn Injector) {
    let TraceContext { trace_id, span_id, flags, .. } = context;
    // The single header would win at the receiver.
    carrier.remove(SINGLE);
    carrier.set(TRACE_ID, trace_id.to_hex());
    carrier.set(SPAN_ID, span_id.to_hex());
    carrier.remove(PARENT_SPAN_ID);
    let mut set_or_remove = |name, value: Option<&str>| match value {
        Some(value) => carrier.set(name, value.to_owned()),
        None => carrier.remove(name),
    };
    let state = write_state(*flags);
    // Debug says that the trace is sampled, too.
    set_or_remove(FLAGS, state.and_then(|state| (state == DEBUG).then_some("1")));
    set_or_remove(SAMPLED, state.filter(|state| *state != DEBUG));
}

/// The state of a trace that every service samples.
const DEBUG: &str = "d";

/// The sampling state as the single header has it; `None` if it is deferred.
fn write_state(flags: TraceFlags) -> Option<&'static str> {
    if flags.is_debug() {
        Some(DEBUG)
    } else if flags.is_sampled() {
        Some("1")
    } else if flags.is_deferred() {
        None
    } else {
        Some("0")
    }
}

/// What a header says.
enum Field<T> {
    Absent,
    Malformed,
    Says(T),
}

/// Longer lines are refused unread, so that whitespace costs nothing either.
const MAX_LEN: usize = 1024;

impl<T> Field<T> {
    /// Reads the first line of a header, as later ones do not count. An empty
    /// one is none.
    fn first(carrier: &dyn Extractor, name: &str, read: impl Fn(&[u8]) -> Option<T>) -> Self {
        let mut field = None;
        carrier.visit(name, &mut |line| {
            field.get_or_insert_with(|| {
                if line.len() > MAX_LEN {
                    return Self::Malformed;
                }
                match trim_ows(line) {
                    [] => Self::Absent,
                    line => read(line).map_or(Self::Malformed, Self::Says),
                }
            });
        });
        field.unwrap_or(Self::Absent)
    }

    fn some(self) -> Option<T> {
        if let Self::Says(value) = self { Some(value) } else { None }
    }

    /// `None` if it is malformed, which costs the whole context.
    fn optional(self) -> Option<Option<T>> {
        match self {
            Self::Absent => Some(None),
            Self::Malformed => None,
            Self::Says(value) => Some(Some(value)),
        }
    }
}

fn read_single(line: &[u8]) -> Option<TraceContext> {
    let mut parts = line.split(|byte| *byte == b'-');
    let trace_id = read_trace_id(parts.next()?)?;
    let span_id = read_span_id(parts.next()?)?;
    let flags = match parts.next() {
        None => TraceFlags::DEFERRED,
        Some(b"0") => TraceFlags::default(),
        Some(b"1") => TraceFlags::SAMPLED,
        Some(b"d") => TraceFlags::DEBUG,
        Some(_) => return None,
    };
    let parent_span_id = match parts.next() {
        None => None,
        Some(parent) => read_parent(parent)?,
    };
    if parts.next().is_some() {
        return None;
    }
    Some(context(trace_id, span_id, parent_span_id, flags))
}

fn read_multi(carrier: &dyn Extractor) -> Option<TraceContext> {
    let trace_id = Field::first(carrier, TRACE_ID, read_trace_id).some()?;
    let span_id = Field::first(carrier, SPAN_ID, read_span_id).some()?;
    let parent_span_id = Field::first(carrier, PARENT_SPAN_ID, read_parent).optional()?.flatten();
    let sampled = Field::first(carrier, SAMPLED, read_sampled).optional()?;
    // Other values than 1 have no meaning here, and are no reason to refuse.
    let is_debug = Field::first(carrier, FLAGS, |line| (line == b"1").then_some(())).some();
    let flags = match (is_debug, sampled) {
        (Some(()), _) => TraceFlags::DEBUG,
        (None, Some(sampled)) => TraceFlags::default().with_sampled(sampled),
        (None, None) => TraceFlags::DEFERRED,
    };
    Some(context(trace_id, span_id, parent_span_id, flags))
}

fn context(
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    flags: TraceFlags,
) -> TraceContext {
    let mut context = TraceContext::new(trace_id, span_id).with_flags(flags).remote();
    context.parent_span_id = parent_span_id;
    context
}

fn read_trace_id(text: &[u8]) -> Option<TraceId> {
    if !matches!(text.len(), 16 | 32) {
        return None;
    }
    TraceId::from_bits(read_lower_hex(text)?)
}

/// 16 digits, zeros or not.
fn read_span_bits(text: &[u8]) -> Option<u64> {
    if text.len() != 16 {
        return None;
    }
    // 16 digits are 64 bits.
    read_lower_hex(text).map(|bits| bits as u64)
}

fn read_span_id(text: &[u8]) -> Option<SpanId> {
    SpanId::from_bits(read_span_bits(text)?)
}

/// A parent of zeros is what some send for "none".
fn read_parent(text: &[u8]) -> Option<Option<SpanId>> {
    read_span_bits(text).map(SpanId::from_bits)
}

fn read_sampled(text: &[u8]) -> Option<bool> {
    match text {
        b"1" => Some(true),
        b"0" => Some(false),
        _ if text.eq_ignore_ascii_case(b"true") => Some(true),
        _ if text.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
