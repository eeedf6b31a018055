//! OpenTelemetry's carriers as carriers of ours.

use opentelemetry::propagation as otel;

use super::super::release_line::header_lines;
use super::copied::CopiedHeaders;
use crate::propagation::{Extractor, Injector};

/// An extractor of OpenTelemetry, which headers are read from.
pub(super) struct HeaderReader<'a>(pub(super) &'a dyn otel::Extractor);

impl Extractor for HeaderReader<'_> {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for line in header_lines(self.0, name) {
            each(line.as_bytes());
        }
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        // A carrier may name a header once for each of its lines, next to each other or not.
        let mut names = self.0.keys();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let Some((start, rest)) = name.split_at_checked(prefix.len()) else { continue };
            if start.eq_ignore_ascii_case(prefix) {
                self.visit(name, &mut |line| each(rest, line));
            }
        }
    }
}

/// An injector of OpenTelemetry, which headers are written to.
pub(super) struct HeaderWriter<'a> {
    inner: &'a mut dyn otel::Injector,
    /// What a proxy may have copied into the carrier.
    copied: CopiedHeaders,
    /// Whether the header that wins over all other headers of B3 was written.
    has_single_b3: bool,
}

impl<'a> HeaderWriter<'a> {
    pub(super) fn new(inner: &'a mut dyn otel::Injector, copied: CopiedHeaders) -> Self {
        Self { inner, copied, has_single_b3: false }
    }
}

impl HeaderWriter<'_> {
    /// Where no trace is written, the ids that came with the request that is served do not go on: empty lines take
    /// their places, of all names by which these fields are read.
    pub(super) fn empty_ids(&mut self, fields: &[String]) {
        if !self.copied.has_ids {
            return;
        }
        let reads = |name: &str| fields.iter().any(|field| field == name);
        let reads_b3 = reads("b3") || reads("x-b3-traceid");
        let names = [
            ("traceparent", reads("traceparent")),
            ("b3", reads_b3),
            ("x-b3-traceid", reads_b3),
            ("uber-trace-id", reads("uber-trace-id")),
        ];
        for (name, _) in names.into_iter().filter(|(_, is_read)| *is_read) {
            self.inner.set(name, String::new());
        }
    }
}

impl Injector for HeaderWriter<'_> {
    fn set(&mut self, name: &str, value: String) {
        self.has_single_b3 |= name == "b3";
        self.inner.set(name, value);
    }

    /// OpenTelemetry's carriers cannot remove, nor say what they have. Where a line of another trace would win over
    /// what is written, an empty line takes its place, which says nothing to any reader. Lines that would stand beside
    /// it get one only where the request that is served brought such a line, which a proxy copies: otherwise every
    /// request would be sent with empty lines. Of other names an empty line would cost some receivers the whole context.
    fn remove(&mut self, name: &str) {
        let is_emptied = match name {
            "b3" | "x-b3-flags" => !self.has_single_b3,
            "tracestate" => self.copied.has_trace_state,
            "baggage" => self.copied.has_baggage,
            "jaeger-baggage" => self.copied.has_jaeger_baggage,
            _ => false,
        };
        if is_emptied {
            self.inner.set(name, String::new());
        }
    }
}
