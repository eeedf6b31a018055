#![no_main]

use libfuzzer_sys::fuzz_target;
use tailtrace::coherence::{Message, ProtocolVersion};

fuzz_target!(|input: &[u8]| {
    let Ok(message) = Message::decode(input) else { return };
    // No more notices than the bytes have room for: a count that a message only claims costs nothing.
    assert!(message.notices().len() <= input.len() / 16);
    for version in [ProtocolVersion::V1_0, ProtocolVersion::V1_1] {
        let again = Message::decode(&message.encode(version)).expect("what was read is written");
        assert_eq!(again.notices().len(), message.notices().len());
    }
    let again = Message::decode(&message.encode(ProtocolVersion::V1_1));
    assert_eq!(again.as_ref(), Ok(&message));
});
