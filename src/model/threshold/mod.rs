//! Sampling probabilities as 56-bit rejection thresholds.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::{
    Randomness, SettingError,
    text::{Hex56, excerpt, read_lower_hex},
};
use crate::kit::debug_like_display;

/// 2^56: how many values the randomness of a trace can take.
const RANGE: u64 = 1 << 56;

/// A sampling probability as the 56-bit number that the randomness of a trace
/// must reach to be kept (OpenTelemetry: rejection threshold, `T`).
///
/// Use it wherever a decision must agree between services: they all compare
/// the same [`Randomness`] with their threshold, so what a rarer sampler keeps
/// a more generous one keeps too. Thresholds order by what they reject:
/// [`Threshold::ALWAYS`] is the smallest.
///
/// Never to keep anything is not a threshold. Code that must express it holds
/// an `Option<Threshold>`; see [`Threshold::for_rate`].
///
/// The text form is the `th` one: up to 14 lower-case hex digits without
/// trailing zeros.
///
/// ```
/// use tailtrace::model::{Randomness, Threshold};
///
/// let quarter = Threshold::from_probability(0.25)?;
/// assert_eq!(quarter.to_string(), "c");
/// assert_eq!(quarter.adjusted_count(), 4.0);
/// assert!(quarter.accepts(Randomness::from_bits(0xc0_0000_0000_0000)));
/// assert!(!quarter.accepts(Randomness::from_bits(0xbf_ffff_ffff_ffff)));
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
///
/// Specification: OpenTelemetry, "Probability Sampling in the tracestate".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threshold(u64);

impl Threshold {
    /// Rejects nothing: probability 1, text `0`.
    pub const ALWAYS: Self = Self(0);

    /// Accepts one randomness value of 2^56.
    const RAREST: Self = Self(RANGE - 1);

    /// The threshold with this number, which must be below 2^56.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits < RANGE { Some(Self(bits)) } else { None }
    }

    /// The threshold as a number below 2^56.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The threshold closest to `probability`, which lies in 2^-56 to 1.
    ///
    /// All 56 bits are used, so the kept fraction is the asked one and
    /// [`adjusted_count`](Self::adjusted_count) is its inverse. Its text may
    /// take all 14 digits.
    ///
    /// # Errors
    /// If the probability is not in 2^-56 to 1.
    pub fn from_probability(probability: f64) -> Result<Self, SettingError> {
        if !(Self::RAREST.probability()..=1.0).contains(&probability) {
            return Err(SettingError::out_of_range(
                format_args!("probability {probability}"),
                "use one between 2^-56 and 1",
            ));
        }
        // Scaling by a power of two is exact; the result lies in 1 to 2^56.
        let accepted = (probability * RANGE as f64).round() as u64;
        Ok(Self(RANGE.saturating_sub(accepted.max(1))))
    }

    /// The threshold closest to `probability` that has about `digits` (1 to
    /// 12, others are clamped) significant hex digits, counted after leading
    /// `f`s.
    ///
    /// Use it with 4 digits to keep bit for bit what the probability samplers
    /// of other OpenTelemetry SDKs keep at the same ratio, or for a shorter
    /// header: 1 % is `fd70a` instead of `fd70a3d70a3d71`. The kept fraction
    /// then differs from the asked one by up to `16^-digits` of it.
    ///
    /// # Errors
    /// If the probability is not in 2^-56 to 1.
    pub fn from_probability_with_precision(
        probability: f64,
        digits: u8,
    ) -> Result<Self, SettingError> {
        let Self(exact) = Self::from_probability(probability)?;
        // The exponent of `probability = m * 2^exponent` with m in 0.5..1; every
        // four halvings put one more `f` in front of the digits that matter.
        let exponent = (probability.to_bits() >> 52) as i64 - 1022;
        let digits =
            (i64::from(digits.clamp(1, 12)) + (-exponent).div_euclid(4)).clamp(1, 12) as u32;
        let unit = 1 << (56 - 4 * digits);
        let rounded = (exact + unit / 2) & !(unit - 1);
        Ok(Self(if rounded < RANGE { rounded } else { RANGE - unit }))
    }

    /// The threshold for a rate that a person configured: `None` for 0, which
    /// keeps nothing, else the threshold closest to it. Rates between 0 and
    /// 2^-56 count as 2^-56.
    ///
    /// ```
    /// use tailtrace::model::Threshold;
    ///
    /// assert_eq!(Threshold::for_rate(1.0), Ok(Some(Threshold::ALWAYS)));
    /// assert_eq!(Threshold::for_rate(0.0), Ok(None));
    /// assert_eq!(
    ///     Threshold::for_rate(25.0).unwrap_err().to_string(),
    ///     "rate 25 is out of range: use a rate between 0 and 1",
    /// );
    /// ```
    ///
    /// # Errors
    /// If the rate is not a number from 0 to 1.
    pub fn for_rate(rate: f64) -> Result<Option<Self>, SettingError> {
        if rate == 0.0 {
            return Ok(None);
        }
        let probability = if rate > 0.0 { rate.max(Self::RAREST.probability()) } else { rate };
        Self::from_probability(probability).map(Some).map_err(|_| {
            SettingError::out_of_range(format_args!("rate {rate}"), "use a rate between 0 and 1")
        })
    }

    /// The fraction of traces that is kept, in 2^-56 to 1.
    #[must_use]
    pub fn probability(self) -> f64 {
        (RANGE - self.0) as f64 / RANGE as f64
    }

    /// How many traces each kept one stands for: 1 divided by the probability.
    #[must_use]
    pub fn adjusted_count(self) -> f64 {
        RANGE as f64 / (RANGE - self.0) as f64
    }

    /// Whether a trace with this randomness is kept.
    #[must_use]
    pub const fn accepts(self, randomness: Randomness) -> bool {
        randomness.bits() >= self.0
    }

    /// With which threshold a trace is kept that either side may keep: always beside anything is
    /// always, an unknown one beside the rest stays unknown, else the more generous one.
    pub(crate) fn either(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let always = Some(Self::ALWAYS);
        if one == always || other == always {
            return always;
        }
        Some(one?.min(other?))
    }

    /// The `th` text, on the stack.
    pub(super) fn text(self) -> Hex56 {
        Hex56::trimmed(self.0)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    /// Reads the `th` text; missing digits on the right are zeros.
    ///
    /// # Errors
    /// If the text is not 1 to 14 lower-case hex digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match read_lower_hex(text.as_bytes()) {
            Some(bits) if text.len() <= Hex56::LEN => {
                Ok(Self((bits as u64) << (4 * (Hex56::LEN - text.len()))))
            }
            _ => Err(ThresholdError(excerpt(text))),
        }
    }
}

/// The text is not the `th` text of a [`Threshold`]. Holds the start of the text.
#[derive(Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a threshold: use 1 to 14 lower-case hex digits")]
pub struct ThresholdError(String);

debug_like_display!(ThresholdError);

#[cfg(test)]
mod tests;
