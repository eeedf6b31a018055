//! Pieces of JSON text.

use std::fmt::Display;
use std::io::Write;

use super::escape::is_invisible;

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

/// Writes text for people: what could hide or reorder it is written out.
pub(super) fn visible_string(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte < 0x7f) || !text.chars().any(is_invisible) {
        string(out, text);
        return;
    }
    out.push(b'"');
    for c in text.chars() {
        if is_invisible(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
            continue;
        }
        let start = out.len();
        let _ = serde_json::to_writer(&mut *out, &c);
        // Without the quotes of each.
        out.pop();
        out.remove(start);
    }
    out.push(b'"');
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_reorders_text_is_written_out_and_means_the_same() {
        for text in
            ["plain é", "a\u{202e}b\"\\\n", "\u{7f}\u{9b}31m", "\u{e0001}\u{1d173}", "\u{feff}"]
        {
            let mut out = Vec::new();
            visible_string(&mut out, text);
            let shown = String::from_utf8(out).unwrap();
            assert!(!shown.chars().any(is_invisible), "{shown}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
