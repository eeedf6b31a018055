//! Keep what carries a number in a range.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::{Bound, RangeBounds};

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::model::{TagKey, TagRef};
use crate::trace::TraceView;

/// Keeps traces in which any span has a numeric tag within a range.
///
/// Use it for status codes, sizes, counts, amounts: `500..600`, `1_000_000..`, `..=0.1`. Whole and
/// fractional numbers compare by their exact values, whichever of the two the tag and the range are. Text that is a
/// number, such as the `"500"` that some instrumentation writes, counts as that number.
/// Other text never lies in a range, nor does not-a-number, nor anything in a range that is empty or has
/// not-a-number for a bound; `..` takes every other number. It costs one walk over the tags of each
/// span up to the first match.
///
/// OpenTelemetry: the collector's `numeric_attribute`. It differs on purpose: fractional numbers
/// count, 0 is a bound like any other, a value that is not a number does not count as 0, and the
/// resource is not looked at.
///
/// ```
/// use tailtrace::tail::TagInRange;
/// use tailtrace::TailSampler;
/// let tail = TailSampler::new()
///     .keep(TagInRange::new("http.response.status_code", 500..600))
///     .keep(TagInRange::new("cart.total", 10_000.0..));
/// # let _ = tail;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TagInRange {
    key: Cow<'static, str>,
    start: Bound<Number>,
    end: Bound<Number>,
}

impl TagInRange {
    /// Keeps traces with a span on which the tag `key` lies in `range`.
    pub fn new<'k, N: Into<Number> + Copy>(
        key: impl Into<TagKey<'k>>,
        range: impl RangeBounds<N>,
    ) -> Self {
        let bound = |bound: Bound<&N>| bound.map(|number| (*number).into());
        Self {
            key: key.into().into_owned(),
            start: bound(range.start_bound()),
            end: bound(range.end_bound()),
        }
    }

    fn contains(&self, number: Number) -> bool {
        let from_start = match self.start {
            Bound::Unbounded => true,
            Bound::Included(start) => start.compare(number).is_some_and(Ordering::is_le),
            Bound::Excluded(start) => start.compare(number).is_some_and(Ordering::is_lt),
        };
        let to_end = match self.end {
            Bound::Unbounded => true,
            Bound::Included(end) => number.compare(end).is_some_and(Ordering::is_le),
            Bound::Excluded(end) => number.compare(end).is_some_and(Ordering::is_lt),
        };
        from_start && to_end && number.compare(number).is_some()
    }
}

impl TailPolicy for TagInRange {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_if(trace.spans().any(|span| {
            let number = match span.tag(&self.key) {
                Some(TagRef::I64(whole)) => Number(Value::Whole(whole)),
                Some(TagRef::F64(real)) => Number(Value::Real(real)),
                Some(TagRef::Str(text)) => match Number::read(text) {
                    Some(number) => number,
                    None => return false,
                },
                _ => return false,
            };
            self.contains(number)
        }))
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::WhileUndecided
    }

    fn is_self_contained(&self) -> bool {
        true
    }
}

/// A bound of a [`TagInRange`], made from the number types of Rust that a tag can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(Value);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Whole(i64),
    Real(f64),
}

macro_rules! number {
    ($variant:ident: $wide:ty; $($narrow:ty)*) => {$(
        impl From<$narrow> for Number {
            fn from(number: $narrow) -> Self {
                Self(Value::$variant(<$wide>::from(number)))
            }
        }
    )*};
}

number!(Whole: i64; i8 i16 i32 i64 u8 u16 u32);
number!(Real: f64; f32 f64);

impl Number {
    /// The number that a text is, in digits: words such as `inf` are no numbers here.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_in_digits = text.bytes().any(|byte| byte.is_ascii_digit());
        if let Ok(whole) = text.parse() {
            return Some(Self(Value::Whole(whole)));
        }
        text.parse().ok().filter(|_| is_in_digits).map(|real| Self(Value::Real(real)))
    }

    /// Compares the exact values; not-a-number compares with nothing.
    fn compare(self, other: Self) -> Option<Ordering> {
        match (self.0, other.0) {
            (Value::Whole(one), Value::Whole(other)) => Some(one.cmp(&other)),
            (Value::Real(one), Value::Real(other)) => one.partial_cmp(&other),
            (Value::Whole(whole), Value::Real(real)) => compare_mixed(whole, real),
            (Value::Real(real), Value::Whole(whole)) => {
                compare_mixed(whole, real).map(Ordering::reverse)
            }
        }
    }
}

