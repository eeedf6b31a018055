#![no_main]

use libfuzzer_sys::fuzz_target;
use tailtrace::model::{Threshold, TraceState};
use tailtrace_fuzz::{Lines, PARENT, extract_and_send_on};

fuzz_target!(|input: &[u8]| {
    let lines = Lines::default().with("traceparent", PARENT).with("tracestate", input);
    let parent = extract_and_send_on(&lines).context.expect("a tracestate never costs the trace");
    let state = parent.trace_state;
    assert!(state.len() <= TraceState::MAX_MEMBERS);
    assert!(state.as_str().len() <= TraceState::MAX_BYTES);
    assert_eq!(state.as_str().parse(), Ok(state.clone()));

    // The randomness survives every change of the threshold, and a threshold
    // is read back as it was written unless the value has no room for it.
    let threshold = Threshold::from_probability(0.01).expect("a probability");
    let marked = state.with_threshold(Some(threshold));
    assert!(marked == state || marked.threshold() == Some(threshold));
    assert_eq!(marked.randomness(), state.randomness());
    let erased = marked.with_threshold(None);
    assert_eq!(erased.threshold(), None);
    assert_eq!(erased.randomness(), state.randomness());

    // Members of others survive the update, as far as the limits let them.
    let others = |state: &TraceState| -> Vec<(String, String)> {
        let others = state.iter().filter(|(key, _)| *key != "ot");
        others.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    };
    let (before, after) = (others(&state), others(&marked));
    assert!(after.iter().all(|member| before.contains(member)));
    if state.len() < TraceState::MAX_MEMBERS && state.as_str().len() + 300 < TraceState::MAX_BYTES {
        assert_eq!(before, after);
    }
});
