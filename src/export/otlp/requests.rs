//! A batch of traces as requests: spans of one resource together, none longer than allowed.

use std::mem;
use std::sync::Arc;

use super::facts::Facts;
use crate::model::Resource;
use crate::trace::{SpanRef, Trace};

/// How requests are written.
pub(super) trait Format: Default {
    fn begin(&mut self, out: &mut Vec<u8>);
    fn open_resource(&mut self, out: &mut Vec<u8>, resource: &Resource);
    fn span(&mut self, out: &mut Vec<u8>, facts: &Facts<'_>, span: SpanRef<'_>);
    fn close_resource(&mut self, out: &mut Vec<u8>);
    fn end(&mut self, out: &mut Vec<u8>);
}

/// What closing a request may add to it.
const CLOSING: usize = 64;

/// The traces of a batch, those of equal resources together.
#[derive(Debug)]
pub(super) struct Grouped<'a> {
    groups: Vec<Group<'a>>,
}

#[derive(Debug)]
struct Group<'a> {
    resource: &'a Arc<Resource>,
    traces: Vec<&'a Trace>,
    spans: usize,
}

impl<'a> Grouped<'a> {
    pub(super) fn of(batch: &'a [Trace]) -> Self {
        let mut groups: Vec<Group<'a>> = Vec::new();
        // Which group the last trace went to: mostly that of the next.
        let mut last = 0;
        for trace in batch.iter().filter(|trace| trace.span_count() > 0) {
            let (resource, spans) = (trace.resource(), trace.span_count());
            let same = |group: &Group<'_>| Arc::ptr_eq(group.resource, resource);
            if !groups.get(last).is_some_and(same) {
                let found = groups.iter().position(|group| group.resource == resource);
                last = found.unwrap_or(groups.len());
            }
            match groups.get_mut(last) {
                Some(group) => {
                    group.traces.push(trace);
                    group.spans += spans;
                }
                None => groups.push(Group { resource, traces: vec![trace], spans }),
            }
        }
        Self { groups }
    }

    /// How many spans there are.
    pub(super) fn spans(&self) -> usize {
        self.groups.iter().map(|group| group.spans).sum()
    }

    /// Writes a request of at most `limit` bytes with the spans from the `from`-th on; how many they
    /// are. A span that is longer by itself makes a longer request.
    pub(super) fn write<F: Format>(&self, out: &mut Vec<u8>, from: usize, limit: usize) -> usize {
        let mut format = F::default();
        let mut skip = from;
        let mut taken = 0;
        format.begin(out);
        for group in &self.groups {
            if skip >= group.spans {
                skip -= group.spans;
                continue;
            }
            let before = out.len();
            format.open_resource(out, group.resource);
            let (written, ended) = group.write(
                &mut format,
                out,
                &mut skip,
                (taken > 0, limit.saturating_sub(CLOSING)),
            );
            taken += written;
            if written > 0 {
                format.close_resource(out);
            } else {
                // What has no spans is not sent.
                out.truncate(before);
            }
            if !ended {
                break;
            }
        }
        format.end(out);
        taken
    }
}

