#![no_main]

use libfuzzer_sys::fuzz_target;
use tailtrace::propagation::JaegerPropagator;
use tailtrace_fuzz::{Lines, send_on_by};

fuzz_target!(|input: &[u8]| {
    // The first line is the trace, the others are baggage.
    let mut lines = input.split(|byte| *byte == b'\n');
    let trace = lines.next().unwrap_or_default();
    let mut headers = Lines::default().with("uber-trace-id", trace);
    let names = ["jaeger-baggage", "uberctx-a", "uberctx-B", "uberctx-c"];
    headers.0.extend(names.into_iter().cycle().zip(lines));
    send_on_by(&JaegerPropagator, &headers);
});
