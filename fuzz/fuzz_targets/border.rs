#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use tailtrace::model::Border;
use tailtrace::propagation::{
    B3Propagator, BorderPropagator, CompositePropagator, JaegerPropagator, Propagator,
};
use tailtrace::{Incoming, SpanId, TraceContext, TraceId};
use tailtrace_fuzz::Lines;

const NAMES: [&str; 8] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "uber-trace-id",
    "uberctx-name",
    "jaeger-baggage",
];

// What came in is not in what goes out, unless the border trusts it.
fuzz_target!(|input: &[u8]| {
    let lines = NAMES.iter().fold(Lines::default(), |lines, name| lines.with(name, input));
    let formats: Vec<Box<dyn Propagator>> = vec![
        Box::new(CompositePropagator::default()),
        Box::new(B3Propagator::multi()),
        Box::new(JaegerPropagator),
    ];
    let propagator = BorderPropagator::new(Border::Public, CompositePropagator::new(formats));
    let mut incoming = Incoming::default();
    propagator.extract(&lines, &mut incoming);
    assert!(incoming.context.is_none() && incoming.baggage.is_empty());

    let own = TraceContext::new(TraceId::new(), SpanId::new());
    let mut copied: HashMap<String, String> = NAMES
        .iter()
        .map(|name| ((*name).to_owned(), String::from_utf8_lossy(input).into_owned()))
        .collect();
    propagator.inject(&own, &mut copied);
    let mut fresh = HashMap::new();
    propagator.inject(&own, &mut fresh);
    assert_eq!(copied, fresh);
});
