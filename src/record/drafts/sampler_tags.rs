//! The tags that a sampler is shown, in memory that a thread uses again.

use std::borrow::Cow;
use std::cell::Cell;

use crate::model::{TagRef, TagValue};

/// Beyond this many tags, or bytes of one text, the memory is given back, as is that of other values
/// that have memory of their own.
const MOST_TAGS: usize = 32;
const LONGEST_TEXT: usize = 1024;

thread_local! {
    static SPARE: Cell<Vec<(Cow<'static, str>, TagValue)>> = const { Cell::new(Vec::new()) };
}

/// Copies tags into what the thread has to spare, text into text, so that roots that are alike do not
/// allocate.
pub(super) fn acquire<'t>(
    tags: impl Iterator<Item = (Cow<'static, str>, TagRef<'t>)>,
) -> Vec<(Cow<'static, str>, TagValue)> {
    let mut copied = SPARE.try_with(Cell::take).unwrap_or_default();
    let mut count = 0;
    for (key, value) in tags {
        match copied.get_mut(count) {
            Some((old_key, TagValue::String(text))) if value.as_str().is_some() => {
                *old_key = key;
                text.clear();
                text.push_str(value.as_str().unwrap_or_default());
            }
            Some(old) => *old = (key, value.to_value()),
            None => copied.push((key, value.to_value())),
        }
        count += 1;
    }
    copied.truncate(count);
    copied
}

/// Keeps tags that a sampler has seen as memory for the next.
pub(super) fn release(tags: Vec<(Cow<'static, str>, TagValue)>) {
    let is_small = |(_, value): &(Cow<'static, str>, TagValue)| match value {
        TagValue::Bool(_) | TagValue::I64(_) | TagValue::F64(_) => true,
        TagValue::String(text) => text.capacity() <= LONGEST_TEXT,
        _ => false,
    };
    if tags.capacity() <= MOST_TAGS && tags.iter().all(is_small) {
        // A thread that is ending has nowhere to keep it.
        let _ = SPARE.try_with(|spare| spare.set(tags));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_before_leaves_no_trace_in_what_is_told_next() {
        let tags = |text| [("a".into(), TagRef::Str(text)), ("b".into(), TagRef::I64(1))];
        release(acquire(tags("a longer text").into_iter()));
        let next = acquire([("c".into(), TagRef::Str("short"))].into_iter());
        assert_eq!(next, [("c".into(), TagValue::from("short"))]);
        release(next);
        let last = acquire(tags("text").into_iter());
        assert_eq!(last, [("a".into(), "text".into()), ("b".into(), TagValue::I64(1))]);
    }

    #[test]
    fn large_values_are_not_kept() {
        let long = "x".repeat(LONGEST_TEXT + 1);
        for value in [TagRef::Str(&long), TagRef::Bytes(long.as_bytes())] {
            release(acquire([("a".into(), value)].into_iter()));
            assert_eq!(acquire([].into_iter()).capacity(), 0);
        }
        let many = (0..=MOST_TAGS).map(|_| ("a".into(), TagRef::I64(1)));
        release(acquire(many));
        assert_eq!(acquire([].into_iter()).capacity(), 0);
    }
}
