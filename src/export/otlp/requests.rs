//! A batch of traces as requests: spans of one resource together, none longer than allowed.

use std::mem;

use super::fields::{ForeignMembers, TraceFields};
use crate::export::batch::{Batch, TraceSizes, has_resource_of};
use crate::export::scope::Scope;
use crate::model::Resource;
use crate::trace::{SpanRef, Trace};

/// How requests are written.
pub(super) trait Format: Default {
    fn begin(&mut self, out: &mut Vec<u8>);
    fn open_resource(&mut self, out: &mut Vec<u8>, resource: &Resource);
    fn open_scope(&mut self, out: &mut Vec<u8>, scope: Scope<'_>);
    fn span(&mut self, out: &mut Vec<u8>, fields: &TraceFields<'_>, span: SpanRef<'_>);
    fn close_scope(&mut self, out: &mut Vec<u8>);
    fn close_resource(&mut self, out: &mut Vec<u8>);
    fn end(&mut self, out: &mut Vec<u8>);
}

/// What closing a request may add to it.
const CLOSING: usize = 64;

/// Writes a request of at most `limit` bytes with the first spans that are left of a batch, whose traces
/// are grouped by resource; how many they are. A span that is longer by itself makes a longer request. How much of it is
/// of which trace is left in `sizes`.
pub(super) fn write<F: Format>(
    batch: &Batch,
    out: &mut Vec<u8>,
    sizes: &mut TraceSizes,
    limit: usize,
    foreign: ForeignMembers,
) -> usize {
    let format = F::default();
    let mut request = Request { format, out, sizes, spans: 0, limit, foreign, scope: None };
    let mut skip = batch.done_in_first();
    request.format.begin(request.out);
    for group in batch.chunk_by(has_resource_of) {
        if !request.write_group(group, mem::take(&mut skip)) {
            break;
        }
    }
    request.format.end(request.out);
    request.spans
}

/// A request that is being written.
struct Request<'o, 'b, F> {
    format: F,
    out: &'o mut Vec<u8>,
    /// How many bytes each of its traces takes.
    sizes: &'o mut TraceSizes,
    /// How many spans it has.
    spans: usize,
    limit: usize,
    foreign: ForeignMembers,
    /// The scope that is open: that of the span before.
    scope: Option<Scope<'b>>,
}

impl<'b, F: Format> Request<'_, 'b, F> {
    /// Writes traces of one resource without the first `skip` spans; false when the request is full.
    fn write_group(&mut self, traces: &'b [Trace], skip: usize) -> bool {
        let mut skip = skip;
        let Some(resource) = traces.first().map(Trace::resource) else { return true };
        let start = self.out.len();
        let spans_before = self.spans;
        self.format.open_resource(self.out, resource);
        let all = traces.iter().all(|trace| {
            let before = self.out.len();
            let spans = self.spans;
            let fits = self.write_trace(trace, mem::take(&mut skip));
            // One that has no span here may have closed the scope of another.
            let size = if self.spans > spans { self.out.len().saturating_sub(before) } else { 0 };
            self.sizes.push(size);
            fits
        });
        if self.spans > spans_before {
            self.close_scope();
            self.format.close_resource(self.out);
        } else {
            // A resource without spans is not sent.
            self.out.truncate(start);
        }
        all
    }

    /// Writes the spans of a trace while they fit; false when one did not. The first span of a request is
    /// written whether it fits or not.
    fn write_trace(&mut self, trace: &'b Trace, skip: usize) -> bool {
        let fields = TraceFields::of(trace, self.foreign);
        let limit = self.limit.saturating_sub(CLOSING);
        for span in trace.spans().skip(skip) {
            let scope = Scope::of(span);
            let is_new = self.scope.is_none_or(|open| !open.is_same(scope));
            if is_new {
                self.close_scope();
            }
            let before = self.out.len();
            if is_new {
                self.format.open_scope(self.out, scope);
                self.scope = Some(scope);
            }
            self.format.span(self.out, &fields, span);
            if self.out.len() > limit && self.spans > 0 {
                self.out.truncate(before);
                if is_new {
                    // It was opened behind what is left, and no span is in it.
                    self.scope = None;
                }
                return false;
            }
            self.spans += 1;
        }
        true
    }

