//! Attributes and tags.

use std::borrow::Cow;

use opentelemetry::{Array, KeyValue, StringValue, Value};

use crate::model::{TagArg, TagKey, TagRef, TagValue};

/// The value, lent where it can be. Kinds of values that OpenTelemetry may add become text.
#[must_use]
#[allow(unreachable_patterns, reason = "older lines promise that there are no other kinds")]
pub fn from_value(value: &Value) -> TagArg<'_> {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::I64(value) => (*value).into(),
        Value::F64(value) => (*value).into(),
        Value::String(value) => value.as_str().into(),
        Value::Array(Array::Bool(values)) => values.as_slice().into(),
        Value::Array(Array::I64(values)) => values.as_slice().into(),
        Value::Array(Array::F64(values)) => values.as_slice().into(),
        Value::Array(Array::String(values)) => {
            let texts: Vec<String> = values.iter().map(|text| text.as_str().to_owned()).collect();
            texts.into()
        }
        other => other.to_string().into(),
    }
}

/// The value. Bytes, which OpenTelemetry's attributes do not hold, become hexadecimal digits.
#[must_use]
pub fn to_value(value: TagRef<'_>) -> Value {
    match value {
        TagRef::Bool(value) => Value::Bool(value),
        TagRef::I64(value) => Value::I64(value),
        TagRef::F64(value) => Value::F64(value),
        TagRef::Str(value) => Value::String(value.to_owned().into()),
        TagRef::BoolArray(values) => Value::Array(Array::Bool(values.to_vec())),
        TagRef::I64Array(values) => Value::Array(Array::I64(values.to_vec())),
        TagRef::F64Array(values) => Value::Array(Array::F64(values.to_vec())),
        TagRef::StringArray(values) => {
            Value::Array(Array::String(values.iter().cloned().map(StringValue::from).collect()))
        }
        other => Value::String(other.to_string().into()),
    }
}

/// The attribute as a key with a value, both lent where they can be.
#[must_use]
pub fn from_key_value(attribute: &KeyValue) -> (TagKey<'_>, TagArg<'_>) {
    (TagKey::lent(attribute.key.as_str()), from_value(&attribute.value))
}

/// The attribute as a key with a value that stand on their own.
#[must_use]
pub fn from_attribute(attribute: &KeyValue) -> (Cow<'static, str>, TagValue) {
    let value = from_value(&attribute.value).as_ref().to_value();
    (Cow::Owned(attribute.key.as_str().to_owned()), value)
}

/// The tag as an attribute.
#[must_use]
pub fn to_key_value(key: &str, value: TagRef<'_>) -> KeyValue {
    KeyValue::new(key.to_owned(), to_value(value))
}
