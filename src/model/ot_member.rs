//! The value of the `ot` member of a tracestate: `key:value;key:value`.
//!
//! The threshold `th` and the randomness `rv` live in it, beside sub-keys of
//! others that must survive an update.

use super::{Randomness, Threshold};

/// The tracestate key under which OpenTelemetry keeps its sub-keys.
pub(super) const OT_KEY: &str = "ot";

/// The longest value an update may produce; longer ones are not read either.
const MAX_LEN: usize = 256;

/// A checked `ot` value; the default has no sub-keys.
#[derive(Clone, Copy, Default)]
pub(super) struct OtMember<'a>(&'a str);

impl<'a> OtMember<'a> {
    /// Takes a value that follows the grammar: sub-keys `[a-z][a-z0-9]*`, each
    /// once, and values `[A-Za-z0-9._-]*`, at most 256 characters in all.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.is_empty() || text.len() > MAX_LEN {
            return None;
        }
        let value = Self(text);
        let well_formed = text.split(';').all(|part| {
            part.split_once(':').is_some_and(|(key, value)| {
                key.starts_with(|first: char| first.is_ascii_lowercase())
                    && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                    && value
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            })
        });
        // At most 128 sub-keys fit, so comparing all pairs stays cheap.
        let unique = || {
            value
                .parts()
                .enumerate()
                .all(|(at, (key, _))| value.parts().take(at).all(|(other, _)| other != key))
        };
        (well_formed && unique()).then_some(value)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    fn parts(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.split(';').filter_map(|part| part.split_once(':'))
    }

    fn part(self, wanted: &str) -> Option<&'a str> {
        self.parts().find(|(key, _)| *key == wanted).map(|(_, value)| value)
    }

    /// The `th` sub-key, if it is there and valid.
    pub(super) fn threshold(self) -> Option<Threshold> {
        self.part("th")?.parse().ok()
    }

    /// The `rv` sub-key, if it is there and valid.
    pub(super) fn randomness(self) -> Option<Randomness> {
        self.part("rv")?.parse().ok()
    }

    /// Whether this already says what [`with_threshold`] would write.
    ///
    /// [`with_threshold`]: Self::with_threshold
    pub(super) fn says(self, threshold: Option<Threshold>) -> bool {
        self.part("th").is_some() == threshold.is_some() && self.threshold() == threshold
    }

    /// The value with this `th`: `rv` first, then `th`, then the others in
    /// their order. Empty if nothing is left.
    pub(super) fn with_threshold(self, threshold: Option<Threshold>) -> Result<String, TooLong> {
        let text = threshold.map(Threshold::text);
        let th = text.as_ref().map(|text| ("th", text.as_str()));
        let rv = self.part("rv").map(|value| ("rv", value));
        let others = self.parts().filter(|(key, _)| !matches!(*key, "th" | "rv"));
        let mut written = String::with_capacity(self.0.len() + 18);
        for (key, value) in rv.into_iter().chain(th).chain(others) {
            if !written.is_empty() {
                written.push(';');
            }
            written.push_str(key);
            written.push(':');
            written.push_str(value);
        }
        if written.len() > MAX_LEN { Err(TooLong) } else { Ok(written) }
    }
}

/// The updated value would exceed 256 characters.
#[derive(Debug)]
pub(super) struct TooLong;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_valid_values_are_read() {
        for text in [
            "th:2",
            "th:abcdefabcdefab",
            "th:1000",
            "x:",
            "x1y2z3:1-2-3;y1:y_1;xy:-;th:50",
            "rv:3;th:8",
        ] {
            assert!(OtMember::parse(text).is_some(), "{text}");
        }
    }

    #[test]
    fn the_published_invalid_values_are_refused() {
        for text in [
            "",
            "th:1;",
            ";th:1",
            "th:1=p:2",
            ":1",
            ":",
            "th:$",
            "th:0x1p+3",
            "1:1",
            "X:1",
            "th:1;th:2",
            "a:1;;b:2",
            "th",
            "é:1",
        ] {
            let threshold = OtMember::parse(text).and_then(OtMember::threshold);
            assert_eq!(threshold, None, "{text}");
            assert!(OtMember::parse(text).is_none(), "{text}");
        }
        // These follow the grammar of sub-keys, but are no threshold.
        for text in ["th:", "th:14.5", "th:-1", "th:000000000000000", "th:A"] {
            assert_eq!(OtMember::parse(text).and_then(OtMember::threshold), None, "{text}");
        }
    }

    #[test]
    fn one_bad_sub_value_does_not_hide_the_others() {
        let value = OtMember::parse("rv:3;th:8").unwrap();
        assert_eq!(value.randomness(), None);
        assert_eq!(value.threshold(), Some("8".parse().unwrap()));
        let value = OtMember::parse("th:123456789abcdef;rv:6e6d1a75832a2f").unwrap();
        assert_eq!(value.threshold(), None);
        assert_eq!(value.randomness(), Some("6e6d1a75832a2f".parse().unwrap()));
    }

    #[test]
    fn values_of_256_characters_are_read_and_longer_ones_are_not() {
        let fits = format!("th:8;x:{}", "1".repeat(249));
        assert_eq!(fits.len(), 256);
        assert!(OtMember::parse(&fits).is_some());
        assert!(OtMember::parse(&(fits + "1")).is_none());
    }

    #[test]
    fn an_update_writes_rv_th_and_then_the_rest() {
        let value = OtMember::parse("b:1;th:8;a:;rv:9b8233f7e3a151").unwrap();
        let written = |threshold: Option<&str>| {
            value.with_threshold(threshold.map(|text| text.parse().unwrap())).unwrap()
        };
        assert_eq!(written(Some("c")), "rv:9b8233f7e3a151;th:c;b:1;a:");
        assert_eq!(written(None), "rv:9b8233f7e3a151;b:1;a:");
        assert_eq!(OtMember::parse("th:8").unwrap().with_threshold(None).unwrap(), "");
    }
}
