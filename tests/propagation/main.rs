//! Headers through the public API, by the rows of the W3C and OpenTelemetry
//! specifications. Every test runs over both carriers.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use tailtrace::model::{Baggage, Randomness, Threshold, TraceFlags, TraceState};
use tailtrace::propagation::{
    BaggagePropagator, CompositePropagator, Extractor, Injector, Propagator, TraceContextPropagator,
};
use tailtrace::{Incoming, SpanId, TraceContext, TraceId};

mod mutation;

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID: &str = "00f067aa0ba902b7";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A carrier that a test can fill and look into.
trait Headers: Extractor + Injector + Default {
    fn of(lines: &[(&str, &str)]) -> Self;
    /// The lines as sorted pairs of lower-case name and value.
    fn lines(&self) -> Vec<(String, String)>;
}

impl Headers for HashMap<String, String> {
    /// A map has no second line of a name: lists are joined as HTTP libraries
    /// do, and a second `traceparent` comes in another spelling.
    fn of(lines: &[(&str, &str)]) -> Self {
        let mut map = Self::new();
        for (name, value) in lines {
            match map.get_mut(*name) {
                Some(_) if name.eq_ignore_ascii_case("traceparent") => {
                    map.insert(name.to_uppercase(), (*value).to_owned());
                }
                Some(line) => *line = format!("{line},{value}"),
                None => drop(map.insert((*name).to_owned(), (*value).to_owned())),
            }
        }
        map
    }

    fn lines(&self) -> Vec<(String, String)> {
        let mut lines: Vec<_> = self.clone().into_iter().collect();
        lines.sort();
        lines
    }
}