impl Group<'_> {
    /// Writes spans while they fit; how many, and whether those were all. What comes first in a
    /// request is written whether it fits or not.
    fn write<F: Format>(
        &self,
        format: &mut F,
        out: &mut Vec<u8>,
        skip: &mut usize,
        (mut is_begun, limit): (bool, usize),
    ) -> (usize, bool) {
        let mut written = 0;
        for trace in &self.traces {
            let spans = trace.span_count();
            if *skip >= spans {
                *skip -= spans;
                continue;
            }
            let facts = Facts::of(trace);
            for span in trace.spans().skip(mem::take(skip)) {
                let before = out.len();
                format.span(out, &facts, span);
                if out.len() > limit && is_begun {
                    out.truncate(before);
                    return (written, false);
                }
                is_begun = true;
                written += 1;
            }
        }
        (written, true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{span, trace};

    /// `(service span span)(service span)`.
    #[derive(Default)]
    struct Plain;

    impl Format for Plain {
        fn begin(&mut self, _: &mut Vec<u8>) {}

        fn open_resource(&mut self, out: &mut Vec<u8>, resource: &Resource) {
            out.push(b'(');
            out.extend_from_slice(resource.service_name().as_bytes());
        }

        fn span(&mut self, out: &mut Vec<u8>, _: &Facts<'_>, span: SpanRef<'_>) {
            out.push(b' ');
            out.extend_from_slice(span.operation_name().as_bytes());
        }

        fn close_resource(&mut self, out: &mut Vec<u8>) {
            out.push(b')');
        }

        fn end(&mut self, _: &mut Vec<u8>) {}
    }

    fn requests(batch: &[Trace], limit: usize) -> Vec<String> {
        let grouped = Grouped::of(batch);
        let (mut requests, mut from) = (Vec::new(), 0);
        while from < grouped.spans() {
            let mut out = Vec::new();
            let taken = grouped.write::<Plain>(&mut out, from, limit + CLOSING);
            assert!(taken > 0, "a request without spans");
            from += taken;
            requests.push(String::from_utf8(out).unwrap());
        }
        requests
    }

    fn made(service: &str, spans: &[&str]) -> Trace {
        let mut root = span(spans[0].to_owned());
        for name in &spans[1..] {
            root = root.child(span((*name).to_owned()));
        }
        trace(root).with_resource(Resource::new(service))
    }

    #[test]
    fn spans_of_equal_resources_stand_together() {
        let shared = Arc::new(Resource::new("a"));
        let batch = [
            made("a", &["1"]).with_resource(Arc::clone(&shared)),
            made("b", &["2"]),
            made("a", &["3", "4"]),
            made("a", &["5"]).with_resource(shared),
        ];
        assert_eq!(requests(&batch, 1000), ["(a 1 3 4 5)(b 2)"]);
    }

    #[test]
    fn what_does_not_fit_goes_into_the_next_request_and_no_envelope_is_empty() {
        let batch = [made("a", &["11", "22", "33"]), made("b", &["44"])];
        assert_eq!(requests(&batch, 8), ["(a 11 22)", "(a 33)", "(b 44)"]);
        assert_eq!(requests(&batch, 11), ["(a 11 22 33)", "(b 44)"]);
        assert_eq!(requests(&batch, 0), ["(a 11)", "(a 22)", "(a 33)", "(b 44)"]);
    }

    #[test]
    fn traces_without_spans_make_no_request() {
        let empty = Trace::new(crate::model::TraceId::new());
        assert!(requests(std::slice::from_ref(&empty), 100).is_empty());
        assert_eq!(requests(&[empty, made("a", &["1"])], 100), ["(a 1)"]);
    }

    proptest! {
        #[test]
        fn every_span_is_sent_once_in_order_whatever_the_limit(
            sizes in prop::collection::vec((0_usize..3, 1_usize..6), 0..8),
            limit in 0_usize..60,
        ) {
            let services = ["a", "b", "c"];
            let mut number = 0;
            let mut expected = vec![Vec::new(); 3];
            let batch: Vec<Trace> = sizes
                .iter()
                .map(|(service, spans)| {
                    let names: Vec<String> = (0..*spans).map(|_| { number += 1; number.to_string() }).collect();
                    expected[*service].extend(names.clone());
                    made(services[*service], &names.iter().map(String::as_str).collect::<Vec<_>>())
                })
                .collect();
            let requests = requests(&batch, limit);
            let mut found = vec![Vec::new(); 3];
            for request in &requests {
                // The plain form closes a group with one byte for each.
                let fits = request.len() <= limit + 3;
                prop_assert!(fits || request.matches(' ').count() == 1, "{}", request);
                for group in request.trim_matches(|c| c == '(' || c == ')').split(")(") {
                    let service = services.iter().position(|s| group.starts_with(s)).unwrap();
                    found[service].extend(group.split(' ').skip(1).map(str::to_owned));
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
