//! What holds for every format, alone and beside the others, over both
//! carriers.

use super::{HashMap, HeaderMap, Headers};
use tailtrace::model::{Baggage, TraceFlags};
use tailtrace::propagation::{
    B3Propagator, BaggagePropagator, CompositePropagator, Extractor, JaegerPropagator, Propagator,
    TraceContextPropagator,
};
use tailtrace::{
    AlwaysOff, AlwaysOn, InMemoryExporter, Incoming, ParentBasedSampler, Sampler, SpanId,
    TraceContext, TraceId, Tracer,
};

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID: &str = "00f067aa0ba902b7";

/// Every format that carries a trace.
pub(crate) fn formats() -> Vec<Box<dyn Propagator>> {
    vec![
        Box::new(TraceContextPropagator),
        Box::new(B3Propagator::single()),
        Box::new(B3Propagator::multi()),
        Box::new(JaegerPropagator),
    ]
}

/// All formats at once, baggage included.
pub(crate) fn all_at_once() -> CompositePropagator {
    let mut all = formats();
    all.push(Box::new(BaggagePropagator));
    CompositePropagator::new(all)
}

pub(crate) fn extract_by(propagator: &dyn Propagator, headers: &dyn Extractor) -> Incoming {
    let mut incoming = Incoming::default();
    propagator.extract(headers, &mut incoming);
    incoming
}

fn inject_by<H: Headers>(propagator: &dyn Propagator, context: &TraceContext) -> H {
    let mut headers = H::default();
    propagator.inject(context, &mut headers);
    headers
}

fn context(flags: TraceFlags) -> TraceContext {
    let ids = (TraceId::from_hex(TRACE_ID).unwrap(), SpanId::from_hex(SPAN_ID).unwrap());
    TraceContext::new(ids.0, ids.1).with_flags(flags)
}