    fn close_scope(&mut self) {
        if self.scope.take().is_some() {
            self.format.close_scope(self.out);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::{span, trace};

    /// `(service span span)(service<scope span> span)`.
    #[derive(Default)]
    struct Plain {
        is_in_scope: bool,
    }

    impl Format for Plain {
        fn begin(&mut self, _: &mut Vec<u8>) {}

        fn open_resource(&mut self, out: &mut Vec<u8>, resource: &Resource) {
            out.push(b'(');
            out.extend_from_slice(resource.service_name().as_bytes());
        }

        fn open_scope(&mut self, out: &mut Vec<u8>, scope: Scope<'_>) {
            self.is_in_scope = matches!(scope, Scope::Of(_));
            if self.is_in_scope {
                out.extend_from_slice(format!("<{}", scope.name()).as_bytes());
            }
        }

        fn close_scope(&mut self, out: &mut Vec<u8>) {
            if mem::take(&mut self.is_in_scope) {
                out.push(b'>');
            }
        }

        fn span(&mut self, out: &mut Vec<u8>, _: &TraceFields<'_>, span: SpanRef<'_>) {
            out.push(b' ');
            out.extend_from_slice(span.operation_name().as_bytes());
        }

        fn close_resource(&mut self, out: &mut Vec<u8>) {
            out.push(b')');
        }

        fn end(&mut self, _: &mut Vec<u8>) {}
    }

    fn requests(batch: &[Trace], limit: usize) -> Vec<String> {
        let all = requests_with_sizes(batch, limit);
        all.into_iter().map(|(request, _)| request).collect()
    }

    fn requests_with_sizes(batch: &[Trace], limit: usize) -> Vec<(String, TraceSizes)> {
        let mut batch = Batch::from(batch);
        batch.group_by_resource();
        let mut requests = Vec::new();
        while batch.span_count() > 0 {
            let mut out = Vec::new();
            let mut sizes = TraceSizes::default();
            let limit = limit + CLOSING;
            let on_root = ForeignMembers::OnRoot;
            let written = write::<Plain>(&batch, &mut out, &mut sizes, limit, on_root);
            assert!(written > 0, "a request without spans");
            batch.mark_accepted(written);
            requests.push((String::from_utf8(out).unwrap(), sizes));
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
    fn spans_of_one_scope_in_a_row_stand_together_and_no_scope_is_empty() {
        let of = |name: &'static str, scope: &str| span(name).tag("otel.scope.name", scope);
        let root = span("1").child(of("2", "x")).child(of("3", "x")).child(of("4", "y"));
        let batch = [trace(root).with_resource(Resource::new("a"))];
        assert_eq!(requests(&batch, 100), ["(a 1<x 2 3><y 4>)"]);
        assert_eq!(requests(&batch, 10), ["(a 1<x 2 3>)", "(a<y 4>)"]);
        assert_eq!(requests(&batch, 5), ["(a 1)", "(a<x 2>)", "(a<x 3>)", "(a<y 4>)"]);
    }

    #[test]
    fn a_trace_that_has_no_span_in_a_request_counts_no_byte_there() {
        let of = |name: &'static str, scope: &str| {
            let made = trace(span(name).tag("otel.scope.name", scope));
            made.with_resource(Resource::new("a"))
        };
        // The second one closes the scope of the first before it is seen not to fit.
        let [(first, sizes), (second, rest)] =
            &*requests_with_sizes(&[of("11", "x"), of("22", "y")], 7)
        else {
            panic!("two requests")
        };
        assert_eq!((&**first, &**second), ("(a<x 11>)", "(a<y 22>)"));
        assert_eq!(format!("{sizes:?} {rest:?}"), "TraceSizes([5, 0]) TraceSizes([5])");
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