/// Compares without rounding the whole number to the 53 bits of the other.
fn compare_mixed(whole: i64, real: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if real.is_nan() {
        None
    } else if real >= BEYOND {
        Some(Ordering::Less)
    } else if real < -BEYOND {
        Some(Ordering::Greater)
    } else {
        let truncated = real.trunc();
        let fraction = 0.0_f64.partial_cmp(&(real - truncated))?;
        Some(whole.cmp(&(truncated as i64)).then(fraction))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::TagValue;
    use crate::tail::test_traces;

    fn keeps(policy: &TagInRange, value: impl Into<TagValue>) -> bool {
        let trace = test_traces::with(|span| {
            span.set_tag("key", value.into());
        });
        policy.evaluate(&trace.view()).is_keep()
    }

    #[test]
    fn bounds_are_those_of_the_range() {
        let errors = TagInRange::new("key", 500..600);
        assert!(keeps(&errors, 500) && keeps(&errors, 599) && keeps(&errors, 599.9));
        assert!(!keeps(&errors, 600) && !keeps(&errors, 499) && !keeps(&errors, 600.0));
        let to_zero = TagInRange::new("key", ..=0.0);
        assert!(keeps(&to_zero, 0) && keeps(&to_zero, -0.5) && !keeps(&to_zero, 0.1));
    }

    #[test]
    fn only_numbers_lie_in_a_range() {
        let any = TagInRange::new::<f64>("key", ..);
        assert!(keeps(&any, i64::MIN) && keeps(&any, f64::INFINITY));
        assert!(!keeps(&any, f64::NAN) && !keeps(&any, true));
        assert!(!keeps(&TagInRange::new("key", f64::NAN..), 5));
        #[expect(clippy::reversed_empty_ranges, reason = "an empty range keeps nothing")]
        let empty = TagInRange::new("key", 9..1);
        assert!(!keeps(&empty, 5));
    }

    #[test]
    fn text_that_is_a_number_counts_as_it() {
        let errors = TagInRange::new("key", 500..600);
        assert!(keeps(&errors, "500") && keeps(&errors, " 503 ") && keeps(&errors, "5.5e2"));
        assert!(!keeps(&errors, "499") && !keeps(&errors, "500 OK") && !keeps(&errors, ""));
        let any = TagInRange::new::<f64>("key", ..);
        assert!(!keeps(&any, "inf") && !keeps(&any, "NaN") && !keeps(&any, "infinity"));
    }

    #[test]
    fn large_whole_numbers_are_not_rounded() {
        let above = TagInRange::new("key", (1_i64 << 53) + 1..);
        assert!(!keeps(&above, 9_007_199_254_740_992.0));
        assert!(keeps(&TagInRange::new("key", 9_007_199_254_740_992.0..), (1_i64 << 53) + 1));
        assert!(!keeps(&TagInRange::new("key", ..9.3e18), 9.4e18));
        assert!(keeps(&TagInRange::new("key", ..9.3e18), i64::MAX));
    }

    proptest! {
        #[test]
        fn mixed_numbers_compare_as_in_wide_arithmetic(
            whole in any::<i64>(),
            near in -3_i64..3,
            quarters in 0_i32..4,
        ) {
            // Halving until the quarters fit keeps the fraction exact in 53 bits.
            let base = whole >> 14;
            let real = (base + near) as f64 + f64::from(quarters) / 4.0;
            let expected = (i128::from(base) * 4)
                .cmp(&(i128::from(base + near) * 4 + i128::from(quarters)));
            prop_assert_eq!(compare_mixed(base, real), Some(expected));
        }
    }
}
