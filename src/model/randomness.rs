//! The 56 random bits of a trace that every consistent decision looks at.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::text::{Hex56, excerpt, read_lower_hex};
use crate::kit::debug_like_display;

const MASK: u64 = (1 << 56) - 1;

/// The 56 random bits of a trace, compared with a [`Threshold`] by every
/// consistent sampling decision (OpenTelemetry: randomness value, `R`).
///
/// They are the `rv` of the tracestate's `ot` member if there is one
/// ([`TraceState::randomness`]), else the low 56 bits of the trace id. All
/// services of a trace see the same bits and so reach the same decision.
///
/// The text form is the `rv` one: exactly 14 lower-case hex digits.
///
/// ```
/// use tailtrace::model::{Randomness, Threshold};
///
/// let randomness = Randomness::from_trace_id_bits(0x4bf92f3577b34da6a3ce929d0e0e4736);
/// assert_eq!(randomness.to_string(), "ce929d0e0e4736");
/// assert!(Threshold::from_probability(0.5)?.accepts(randomness));
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
///
/// Specification: OpenTelemetry, "Probability Sampling in the tracestate", `rv`.
///
/// [`Threshold`]: super::Threshold
/// [`TraceState::randomness`]: super::TraceState::randomness
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Randomness(u64);

impl Randomness {
    /// The low 56 bits of a trace id, which W3C Trace Context Level 2 makes
    /// the random ones.
    #[must_use]
    pub const fn from_trace_id_bits(trace_id: u128) -> Self {
        Self::from_bits(trace_id as u64)
    }

    /// The low 56 bits of `bits`; the upper eight are ignored.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & MASK)
    }

    /// The bits as a number below 2^56.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Hex56::padded(self.0).as_str())
    }
}

impl FromStr for Randomness {
    type Err = RandomnessError;

    /// Reads the `rv` text.
    ///
    /// # Errors
    /// If the text is not exactly 14 lower-case hex digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match read_lower_hex(text.as_bytes()) {
            Some(bits) if text.len() == Hex56::LEN => Ok(Self::from_bits(bits as u64)),
            _ => Err(RandomnessError(excerpt(text))),
        }
    }
}

/// The text is not a randomness value. Holds the start of the text.
#[derive(Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a randomness value: use exactly 14 lower-case hex digits")]
pub struct RandomnessError(String);

debug_like_display!(RandomnessError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_low_56_bits_of_the_trace_id_are_used() {
        let randomness = Randomness::from_trace_id_bits(0x0af7651916cd43dd8448eb211c80319c);
        assert_eq!(randomness.bits(), 0x48eb211c80319c);
        assert_eq!(Randomness::from_bits(u64::MAX).bits(), MASK);
    }

    #[test]
    fn text_is_exactly_14_lower_case_digits() {
        for text in ["6e6d1a75832a2f", "00000000000000", "0000000000000f", "ffffffffffffff"] {
            assert_eq!(text.parse::<Randomness>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "3",
            "6E6D1A75832A2F",
            "6e6d1a75832a2",
            "6e6d1a75832a2f0",
            "+e6d1a75832a2f",
            "0x6d1a75832a2f",
        ] {
            let error = text.parse::<Randomness>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn an_error_holds_only_the_start_of_a_hostile_text() {
        let error = "é".repeat(1_000_000).parse::<Randomness>().unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