fn owned(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn flags_of(propagator: &dyn Propagator, headers: &dyn Extractor) -> Option<TraceFlags> {
    extract_by(propagator, headers).context.map(|parent| parent.flags)
}

/// What a service with this head sends on of a request with this `b3` header.
fn sent_on(head: impl Sampler + 'static, incoming: &str) -> String {
    let tracer =
        Tracer::new("shop", head, InMemoryExporter::new()).with_propagator(B3Propagator::single());
    let caller = tracer.extract_context(&HashMap::of(&[("b3", incoming)])).unwrap();
    let span = tracer.start_span_with_context("GET /stock", &caller);
    let mut headers = HashMap::new();
    tracer.inject_context(&span.context(), &mut headers);
    headers["b3"].replace(&span.context().span_id.to_hex(), "own")
}

#[test]
fn a_service_decides_what_was_deferred_and_hands_on_debug_while_it_samples() {
    let incoming = |state: &str| format!("{TRACE_ID}-{SPAN_ID}{state}");
    let outgoing = |state: &str| format!("{TRACE_ID}-own{state}");
    for (came, root_on, root_off) in
        [("", "-1", "-0"), ("-0", "-0", "-0"), ("-1", "-1", "-1"), ("-d", "-d", "-d")]
    {
        let came = incoming(came);
        assert_eq!(sent_on(ParentBasedSampler::new(AlwaysOn), &came), outgoing(root_on));
        assert_eq!(sent_on(ParentBasedSampler::new(AlwaysOff), &came), outgoing(root_off));
    }
    assert_eq!(sent_on(AlwaysOff, &incoming("-d")), outgoing("-0"));
}

over_both_carriers! {
    fn what_is_injected_is_extracted_as_remote_and_without_a_parent_of_its_own() {
        for format in formats() {
            for flags in [TraceFlags::default(), TraceFlags::SAMPLED] {
                let mut sent = context(flags);
                sent.parent_span_id = SpanId::from_bits(9);
                let headers: Carrier = inject_by(&*format, &sent);
                let incoming = extract_by(&*format, &headers);
                assert_eq!(incoming.context, Some(context(flags).remote()), "{:?}", format.fields());
            }
        }
    }

    fn only_declared_fields_are_written_and_in_lower_case() {
        let flags = [TraceFlags::default(), TraceFlags::SAMPLED, TraceFlags::DEBUG, TraceFlags::DEFERRED];
        for format in formats() {
            for flags in flags {
                for (name, value) in inject_by::<Carrier>(&*format, &context(flags)).lines() {
                    assert!(format.fields().contains(&name.as_str()), "{name}");
                    assert!(!value.is_empty() && name == name.to_lowercase(), "{name}");
                }
            }
        }
    }

    fn absent_and_malformed_headers_leave_what_was_found_before() {
        for format in formats() {
            let mut incoming = extract_by(&*format, &inject_by::<Carrier>(&*format, &context(TraceFlags::SAMPLED)));
            incoming.baggage = Baggage::new().with("a", "1").unwrap();
            let before = incoming.clone();
            format.extract(&Carrier::default(), &mut incoming);
            for garbage in ["", "garbage", "0", "-", ":::", "00-0-0-00"] {
                let lines: Vec<_> = format.fields().iter().map(|field| (*field, garbage)).collect();
                format.extract(&Carrier::of(&lines), &mut incoming);
                assert_eq!(incoming, before, "{garbage:?}");
            }
        }
    }

    fn ids_of_zeros_are_no_trace() {
        for format in formats() {
            for id in [TRACE_ID, SPAN_ID] {
                let lines = inject_by::<Carrier>(&*format, &context(TraceFlags::SAMPLED)).lines();
                let zeros = "0".repeat(id.len());
                let lines: Vec<_> = lines.into_iter().map(|(name, value)| (name, value.replace(id, &zeros))).collect();
                let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                assert_eq!(extract_by(&*format, &Carrier::of(&lines)), Incoming::default(), "{lines:?}");
            }
        }
    }

    fn names_are_read_in_any_case() {
        for format in formats() {
            let lines = inject_by::<Carrier>(&*format, &context(TraceFlags::SAMPLED)).lines();
            let lines: Vec<_> = lines.iter().map(|(name, value)| (name.to_uppercase(), value.as_str())).collect();
            let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            assert_eq!(flags_of(&*format, &Carrier::of(&lines)), Some(TraceFlags::SAMPLED));
        }
    }

    fn each_format_reads_its_own_headers_among_those_of_all() {
        let sent = context(TraceFlags::SAMPLED);
        let headers: Carrier = inject_by(&all_at_once(), &sent);
        for format in formats() {
            assert_eq!(extract_by(&*format, &headers).context, Some(sent.clone().remote()));
            let only: Carrier = inject_by(&*format, &sent);
            assert_eq!(extract_by(&all_at_once(), &only).context, Some(sent.clone().remote()));
        }
    }

    fn z1_z3_the_single_header_is_read_first_whatever_is_written() {
        let lines = [
            ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"),
            ("X-B3-TraceId", "00000000000000000000000000000001"),
            ("X-B3-SpanId", "0000000000000002"),
            ("X-B3-Sampled", "0"),
        ];
        for propagator in [B3Propagator::single(), B3Propagator::multi()] {
            let read = |lines: &[(&str, &str)]| extract_by(&propagator, &Carrier::of(lines)).context.unwrap();
            assert_eq!(read(&lines), context(TraceFlags::SAMPLED).remote());
            assert_eq!(read(&lines[1..]).trace_id.to_bits(), 1);
        }
        assert_eq!(B3Propagator::single().fields(), ["b3"]);
        let multi = ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"];
        assert_eq!(B3Propagator::multi().fields(), multi);
    }

    fn z2_z6_z7_z8_z10_each_state_has_its_headers() {
        for (flags, state) in [
            (TraceFlags::SAMPLED, "-1"),
            (TraceFlags::default(), "-0"),
            (TraceFlags::DEBUG, "-d"),
            (TraceFlags::DEFERRED, ""),
            (TraceFlags::RANDOM, "-0"),
        ] {
            let mut sent = context(flags);
            sent.parent_span_id = SpanId::from_bits(9);
            let single: Carrier = inject_by(&B3Propagator::default(), &sent);
            assert_eq!(single.lines(), owned(&[("b3", &format!("{TRACE_ID}-{SPAN_ID}{state}"))]));

            let mut expected = vec![("x-b3-spanid", SPAN_ID), ("x-b3-traceid", TRACE_ID)];
            match state {
                "-d" => expected.insert(0, ("x-b3-flags", "1")),
                "" => {}
                state => expected.insert(0, ("x-b3-sampled", &state[1..])),
            }
            assert_eq!(inject_by::<Carrier>(&B3Propagator::multi(), &sent).lines(), owned(&expected));
        }
    }

    fn z9_trace_ids_of_64_bits_are_padded() {
        let headers = Carrier::of(&[("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-1")]);
        let read = extract_by(&B3Propagator::default(), &headers).context.unwrap();
        let sent = "0000000000000000a3ce929d0e0e4736-00f067aa0ba902b7-1";
        assert_eq!(inject_by::<Carrier>(&B3Propagator::single(), &read).lines(), owned(&[("b3", sent)]));
        assert!(!read.flags.is_random());
    }

    fn j1_j2_j3_j4_the_trace_id_is_written_whole_and_read_leniently() {
        for (flags, digit) in [
            (TraceFlags::default(), "0"),
            (TraceFlags::SAMPLED, "1"),
            (TraceFlags::DEBUG, "3"),
            (TraceFlags::DEFERRED, "0"),
        ] {
            let headers: Carrier = inject_by(&JaegerPropagator, &context(flags));
            let line = format!("{TRACE_ID}:{SPAN_ID}:0:{digit}");
            assert_eq!(headers.lines(), owned(&[("uber-trace-id", &line)]));
        }
        let lenient = Carrier::of(&[("Uber-Trace-Id", "4bf92f3577b34da6a3ce929d0e0e4736%3Af067aa0ba902b7%3a5%3A1")]);
        assert_eq!(extract_by(&JaegerPropagator, &lenient).context, Some(context(TraceFlags::SAMPLED).remote()));
    }

    fn j5_j6_j8_j9_baggage_has_a_header_for_each_member() {
        let mut sent = context(TraceFlags::SAMPLED);
        sent.baggage = Baggage::new().with("User", "Zoë; 100%+1").unwrap().with("empty", "").unwrap();
        let headers: Carrier = inject_by(&JaegerPropagator, &sent);
        let line = format!("{TRACE_ID}:{SPAN_ID}:0:1");
        let lines = [
            ("uber-trace-id", line.as_str()),
            ("uberctx-empty", ""),
            ("uberctx-user", "Zo%C3%AB%3B%20100%25%2B1"),
        ];
        assert_eq!(headers.lines(), owned(&lines));
        assert_eq!(JaegerPropagator.fields(), ["uber-trace-id"]);

        let read = extract_by(&JaegerPropagator, &headers);
        assert_eq!(read.baggage.to_string(), "empty=,user=Zo%C3%AB%3B%20100%25+1");
        assert!(read.context.is_some());
        let bad = Carrier::of(&[("uber-trace-id", &line), ("UberCtx-A", "é%zz"), ("jaeger-baggage", "B=2,=,c")]);
        let read = extract_by(&JaegerPropagator, &bad);
        assert_eq!(read.baggage.to_string(), "a=%C3%A9%25zz,b=2");
        assert!(read.context.is_some());
    }
}
