#![no_main]

use libfuzzer_sys::fuzz_target;
use tailtrace::propagation::B3Propagator;
use tailtrace_fuzz::{Lines, send_on_by};

fuzz_target!(|input: &[u8]| {
    let mut lines = Lines::default().with("b3", input);
    // The lines of the input are the multi headers, too, in this order.
    let names = ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"];
    lines.0.extend(names.into_iter().zip(input.split(|byte| *byte == b'\n')));
    send_on_by(&B3Propagator::single(), &lines);
    send_on_by(&B3Propagator::multi(), &lines);
});
