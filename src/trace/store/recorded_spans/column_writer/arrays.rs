//! Arrays within their limits.

use crate::model::text::cut;
use crate::model::{Limits, TagRef, TagValue};

/// An array within the limits, and whether something was cut; `None` for a scalar.
pub(super) fn array_within(limits: &Limits, value: TagRef<'_>) -> Option<(TagValue, bool)> {
    let most = limits.list_bytes as usize;
    match value {
        TagRef::BoolArray(values) => Some(scalars_within(most, values, TagValue::BoolArray)),
        TagRef::I64Array(values) => Some(scalars_within(most, values, TagValue::I64Array)),
        TagRef::F64Array(values) => Some(scalars_within(most, values, TagValue::F64Array)),
        TagRef::StringArray(values) => {
            Some(texts_within(most, limits.value_bytes as usize, values))
        }
        _ => None,
    }
}

fn scalars_within<T: Copy>(
    most: usize,
    values: &[T],
    make: fn(Vec<T>) -> TagValue,
) -> (TagValue, bool) {
    let kept: Vec<T> = values.iter().copied().take(most / size_of::<T>()).collect();
    let was_cut = kept.len() < values.len();
    (make(kept), was_cut)
}

/// Each text within its own limit, and all of them within that of the list.
fn texts_within(most: usize, most_of_each: usize, values: &[String]) -> (TagValue, bool) {
    let mut left = most;
    let mut kept = Vec::with_capacity(values.len().min(most / size_of::<String>()));
    for text in values {
        let Some(rest) = left.checked_sub(size_of::<String>()) else {
            break;
        };
        let text = cut(text, most_of_each.min(rest));
        left = rest - text.len();
        kept.push(text.to_owned());
    }
    let was_cut = kept != values;
    (TagValue::StringArray(kept), was_cut)
}

/// The memory an array's content takes.
pub(in super::super) fn array_bytes(value: &TagValue) -> usize {
    match value {
        TagValue::BoolArray(values) => values.len(),
        TagValue::I64Array(values) => size_of_val(values.as_slice()),
        TagValue::F64Array(values) => size_of_val(values.as_slice()),
        TagValue::StringArray(values) => {
            values.iter().map(|text| size_of::<String>() + text.len()).sum()
        }
        _ => 0,
    }
}
