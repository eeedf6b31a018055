//! OpenTelemetry's carriers as ours.

use opentelemetry::propagation as otel;

use super::super::line::lines_of;
use crate::propagation::{Extractor, Injector};

/// What headers are read from.
pub(super) struct Reader<'a>(pub(super) &'a dyn otel::Extractor);

impl Extractor for Reader<'_> {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for line in lines_of(self.0, name) {
            each(line.as_bytes());
        }
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        // A carrier may name a header once for each of its lines, one after the other or not.
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

/// What headers are written to.
pub(super) struct Writer<'a>(pub(super) &'a mut dyn otel::Injector);

impl Injector for Writer<'_> {
    fn set(&mut self, name: &str, value: String) {
        self.0.set(name, value);
    }
}
