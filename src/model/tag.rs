//! Values of tags: owned, read in place, and as an argument.

use std::borrow::Cow;
use std::fmt;

/// The value of a tag.
///
/// OpenTelemetry: an attribute value. Whole numbers that do not fit `i64` become decimal text.
///
/// ```
/// use tailtrace::TagValue;
/// assert_eq!(TagValue::from(3u8), TagValue::I64(3));
/// assert_eq!(TagValue::from(u64::MAX), TagValue::String("18446744073709551615".into()));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TagValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    I64(i64),
    /// A number; not-a-number and the infinities are allowed.
    F64(f64),
    /// Text.
    String(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// Several booleans.
    BoolArray(Vec<bool>),
    /// Several whole numbers.
    I64Array(Vec<i64>),
    /// Several numbers.
    F64Array(Vec<f64>),
    /// Several texts.
    StringArray(Vec<String>),
}

impl TagValue {
    /// This value, to be read without copying it.
    #[must_use]
    pub fn as_ref(&self) -> TagRef<'_> {
        match self {
            Self::Bool(value) => TagRef::Bool(*value),
            Self::I64(value) => TagRef::I64(*value),
            Self::F64(value) => TagRef::F64(*value),
            Self::String(value) => TagRef::Str(value),
            Self::Bytes(value) => TagRef::Bytes(value),
            Self::BoolArray(values) => TagRef::BoolArray(values),
            Self::I64Array(values) => TagRef::I64Array(values),
            Self::F64Array(values) => TagRef::F64Array(values),
            Self::StringArray(values) => TagRef::StringArray(values),
        }
    }
}

impl TagValue {
    /// The text, if the value is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_ref().as_str()
    }
}

impl fmt::Display for TagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// The value of a tag, read where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TagRef<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    I64(i64),
    /// A number.
    F64(f64),
    /// Text.
    Str(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// Several booleans.
    BoolArray(&'a [bool]),
    /// Several whole numbers.
    I64Array(&'a [i64]),
    /// Several numbers.
    F64Array(&'a [f64]),
    /// Several texts.
    StringArray(&'a [String]),
}

impl<'a> TagRef<'a> {
    /// A copy that owns its content.
    #[must_use]
    pub fn to_value(self) -> TagValue {
        match self {
            Self::Bool(value) => TagValue::Bool(value),
            Self::I64(value) => TagValue::I64(value),
            Self::F64(value) => TagValue::F64(value),
            Self::Str(value) => TagValue::String(value.to_owned()),
            Self::Bytes(value) => TagValue::Bytes(value.to_owned()),
            Self::BoolArray(values) => TagValue::BoolArray(values.to_owned()),
            Self::I64Array(values) => TagValue::I64Array(values.to_owned()),
            Self::F64Array(values) => TagValue::F64Array(values.to_owned()),
            Self::StringArray(values) => TagValue::StringArray(values.to_owned()),
        }
    }

    /// The text, if the value is text.
    #[must_use]
    pub const fn as_str(self) -> Option<&'a str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The whole number, if the value is one.
    #[must_use]
    pub const fn as_i64(self) -> Option<i64> {
        if let Self::I64(number) = self { Some(number) } else { None }
    }

    /// The number, if the value is one that need not be whole.
    #[must_use]
    pub const fn as_f64(self) -> Option<f64> {
        if let Self::F64(number) = self { Some(number) } else { None }
    }

    /// The truth, if the value is true or false.
    #[must_use]
    pub const fn as_bool(self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(truth) } else { None }
    }
}

/// Text bare, bytes in hexadecimal digits, arrays in brackets.
impl fmt::Display for TagRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::I64(value) => value.fmt(f),
            Self::F64(value) => value.fmt(f),
            Self::Str(value) => value.fmt(f),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::BoolArray(values) => f.debug_list().entries(*values).finish(),
            Self::I64Array(values) => f.debug_list().entries(*values).finish(),
            Self::F64Array(values) => f.debug_list().entries(*values).finish(),
            Self::StringArray(values) => f.debug_list().entries(*values).finish(),
        }
    }
}

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

/// A tag's key as an argument: static, owned, or [lent](Self::lent).
///
/// You rarely name it: `set_tag("rows", 3)` and `set_tag(format!("row {n}"), 3)` make one.
#[derive(Clone, Debug)]
pub struct TagKey<'a>(KeySource<'a>);

#[derive(Clone, Debug)]
enum KeySource<'a> {
    /// Stays a pointer in the trace's buffer.
    Static(&'static str),
    Lent(&'a str),
    Owned(String),
}

impl<'a> TagKey<'a> {
    /// A key that is copied into the trace's buffer, without an allocation.
    #[must_use]
    pub const fn lent(key: &'a str) -> Self {
        Self(KeySource::Lent(key))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            KeySource::Static(key) | KeySource::Lent(key) => key,
            KeySource::Owned(key) => key,
        }
    }

    #[inline]
    pub(crate) const fn as_static(&self) -> Option<&'static str> {
        if let KeySource::Static(key) = self.0 { Some(key) } else { None }
    }

    /// The key to keep, which copies it only if it is lent.
    pub(crate) fn into_owned(self) -> Cow<'static, str> {
        match self.0 {
            KeySource::Static(key) => Cow::Borrowed(key),
            KeySource::Lent(key) => Cow::Owned(key.to_owned()),
            KeySource::Owned(key) => Cow::Owned(key),
        }
    }
}

impl From<&'static str> for TagKey<'_> {
    #[inline]
    fn from(key: &'static str) -> Self {
        Self(KeySource::Static(key))
    }
}

impl From<String> for TagKey<'_> {
    fn from(key: String) -> Self {
        Self(KeySource::Owned(key))
    }
}

impl From<Cow<'static, str>> for TagKey<'_> {
    fn from(key: Cow<'static, str>) -> Self {
        match key {
            Cow::Borrowed(key) => key.into(),
            Cow::Owned(key) => key.into(),
        }
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
