//! Tags: their values, owned and read in place, and keys and values as arguments.

mod argument;
mod comparisons;
mod key;

use std::fmt;

pub use argument::TagArg;
pub use key::TagKey;

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
///
/// It compares with texts, numbers and truths: equal is what has the same type and the same value.
///
/// ```
/// use tailtrace::model::TagRef;
/// assert!(TagRef::Str("paid") == "paid");
/// assert!(TagRef::I64(200) == 200 && TagRef::I64(200) != "200");
/// ```
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
