#![no_main]

use libfuzzer_sys::fuzz_target;
use tailtrace_fuzz::{Lines, extract_and_send_on};

fuzz_target!(|input: &[u8]| {
    let lines = Lines::default().with("traceparent", input);
    let count = lines.0.len();
    if let Some(parent) = extract_and_send_on(&lines).context {
        assert_eq!(count, 1, "several lines are none");
        assert!(parent.flags.bits() < 4);
        // The ids are in the line as they are written, wherever it was padded.
        let text = str::from_utf8(input.trim_ascii().get(..55).expect("55 bytes")).expect("ASCII");
        assert_eq!(text[3..35], parent.trace_id.to_string());
        assert_eq!(text[36..52], parent.span_id.to_string());
    }
});
