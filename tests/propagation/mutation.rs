//! Whatever headers arrive: reading them does not panic, stays within the
//! limits, and what was read means the same after it was sent on.

use super::formats::{all_at_once, extract_by, formats};
use super::{PARENT, extract, inject};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::HashMap;
use tailtrace::model::{Baggage, TraceState};
use tailtrace::propagation::Extractor;

/// Header lines as bytes, which need not be text.
#[derive(Debug, Clone)]
struct Lines(Vec<(&'static str, Vec<u8>)>);

impl Extractor for Lines {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        self.0.iter().filter(|(key, _)| *key == name).for_each(|(_, line)| each(line));
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, line) in &self.0 {
            if let Some(rest) = name.strip_prefix(prefix) {
                each(rest, line);
            }
        }
    }
}

/// A change of one byte, or of a stretch that is cut out or repeated.
#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Insert(Index, u8),
    Cut(Index, usize),
    Repeat(Index, usize, usize),
}

impl Mutation {
    fn apply(&self, line: &mut Vec<u8>) {
        let at = |index: &Index| index.index(line.len() + 1);
        match self {
            Self::Set(index, byte) => {
                let at = at(index);
                line.splice(at..(at + 1).min(line.len()), [*byte]);
            }
            Self::Insert(index, byte) => line.insert(at(index), *byte),
            Self::Cut(index, len) => {
                let at = at(index);
                line.drain(at..(at + len).min(line.len()));
            }
            Self::Repeat(index, len, times) => {
                let at = at(index);
                let part = line[at..(at + len).min(line.len())].repeat(*times);
                line.splice(at..at, part);
            }
        }
    }
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    let byte = || {
        prop_oneof![prop::sample::select(b"-,;=% \tfF0Zth:\x00\x7f\xc3\xff".to_vec()), any::<u8>()]
    };
    prop_oneof![
        4 => (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        2 => (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => (any::<Index>(), 1..60_usize).prop_map(|(at, len)| Mutation::Cut(at, len)),
        1 => (any::<Index>(), 1..60_usize, 1..700_usize).prop_map(|(at, len, times)| Mutation::Repeat(at, len, times)),
    ]
}

fn any_lines() -> impl Strategy<Value = Lines> {
    mutated(prop_oneof![
        3 => Just(("traceparent", PARENT)),
        1 => Just(("traceparent", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-x")),
        2 => Just(("tracestate", "congo=t61rcWkgMzE,ot=th:c;rv:6e6d1a75832a2f;x:1,a@b=~ !")),
        1 => Just(("tracestate", "a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9,j=0")),
        2 => Just(("baggage", "user=Zo%C3%AB;ttl=30;private, priority=high ,a=%2c%3B%25")),
        1 => Just(("baggage", "a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9,j=0")),
    ])
}

/// Lines of the formats other than W3C's.
fn any_older_lines() -> impl Strategy<Value = Lines> {
    mutated(prop_oneof![
        2 => Just(("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d-05e3ac9a4f6e3b90")),
        2 => Just(("x-b3-traceid", "a3ce929d0e0e4736")),
        2 => Just(("x-b3-spanid", "00f067aa0ba902b7")),
        1 => Just(("x-b3-parentspanid", "05e3ac9a4f6e3b90")),
        1 => Just(("x-b3-sampled", "true")),
        1 => Just(("x-b3-flags", "1")),
        3 => Just(("uber-trace-id", "4bf92f3577b34da6%3Af067aa0ba902b7%3a0:3")),
        2 => Just(("jaeger-baggage", "a=1,b=%2c+x, c = %C3%AB")),
        2 => Just(("uberctx-user", "Zo%C3%AB+100%25")),
        1 => Just(("uberctx-b", "")),
    ])
}

fn mutated(
    line: impl Strategy<Value = (&'static str, &'static str)>,
) -> impl Strategy<Value = Lines> {
    let mutated = (line, prop::collection::vec(any_mutation(), 0..4)).prop_map(
        |((name, text), mutations)| {
            let mut line = text.as_bytes().to_vec();
            mutations.iter().for_each(|mutation| mutation.apply(&mut line));
            (name, line)
        },
    );
    prop::collection::vec(mutated, 0..6).prop_map(Lines)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn mutated_headers_are_read_within_the_limits_and_sent_on_unchanged(lines in any_lines()) {
        let extracted = extract(&lines);
        let baggage = &extracted.baggage;
        prop_assert!(baggage.len() <= Baggage::MAX_MEMBERS);
        prop_assert!(baggage.to_string().len() <= Baggage::MAX_BYTES);
        if let Some(context) = extracted.clone().into_context() {
            prop_assert!(context.is_remote);
            prop_assert!(context.trace_state.len() <= TraceState::MAX_MEMBERS);
            prop_assert!(context.trace_state.as_str().len() <= TraceState::MAX_BYTES);

            let sent: HashMap<String, String> = inject(&context);
            for (name, value) in &sent {
                prop_assert!(!value.is_empty() && value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", name);
            }
            prop_assert_eq!(extract(&sent), extracted);
        }
    }

    #[test]
    fn mutated_headers_of_older_formats_reach_the_receiver_in_every_format(lines in any_older_lines()) {
        let extracted = extract_by(&all_at_once(), &lines);
        let baggage = &extracted.baggage;
        prop_assert!(baggage.len() <= Baggage::MAX_MEMBERS);
        prop_assert!(baggage.to_string().len() <= Baggage::MAX_BYTES);
        if let Some(context) = extracted.into_context() {
            for format in formats() {
                let mut sent = HashMap::new();
                format.inject(&context, &mut sent);
                for (name, value) in &sent {
                    prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", name);
                }
                let received = extract_by(&*format, &sent);
                let parent = received.context.expect("what was sent is read");
                prop_assert_eq!((parent.trace_id, parent.span_id), (context.trace_id, context.span_id));
                prop_assert_eq!(parent.is_sampled(), context.is_sampled());
                let carries_baggage = sent.keys().any(|name| name.starts_with("uberctx-"));
                prop_assert!(!carries_baggage || received.baggage == context.baggage);
            }
        }
    }
}
