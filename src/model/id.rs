//! Trace and span ids.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

use crate::kit::{Random, debug_like_display};

/// Why a text is not an id.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text has another length than the id.
    #[error("an id of {found} bytes; write exactly {expected} hexadecimal digits")]
    Length {
        /// The length the id must have.
        expected: usize,
        /// The length the text has, in bytes.
        found: usize,
    },
    /// A character is not a hexadecimal digit.
    #[error("{found:?} at position {position} is not a hexadecimal digit; use 0-9 and a-f only")]
    Digit {
        /// The offending character.
        found: char,
        /// Where it stands, in bytes from the start.
        position: usize,
    },
    /// Every digit is zero, which the standards reserve for "no id".
    #[error(
        "an id of only zeros means \"none\"; use an id with at least one digit that is not zero"
    )]
    Zero,
}

debug_like_display!(IdError);

macro_rules! id {
    ($name:ident, $bits:ty, $nonzero:ty, $digits:literal, $bytes:literal, $example:literal) => {
        impl $name {
            /// A new random id.
            #[must_use]
            #[expect(
                clippy::new_without_default,
                reason = "two defaults would differ, which `Default` does not suggest"
            )]
            pub fn new() -> Self {
                Self::random(&Random::thread())
            }

            /// The id with these bits; `None` for zero, which means "no id".
            #[must_use]
            #[inline]
            pub const fn from_bits(bits: $bits) -> Option<Self> {
                match <$nonzero>::new(bits) {
                    Some(bits) => Some(Self(bits)),
                    None => None,
                }
            }

            /// The id as a number.
            #[must_use]
            #[inline]
            pub const fn to_bits(self) -> $bits {
                { self.0 }.get()
            }

            /// The id as bytes, most significant first.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; $bytes] {
                { self.0 }.get().to_be_bytes()
            }

            /// Reads exactly as many hexadecimal digits as the id has, of either case.
            ///
            /// # Errors
            /// When the length differs, a character is not a digit, or every digit is zero.
            ///
            /// ```
            #[doc = concat!("use tailtrace::", stringify!($name), ";")]
            #[doc = concat!("let id = ", stringify!($name), "::from_hex(\"", $example, "\")?;")]
            #[doc = concat!("assert_eq!(id.to_hex(), \"", $example, "\");")]
            #[doc = concat!("assert!(", stringify!($name), "::from_hex(\"+1\").is_err());")]
            /// # Ok::<(), tailtrace::model::IdError>(())
            /// ```
            pub fn from_hex(text: &str) -> Result<Self, IdError> {
                if text.len() != $digits {
                    return Err(IdError::Length { expected: $digits, found: text.len() });
                }
                let mut bits: $bits = 0;
                for (position, found) in text.char_indices() {
                    let digit = found.to_digit(16).ok_or(IdError::Digit { found, position })?;
                    bits = (bits << 4) | <$bits>::from(digit);
                }
                Self::from_bits(bits).ok_or(IdError::Zero)
            }

            /// The id in lower-case hexadecimal digits, as it stands in headers and in backends.
            #[must_use]
            pub fn to_hex(self) -> String {
                self.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:0", $digits, "x}"), self.to_bits())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::from_hex(text)
            }
        }
    };
}

/// The id that all spans of one trace share, in every service. Never zero.
///
/// OpenTelemetry: `TraceId`. Made at random with the promise of the W3C random flag: its low 56 bits
/// are uniform, so that samplers in different services can agree by looking at them.
// Packed to eight: the alignment of `u128` would cost every structure around an id up to 15 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed(8))]
pub struct TraceId(NonZeroU128);

/// The id of one span within its trace. Never zero.
///
/// OpenTelemetry: `SpanId`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(NonZeroU64);

id!(TraceId, u128, NonZeroU128, 32, 16, "4bf92f3577b34da6a3ce929d0e0e4736");
id!(SpanId, u64, NonZeroU64, 16, 8, "00f067aa0ba902b7");

impl TraceId {
    /// A new id drawn from `random`.
    #[must_use]
    #[inline]
    pub fn random(random: &Random) -> Self {
        Self::drawn(|| [random.next_u64(), random.next_u64()])
    }

    /// A new id drawn from `random` at this moment, which a copy of the machine draws no second time.
    #[inline]
    pub(crate) fn random_at(random: &Random, moment: u64) -> Self {
        Self::drawn(|| random.next_two_at(moment))
    }

    #[inline]
    fn drawn(draw: impl Fn() -> [u64; 2]) -> Self {
        loop {
            let [high, low] = draw();
            let bits = (u128::from(high) << 64) | u128::from(low);
            if let Some(id) = Self::from_bits(bits) {
                return id;
            }
        }
    }
}

impl SpanId {
    /// A new id drawn from `random`.
    #[must_use]
    #[inline]
    pub fn random(random: &Random) -> Self {
        Self::drawn(|| random.next_u64())
    }

    /// A new id drawn from `random` at this moment, which a copy of the machine draws no second time.
    #[inline]
    pub(crate) fn random_at(random: &Random, moment: u64) -> Self {
        Self::drawn(|| random.next_u64_at(moment))
    }

    #[inline]
    fn drawn(draw: impl Fn() -> u64) -> Self {
        loop {
            if let Some(id) = Self::from_bits(draw()) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_case_is_read_and_lower_case_is_written() {
        let id = TraceId::from_hex("4BF92F3577B34DA6A3CE929D0E0E4736").unwrap();
        assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!("00f067aa0ba902b7".parse::<SpanId>().unwrap().to_hex(), "00f067aa0ba902b7");
    }

    #[test]
    fn a_refused_text_is_named() {
        let short = SpanId::from_hex("1").unwrap_err();
        assert_eq!(short, IdError::Length { expected: 16, found: 1 });
        let sign = SpanId::from_hex("+0f067aa0ba902b7").unwrap_err();
        assert_eq!(
            sign.to_string(),
            "'+' at position 0 is not a hexadecimal digit; use 0-9 and a-f only"
        );
        assert_eq!(TraceId::from_hex(&"0".repeat(32)), Err(IdError::Zero));
        assert!(TraceId::from_hex(&"é".repeat(16)).is_err());
    }

    #[test]
    fn the_low_56_bits_of_new_ids_are_spread_evenly() {
        let random = Random::seeded(1);
        let high =
            (0..10_000).filter(|_| TraceId::random(&random).to_bits() >> 55 & 1 == 1).count();
        assert!((4_800..5_200).contains(&high), "{high} of 10000 have the top random bit set");
    }

    #[test]
    fn an_optional_id_costs_no_more_than_an_id() {
        assert_eq!(size_of::<Option<TraceId>>(), 16);
        assert_eq!(size_of::<Option<SpanId>>(), 8);
    }
}
