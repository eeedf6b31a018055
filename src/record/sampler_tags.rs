//! The tags that a sampler is told, in memory that a thread uses again.

use std::borrow::Cow;
use std::cell::Cell;

use crate::model::{TagRef, TagValue};

/// A tag as a sampler is told it.
pub(super) type SamplerTag = (Cow<'static, str>, TagValue);

/// OverLimitSpan this many tags, or bytes of one text, the memory is given back, as is that of other values
/// that have memory of their own.
const MOST_TAGS: usize = 32;
const LONGEST_TEXT: usize = 1024;

thread_local! {
    static SPARE: Cell<Vec<SamplerTag>> = const { Cell::new(Vec::new()) };
}

/// Copies tags into what the thread has to spare, text into text, so that roots that are alike do not
/// allocate.
pub(super) fn copy<'t>(
    tags: impl Iterator<Item = (Cow<'static, str>, TagRef<'t>)>,
) -> Vec<SamplerTag> {
    let mut told = SPARE.try_with(Cell::take).unwrap_or_default();
    let mut count = 0;
    for (key, value) in tags {
        match told.get_mut(count) {
            Some((old_key, TagValue::String(text))) if value.as_str().is_some() => {
                *old_key = key;
                text.clear();
                text.push_str(value.as_str().unwrap_or_default());
            }
            Some(old) => *old = (key, value.to_value()),
            None => told.push((key, value.to_value())),
        }
        count += 1;
    }
    told.truncate(count);
    told
}

/// Keeps what a sampler was told, as memory for the next.
pub(super) fn give_back(told: Vec<SamplerTag>) {
    let is_small = |(_, value): &SamplerTag| match value {
        TagValue::Bool(_) | TagValue::I64(_) | TagValue::F64(_) => true,
        TagValue::String(text) => text.capacity() <= LONGEST_TEXT,
        _ => false,
    };
    if told.capacity() <= MOST_TAGS && told.iter().all(is_small) {
        // A thread that is ending has nowhere to keep it.
        let _ = SPARE.try_with(|spare| spare.set(told));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_before_leaves_no_trace_in_what_is_told_next() {
        let tags = |text| [("a".into(), TagRef::Str(text)), ("b".into(), TagRef::I64(1))];
        give_back(copy(tags("a longer text").into_iter()));
        let next = copy([("c".into(), TagRef::Str("short"))].into_iter());
        assert_eq!(next, [("c".into(), TagValue::from("short"))]);
        give_back(next);
        let last = copy(tags("text").into_iter());
        assert_eq!(last, [("a".into(), "text".into()), ("b".into(), TagValue::I64(1))]);
    }

    #[test]
    fn large_values_are_not_kept() {
        let long = "x".repeat(LONGEST_TEXT + 1);
        let (text, bytes) = (TagRef::Str(&long), TagRef::Bytes(long.as_bytes()));
        for value in [text, bytes] {
            give_back(copy([("a".into(), value)].into_iter()));
            assert_eq!(copy([].into_iter()).capacity(), 0);
        }
        let many = (0..=MOST_TAGS).map(|_| ("a".into(), TagRef::I64(1)));
        give_back(copy(many));
        assert_eq!(copy([].into_iter()).capacity(), 0);
    }
}
