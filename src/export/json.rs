//! Pieces of JSON text.

use std::fmt::Display;
use std::io::Write;

/// JSON has no word for what is not a number; it becomes text, as in the JSON form of protobuf.
pub(super) fn number(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        // Writing into a Vec cannot fail.
        let _ = serde_json::to_writer(out, &value);
    } else if value.is_nan() {
        string(out, "NaN");
    } else {
        string(out, if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
}

pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    // Writing into a Vec cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Adds what needs no escaping.
pub(super) fn key(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn display(out: &mut Vec<u8>, value: impl Display) {
    // Writing into a Vec cannot fail.
    let _ = write!(out, "{value}");
}

pub(super) fn array<T>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}
