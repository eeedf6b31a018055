#![no_main]

use libfuzzer_sys::fuzz_target;
use tailtrace::model::Baggage;
use tailtrace_fuzz::{Lines, PARENT, extract_and_send_on};

fuzz_target!(|input: &[u8]| {
    let lines = Lines::default().with("traceparent", PARENT).with("baggage", input);
    let baggage = extract_and_send_on(&lines).baggage;
    assert!(baggage.len() <= Baggage::MAX_MEMBERS);
    assert!(baggage.to_string().len() <= Baggage::MAX_BYTES);

    // Built by hand from what was read, it is the same; so reading accepts
    // nothing that the program itself could not send.
    let mut built = Baggage::new();
    for member in baggage.iter() {
        assert_eq!(baggage.get(member.name), Some(member.value));
        built = built
            .with_metadata(member.name, member.value, member.metadata)
            .expect("it fitted before");
    }
    assert_eq!(built, baggage);
    for member in baggage.iter() {
        built = built.without(member.name);
    }
    assert!(built.is_empty());
});
