//! The rules of the `tracestate` header, and a header in the making.

use std::sync::Arc;

use super::shared_text::SharedText;
use crate::model::text::ByteSet;

/// The most bytes of the header.
pub(super) const MAX_BYTES: usize = 8192;
pub(super) const MAX_KEY: usize = 256;
pub(super) const MAX_VALUE: usize = 256;

static KEY_FIRST: ByteSet = ByteSet::of_ranges(&[(b'a', b'z'), (b'0', b'9')]);
static KEY: ByteSet = KEY_FIRST.and(b"_-*/@");
static VALUE: ByteSet = ByteSet::of_ranges(&[(b' ', b'+'), (b'-', b'<'), (b'>', b'~')]);

pub(super) fn is_key(key: &[u8]) -> bool {
    key.len() <= MAX_KEY
        && key.first().is_some_and(|first| KEY_FIRST.contains(*first))
        && KEY.contains_all(key)
}

pub(super) fn is_value(value: &[u8]) -> bool {
    value.len() <= MAX_VALUE
        && value.last().is_some_and(|last| *last != b' ')
        && VALUE.contains_all(value)
}

/// A header in the making: checked members in order, within
/// [`MAX_BYTES`] at any time.
#[derive(Default)]
pub(super) struct MemberList {
    text: String,
}

impl MemberList {
    /// Members longer than this are the first to go when space runs out.
    const LONG: usize = 128;

    pub(super) fn reserve(&mut self, more: usize) {
        let wanted = (self.text.len() + more).min(MAX_BYTES);
        self.text.reserve_exact(wanted.saturating_sub(self.text.len()));
    }

    pub(super) fn push(&mut self, key: &str, value: &str) {
        let length = key.len() + 1 + value.len();
        while self.text.len() + 1 + length > MAX_BYTES {
            if length > Self::LONG || !self.drop_last_long() {
                return;
            }
        }
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(key);
        self.text.push('=');
        self.text.push_str(value);
    }

    fn drop_last_long(&mut self) -> bool {
        let mut end = self.text.len();
        for member in self.text.rsplit(',') {
            let start = end - member.len();
            if member.len() > Self::LONG {
                // With it goes the comma before it, or behind it at the front.
                let comma_behind = usize::from(start == 0 && end < self.text.len());
                self.text.drain(start.saturating_sub(1)..end + comma_behind);
                return true;
            }
            end = start.saturating_sub(1);
        }
        false
    }

    /// The header's text to share; `None` without members.
    pub(super) fn into_shared(self) -> Option<Arc<SharedText>> {
        (!self.text.is_empty()).then(|| Arc::new(SharedText::new(self.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TraceState;

    #[test]
    fn a_short_member_displaces_long_ones_wherever_they_stand() {
        for front in [0, 1, 2] {
            let mut list = MemberList::default();
            (0..front).for_each(|at| list.push(&format!("s{at}"), "1"));
            while list.text.len() + 300 <= TraceState::MAX_BYTES {
                list.push("long", &"x".repeat(250));
            }
            let longs = list.text.matches("long").count();
            let room = TraceState::MAX_BYTES - list.text.len();
            for at in 0..=room / 104 {
                list.push(&format!("t{at:02}"), &"y".repeat(100));
            }
            let state = TraceState { text: list.into_shared() };
            assert!(state.as_str().len() <= TraceState::MAX_BYTES);
            assert_eq!(state.iter().filter(|(key, _)| *key == "long").count(), longs - 1);
            assert_eq!(state.len(), front + longs - 1 + room / 104 + 1);
        }
        let mut list = MemberList::default();
        list.push("long", &"x".repeat(250));
        list.push("s", "1");
        assert!(list.drop_last_long());
        assert_eq!(list.text, "s=1");
        assert!(!list.drop_last_long());
    }
}
