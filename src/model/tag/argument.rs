//! Values of tags as arguments, and what they are made from.

use std::borrow::Cow;
use std::fmt;

use super::{TagRef, TagValue};

/// A tag's value as an argument: borrowed where the caller can lend it, owned where it cannot.
///
/// A program need not name it: `set_tag("rows", 3)`, `set_tag("sql", &text)` and `set_tag("ids", vec![1, 2])`
/// all become one. Lent text is copied once, into the trace's buffer, without an allocation.
#[derive(Clone, Debug)]
pub struct TagArg<'a>(Source<'a>);

#[derive(Clone, Debug)]
enum Source<'a> {
    Lent(TagRef<'a>),
    Owned(TagValue),
}

impl TagArg<'_> {
    /// Hands the value to `read`. What was lent leaves nothing to be dropped.
    #[inline]
    pub(crate) fn read<R>(self, read: impl FnOnce(TagRef<'_>) -> R) -> R {
        match self.0 {
            Source::Lent(value) => read(value),
            Source::Owned(value) => read(value.as_ref()),
        }
    }

    /// The value, to be read without copying it.
    #[must_use]
    #[inline]
    pub fn as_ref(&self) -> TagRef<'_> {
        match &self.0 {
            Source::Lent(value) => *value,
            Source::Owned(value) => value.as_ref(),
        }
    }
}

impl<'a> From<TagRef<'a>> for TagArg<'a> {
    #[inline]
    fn from(value: TagRef<'a>) -> Self {
        Self(Source::Lent(value))
    }
}

impl<'a> From<&'a TagValue> for TagArg<'a> {
    fn from(value: &'a TagValue) -> Self {
        value.as_ref().into()
    }
}

impl From<TagValue> for TagArg<'_> {
    fn from(value: TagValue) -> Self {
        Self(Source::Owned(value))
    }
}

/// A lent form of a type: `From` for the argument by reference, for the owned value by copy.
macro_rules! lent {
    ($($type:ty => $variant:ident: $read:expr;)*) => {$(
        impl<'a> From<$type> for TagArg<'a> {
            #[inline]
            fn from(value: $type) -> Self {
                let read: fn($type) -> _ = $read;
                TagRef::$variant(read(value)).into()
            }
        }

        impl<'a> From<$type> for TagValue {
            fn from(value: $type) -> Self {
                let read: fn($type) -> _ = $read;
                TagRef::$variant(read(value)).to_value()
            }
        }
    )*};
}

lent! {
    bool => Bool: |value| value;
    i8 => I64: i64::from;
    i16 => I64: i64::from;
    i32 => I64: i64::from;
    i64 => I64: |value| value;
    u8 => I64: i64::from;
    u16 => I64: i64::from;
    u32 => I64: i64::from;
    f32 => F64: f64::from;
    f64 => F64: |value| value;
    &'a str => Str: |value| value;
    &'a String => Str: |value| value;
    &'a Cow<'a, str> => Str: |value| value;
    &'a [u8] => Bytes: |value| value;
    &'a [bool] => BoolArray: |value| value;
    &'a [i64] => I64Array: |value| value;
    &'a [f64] => F64Array: |value| value;
    &'a [String] => StringArray: |value| value;
}

/// An owned form of a type: it moves into the value.
macro_rules! owned {
    ($($type:ty => $make:expr;)*) => {$(
        impl From<$type> for TagValue {
            fn from(value: $type) -> Self {
                let make: fn($type) -> TagValue = $make;
                make(value)
            }
        }

        impl From<$type> for TagArg<'_> {
            fn from(value: $type) -> Self {
                Self(Source::Owned(value.into()))
            }
        }
    )*};
}

owned! {
    isize => whole;
    usize => whole;
    u64 => whole;
    i128 => whole;
    u128 => whole;
    char => |value| TagValue::String(value.to_string());
    String => TagValue::String;
    Cow<'_, str> => |value| TagValue::String(value.into_owned());
    Vec<u8> => TagValue::Bytes;
    Vec<bool> => TagValue::BoolArray;
    Vec<i64> => TagValue::I64Array;
    Vec<f64> => TagValue::F64Array;
    Vec<String> => TagValue::StringArray;
    Vec<&str> => |values| TagValue::StringArray(values.into_iter().map(str::to_owned).collect());
    Vec<i32> => |values| TagValue::I64Array(values.into_iter().map(i64::from).collect());
}

/// A whole number as `i64` where it fits, else as decimal text.
fn whole<N: fmt::Display + Copy + TryInto<i64>>(number: N) -> TagValue {
    number.try_into().map_or_else(|_| TagValue::String(number.to_string()), TagValue::I64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_stay_numbers_while_they_fit() {
        assert_eq!(TagValue::from(i64::MAX as u64), TagValue::I64(i64::MAX));
        assert_eq!(
            TagValue::from(i64::MAX as u64 + 1),
            TagValue::String("9223372036854775808".into())
        );
        assert_eq!(TagValue::from(i128::MIN), TagValue::String(i128::MIN.to_string()));
        assert_eq!(TagValue::from(7usize), TagValue::I64(7));
    }

    #[test]
    fn an_argument_reads_as_the_value_it_was_made_from() {
        let text = String::from("lent");
        assert_eq!(TagArg::from(&text).as_ref(), TagRef::Str("lent"));
        assert_eq!(
            TagArg::from(vec!["a", "b"]).as_ref().to_value(),
            TagValue::from(vec!["a", "b"])
        );
        assert_eq!(TagArg::from(u64::MAX).as_ref(), TagRef::Str("18446744073709551615"));
        assert_eq!(TagArg::from(&b"\x01\xff"[..]).as_ref().to_string(), "01ff");
    }
}