impl Headers for HeaderMap {
    fn of(lines: &[(&str, &str)]) -> Self {
        let mut map = Self::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    fn lines(&self) -> Vec<(String, String)> {
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let mut lines: Vec<_> =
            self.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        lines.sort();
        lines
    }
}

fn extract(headers: &dyn Extractor) -> Incoming {
    let mut incoming = Incoming::default();
    CompositePropagator::default().extract(headers, &mut incoming);
    incoming
}

fn inject<H: Headers>(context: &TraceContext) -> H {
    let mut headers = H::default();
    CompositePropagator::default().inject(context, &mut headers);
    headers
}

fn parent<H: Headers>(traceparent: &str) -> Option<TraceContext> {
    extract(&H::of(&[("traceparent", traceparent)])).context
}

fn trace_state<H: Headers>(lines: &[&str]) -> TraceState {
    let mut all = vec![("traceparent", PARENT)];
    all.extend(lines.iter().map(|line| ("tracestate", *line)));
    extract(&H::of(&all)).context.expect("a bad tracestate never costs the trace").trace_state
}

fn baggage<H: Headers>(lines: &[&str]) -> Baggage {
    let all: Vec<_> = lines.iter().map(|line| ("baggage", *line)).collect();
    extract(&H::of(&all)).baggage
}

fn sent_baggage<H: Headers>(baggage: Baggage) -> Vec<(String, String)> {
    let mut context = parent::<H>(PARENT).unwrap();
    context.baggage = baggage;
    let mut headers = H::default();
    BaggagePropagator.inject(&context, &mut headers);
    headers.lines()
}

/// The same tests once for each carrier, which they call `Carrier`.
macro_rules! over_both_carriers {
    ($(fn $name:ident() $body:block)*) => {
        mod hash_map {
            use super::*;
            type Carrier = HashMap<String, String>;
            $(#[test] fn $name() $body)*
        }
        mod header_map {
            use super::*;
            type Carrier = HeaderMap;
            $(#[test] fn $name() $body)*
        }
    };
}

mod formats;

over_both_carriers! {
    fn tp1_names_are_read_in_any_case_and_written_in_lower_case() {
        let headers = Carrier::of(&[("TraceParent", PARENT), ("TRACESTATE", "a=1"), ("BagGage", "b=2")]);
        let context = extract(&headers).into_context().unwrap();
        let lines = [("baggage", "b=2"), ("traceparent", PARENT), ("tracestate", "a=1")];
        assert_eq!(inject::<Carrier>(&context).lines(), lines.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    fn tp2_version_00_is_read_strictly() {
        let context = parent::<Carrier>(PARENT).unwrap();
        assert_eq!(context.trace_id, TraceId::from_hex(TRACE_ID).unwrap());
        assert_eq!(context.span_id, SpanId::from_hex(SPAN_ID).unwrap());
        assert_eq!(context.parent_span_id, None);
        for line in [
            "",
            "00",
            "00-1-1-1",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-001",
            "00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01,",
        ] {
            let headers = Carrier::of(&[("traceparent", line), ("tracestate", "a=1")]);
            assert_eq!(extract(&headers), Incoming::default(), "{line}");
        }
    }

    fn tp3_version_ff_and_malformed_versions_are_refused() {
        for version in ["ff", "FF", "0", "000", "0x", "-0", "CC"] {
            assert_eq!(parent::<Carrier>(&PARENT.replacen("00", version, 1)), None, "{version}");
        }
    }

    fn tp4_later_versions_are_read_as_far_as_known_and_sent_as_00() {
        for version in ["01", "cc", "fe"] {
            for tail in ["", "-", "-what-the-future-brings", "-01-é"] {
                let line = PARENT.replacen("00", version, 1) + tail;
                let context = parent::<Carrier>(&line).unwrap_or_else(|| panic!("{line}"));
                assert_eq!(inject::<Carrier>(&context).lines(), [("traceparent".to_owned(), PARENT.to_owned())]);
            }
            for tail in [".", "0", "x-01"] {
                assert_eq!(parent::<Carrier>(&(PARENT.replacen("00", version, 1) + tail)), None, "{tail}");
            }
            assert_eq!(parent::<Carrier>(&PARENT.replacen("00", version, 1)[..54]), None);
        }
    }

    fn tp5_ids_of_zeros_are_refused() {
        assert_eq!(parent::<Carrier>(&PARENT.replace(TRACE_ID, &"0".repeat(32))), None);
        assert_eq!(parent::<Carrier>(&PARENT.replace(SPAN_ID, &"0".repeat(16))), None);
    }

    fn tp6_two_traceparent_lines_are_none() {
        let headers = Carrier::of(&[("traceparent", PARENT), ("traceparent", PARENT), ("tracestate", "a=1")]);
        assert_eq!(extract(&headers).context, None);
    }

    fn tp7_whitespace_around_the_value_is_ignored() {
        assert_eq!(parent::<Carrier>(&format!(" \t{PARENT}\t ")), parent::<Carrier>(PARENT));
        assert!(parent::<Carrier>(PARENT).is_some());
    }

    fn tp8_tp9_tp10_flags_are_read_by_mask_and_the_random_flag_travels_on() {
        for bits in 0..=u8::MAX {
            let context = parent::<Carrier>(&format!("00-{TRACE_ID}-{SPAN_ID}-{bits:02x}")).unwrap();
            assert_eq!(context.flags.is_sampled(), bits & 1 != 0);
            assert_eq!(context.flags.is_random(), bits & 2 != 0);
            let sent = format!("00-{TRACE_ID}-{SPAN_ID}-{:02x}", bits & 3);
            assert_eq!(inject::<Carrier>(&context).lines(), [("traceparent".to_owned(), sent)]);
        }
    }

    fn tp12_what_is_extracted_is_remote_and_what_is_injected_is_the_context_itself() {
        assert!(parent::<Carrier>(PARENT).unwrap().is_remote);
        let ids = (TraceId::from_bits(1).unwrap(), SpanId::from_bits(2).unwrap());
        let context = TraceContext::new(ids.0, ids.1).with_flags(TraceFlags::SAMPLED);
        let headers: Carrier = inject(&context);
        let sent = "00-00000000000000000000000000000001-0000000000000002-01";
        assert_eq!(headers.lines(), [("traceparent".to_owned(), sent.to_owned())]);
        assert_eq!(extract(&headers).context, Some(context.remote()));
    }

    fn tp13_bg9_bad_headers_leave_what_was_found_before() {
        let mut incoming = extract(&Carrier::of(&[("traceparent", PARENT), ("baggage", "a=1")]));
        let before = incoming.clone();
        let bad = Carrier::of(&[("traceparent", "garbage"), ("tracestate", "x=1"), ("baggage", "garbage")]);
        CompositePropagator::default().extract(&bad, &mut incoming);
        CompositePropagator::default().extract(&Carrier::of(&[]), &mut incoming);
        assert_eq!(incoming, before);
        assert_eq!(incoming.into_context().unwrap().baggage.get("a"), Some("1"));
    }

    fn ts1_a_tracestate_without_traceparent_is_not_read() {
        assert_eq!(extract(&Carrier::of(&[("tracestate", "a=1")])), Incoming::default());
    }

    fn ts2_ts3_ts9_lines_are_combined_in_order_and_empty_members_skipped() {
        assert_eq!(trace_state::<Carrier>(&["a=1,b=2", "c=3"]).as_str(), "a=1,b=2,c=3");
        assert_eq!(trace_state::<Carrier>(&["a=1", "", " \t", ",b=2,,"]).as_str(), "a=1,b=2");
        let context = extract(&Carrier::of(&[("traceparent", PARENT), ("tracestate", " , ")])).context.unwrap();
        assert_eq!(inject::<Carrier>(&context).lines().len(), 1, "an empty tracestate is not sent");
    }

    fn ts4_ts5_keys_and_values_follow_level_2() {
        let (key, value) = ("z".repeat(256), "!".repeat(256));
        let text = format!("{key}={value},0@b@c= \"~,a-_*/= x");
        assert_eq!(trace_state::<Carrier>(&[&text]).as_str(), text);
        for bad in ["A=1", "@a=1", "a b=1", "a =1", "=1", "a=", "a", "a=b=c", "é=1", "a=é", "a.b=1"] {
            assert!(trace_state::<Carrier>(&[bad]).is_empty(), "{bad}");
        }
        assert!(trace_state::<Carrier>(&[&format!("{key}z=1")]).is_empty());
        assert!(trace_state::<Carrier>(&[&format!("z={value}!")]).is_empty());
    }

    fn ts6_ts7_33_members_or_a_bad_one_cost_the_tracestate_and_nothing_else() {
        let members = |count: usize| (0..count).map(|at| format!("k{at}=1")).collect::<Vec<_>>();
        assert_eq!(trace_state::<Carrier>(&[&members(32).join(",")]).len(), 32);
        assert!(trace_state::<Carrier>(&[&members(33).join(",")]).is_empty());
        let lines = members(33);
        assert!(trace_state::<Carrier>(&lines.iter().map(String::as_str).collect::<Vec<_>>()).is_empty());
        assert!(trace_state::<Carrier>(&["a=1", "B=2", "c=3"]).is_empty());
    }

    fn ts8_duplicates_are_not_fatal_and_the_first_is_read() {
        let state = trace_state::<Carrier>(&["a=1,b=2", "a=3"]);
        assert_eq!((state.get("a"), state.get("b")), (Some("1"), Some("2")));
    }

    fn ts10_at_least_512_characters_travel_and_long_members_go_first() {
        let at_least = format!("a={},b={}", "x".repeat(253), "y".repeat(254));
        assert_eq!(at_least.len(), 512);
        assert_eq!(trace_state::<Carrier>(&[&at_least]).as_str(), at_least);

        let key = |at: usize| format!("{at:02}{}", "k".repeat(250));
        let mut members: Vec<_> = (0..31).map(|at| format!("{}={}", key(at), "v".repeat(256))).collect();
        members.push("last=1".to_owned());
        let state = trace_state::<Carrier>(&[&members.join(",")]);
        assert!(state.as_str().len() <= TraceState::MAX_BYTES);
        assert_eq!(state.get("last"), Some("1"));
        assert_eq!(state.get(&key(0)), Some("v".repeat(256).as_str()));
        assert_eq!(state.get(&key(30)), None);
    }

    fn ot1_ot2_ot3_the_threshold_changes_and_the_rest_of_the_trace_state_travels_on() {
        let state = trace_state::<Carrier>(&["congo=1", "ot=x:a.b-c;th:c;rv:6e6d1a75832a2f"]);
        assert_eq!(state.threshold().map(Threshold::adjusted_count), Some(4.0));
        assert_eq!(state.randomness(), Some(Randomness::from_bits(0x6e6d1a75832a2f)));

        let mut context = parent::<Carrier>(PARENT).unwrap();
        let tracestate = |context: &TraceContext| inject::<Carrier>(context).lines().pop().unwrap().1;
        context.trace_state = state.with_threshold(Threshold::for_rate(0.01).unwrap());
        assert_eq!(tracestate(&context), "ot=rv:6e6d1a75832a2f;th:fd70a3d70a3d71;x:a.b-c,congo=1");
        context.trace_state = context.trace_state.with_threshold(None);
        assert_eq!(tracestate(&context), "ot=rv:6e6d1a75832a2f;x:a.b-c,congo=1");
    }

    fn bg1_lines_are_combined_and_limited_together() {
        assert_eq!(baggage::<Carrier>(&["a=1,b=2", "c=3"]).to_string(), "a=1,b=2,c=3");
        let half = |name: &str| format!("{name}={}", "x".repeat(4093));
        let (fits, too_long) = (half("a"), half("b") + "xx");
        assert_eq!(fits.len(), 4095);
        assert_eq!(baggage::<Carrier>(&[&fits, &half("b")]).len(), 2);
        assert_eq!(baggage::<Carrier>(&[&fits, &too_long, "c=1"]).to_string(), fits);
    }

    fn bg2_bg3_bg4_members_are_split_trimmed_and_decoded() {
        let read = baggage::<Carrier>(&["a=b=c , %41=1;p=1 ,\tb = %20x%20 , c=%FFx%C3%AB"]);
        assert_eq!(read.get("a"), Some("b=c"));
        assert_eq!((read.get("%41"), read.get("A")), (Some("1"), None));
        assert_eq!(read.get("b"), Some(" x "));
        assert_eq!(read.get("c"), Some("\u{fffd}xë"));
    }

    fn bg5_bg6_bg10_nothing_breaks_out_of_its_member() {
        let text = "\u{1} \",;\\%é€100%41=~";
        let sent = Baggage::new().with_metadata("a", text, "p=x,y \";q").unwrap().with("b", "2").unwrap();
        let lines = sent_baggage::<Carrier>(sent.clone());
        let line = "a=%01%20%22%2C%3B%5C%25%C3%A9%E2%82%AC100%2541=~;p=x%2Cy%20%22;q,b=2";
        assert_eq!(lines, [("baggage".to_owned(), line.to_owned())]);
        assert_eq!(baggage::<Carrier>(&[line]), sent);
        let read = baggage::<Carrier>(&["a=1;p=%2Cevil%3D1;q"]);
        assert_eq!(read.iter().next().map(|member| member.metadata), Some("p=%2Cevil%3D1;q"));
        assert_eq!(read.to_string(), "a=1;p=%2Cevil%3D1;q");
    }

    fn bg7_64_members_of_8192_bytes_travel_and_more_goes_whole() {
        let member = |at: usize| format!("k{at:02}={}", "v".repeat(123));
        let full = (0..64).map(member).collect::<Vec<_>>().join(",") + "v";
        assert_eq!(full.len(), 8192);
        let read = baggage::<Carrier>(&[&full]);
        assert_eq!(sent_baggage::<Carrier>(read.clone()), [("baggage".to_owned(), full.clone())]);
        assert_eq!(baggage::<Carrier>(&[&(full.clone() + "v")]), read.without("k63"));
        assert_eq!(baggage::<Carrier>(&[&full, "more=1"]), read);
    }

    fn bg8_empty_baggage_is_not_sent_and_names_keep_their_case() {
        assert_eq!(sent_baggage::<Carrier>(Baggage::new()), []);
        let both = Baggage::new().with("a", "").unwrap().with("A", "2").unwrap().with("a", "3").unwrap();
        assert_eq!(sent_baggage::<Carrier>(both.clone()), [("baggage".to_owned(), "a=3,A=2".to_owned())]);
        assert_eq!(sent_baggage::<Carrier>(both.without("a").without("A")), []);
    }

    fn bg11_fields_name_every_header_that_inject_may_write() {
        assert_eq!(BaggagePropagator.fields(), ["baggage"]);
        assert_eq!(TraceContextPropagator.fields(), ["traceparent", "tracestate"]);
        let all = Carrier::of(&[("traceparent", PARENT), ("tracestate", "a=1"), ("baggage", "b=2")]);
        let context = extract(&all).into_context().unwrap();
        let composite = CompositePropagator::default();
        for (name, _) in inject::<Carrier>(&context).lines() {
            assert!(composite.fields().contains(&name.as_str()), "{name}");
        }
    }

    fn a_header_is_set_instead_of_what_the_carrier_had() {
        let mut headers = Carrier::of(&[("Traceparent", "old"), ("other", "1")]);
        TraceContextPropagator.inject(&parent::<Carrier>(PARENT).unwrap(), &mut headers);
        let lines = [("other", "1"), ("traceparent", PARENT)];
        assert_eq!(headers.lines(), lines.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    fn baggage_without_a_parent_is_found_and_makes_no_context() {
        let incoming = extract(&Carrier::of(&[("baggage", "a=1")]));
        assert_eq!(incoming.baggage.get("a"), Some("1"));
        assert_eq!(incoming.into_context(), None);
    }

    fn of_several_formats_the_last_that_finds_a_parent_wins() {
        /// A format of another house, which also knows the sampling decision.
        struct House;
        impl Propagator for House {
            fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
                carrier.visit("x-house", &mut |line| {
                    let bits = str::from_utf8(line).ok().and_then(|text| text.parse().ok());
                    if let (Some(trace), Some(span)) = (bits.and_then(TraceId::from_bits), SpanId::from_bits(7)) {
                        incoming.context = Some(TraceContext::new(trace, span).remote());
                    }
                });
            }
            fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
                carrier.set("x-house", context.trace_id.to_bits().to_string());
            }
            fn fields(&self) -> &[&'static str] {
                &["x-house"]
            }
        }
        let both = CompositePropagator::new(vec![Box::new(TraceContextPropagator), Box::new(House)]);
        let trace_of = |lines: &[(&str, &str)]| {
            let mut incoming = Incoming::default();
            both.extract(&Carrier::of(lines), &mut incoming);
            incoming.context.map(|parent| parent.trace_id.to_bits())
        };
        let w3c = TraceId::from_hex(TRACE_ID).unwrap().to_bits();
        assert_eq!(trace_of(&[("traceparent", PARENT), ("x-house", "5")]), Some(5));
        assert_eq!(trace_of(&[("traceparent", PARENT), ("x-house", "0")]), Some(w3c));
        assert_eq!(trace_of(&[("traceparent", PARENT)]), Some(w3c));
        assert_eq!(trace_of(&[]), None);

        let mut headers = Carrier::default();
        both.inject(&parent::<Carrier>(PARENT).unwrap(), &mut headers);
        let names: Vec<_> = headers.lines().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["traceparent", "x-house"]);
        assert_eq!(both.fields(), ["traceparent", "tracestate", "x-house"]);
    }
}
