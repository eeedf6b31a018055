//! Where the keys of long lists of tags stand.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::tag_record::TagRecord;
use crate::trace::store::index::{ColumnIndex, ColumnList, TagIndex};
use crate::trace::store::memory_budget::MemoryBudget;

/// Lists of at most this many tags are walked: that costs less than a hash, and nearly all are as short.
pub(super) const LONGEST_WALKED: u32 = 16;

/// Where the keys of the long lists of a buffer stand, so that setting a tag costs the same however many there are.
///
/// A list is entered when a key is looked for in it, as far as it has grown since the last time; a copy of the
/// buffer starts without entries. Where the budget leaves no room for them, lists are walked.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    tags: HashMap<Place, TagIndex, RandomState>,
}

/// What an entry of the index is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    /// The first tag of the list, which no other list has.
    list: TagIndex,
    /// The hash of a key, which is odd, or [`LAST_ENTERED`](Self::LAST_ENTERED).
    hash: u32,
}

/// What the index knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyLookup {
    At(TagIndex),
    Absent,
    /// The list has to be walked: the budget has no room for its entries, or two keys have one hash.
    Unknown,
}

impl Place {
    /// The hash by which the last tag of a list stands in the index that was entered.
    const LAST_ENTERED: u32 = 0;
}

impl KeyIndex {
    /// Removes all entries and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.tags.clear();
    }

    /// The memory it has reserved, in bytes.
    pub(super) fn reserved(&self) -> usize {
        bytes_of(self.tags.capacity())
    }

    fn place_of(&self, list: TagIndex, key: &str) -> Place {
        Place { list, hash: self.tags.hasher().hash_one(key) as u32 | 1 }
    }

    /// Looks for a key in a list, whose newest tags are entered first.
    pub(super) fn find(
        &mut self,
        list: ColumnList<TagIndex>,
        key: &str,
        tags: &[TagRecord],
        text: &str,
        budget: &mut MemoryBudget,
    ) -> KeyLookup {
        if !self.enter(list, tags, text, budget) {
            return KeyLookup::Unknown;
        }
        let Some(at) = self.tags.get(&self.place_of(list.first, key)) else {
            return KeyLookup::Absent;
        };
        let is_here = tags.get(at.as_usize()).is_some_and(|tag| tag.key.is(key, text));
        if is_here { KeyLookup::At(*at) } else { KeyLookup::Unknown }
    }

    /// Enters the tags of a list that were added since the last time; false when the budget has no room for them.
    fn enter(
        &mut self,
        list: ColumnList<TagIndex>,
        tags: &[TagRecord],
        text: &str,
        budget: &mut MemoryBudget,
    ) -> bool {
        let mark = Place { list: list.first, hash: Place::LAST_ENTERED };
        let entered = self.tags.get(&mark).copied();
        if entered == Some(list.last) {
            return true;
        }
        let last = entered.and_then(|last| tags.get(last.as_usize()));
        let count = |tag: Option<&TagRecord>| tag.map_or(0, |tag| tag.position as usize + 1);
        // One more for the mark.
        let new = count(tags.get(list.last.as_usize())) - count(last) + 1;
        if !self.reserve(new, budget) {
            return false;
        }
        let mut at = last.map_or(list.first, |last| last.next);
        while let Some(tag) = tags.get(at.as_usize()) {
            let place = self.place_of(list.first, tag.key.read(text));
            // Of two keys with one hash the first stays; the second is found by walking.
            self.tags.entry(place).or_insert(at);
            at = tag.next;
        }
        self.tags.insert(mark, list.last);
        debug_assert!(self.reserved() <= budget.used(), "the index is counted");
        true
    }

    fn reserve(&mut self, extra: usize, budget: &mut MemoryBudget) -> bool {
        let len = self.tags.len();
        let old = self.tags.capacity();
        if old - len >= extra {
            return true;
        }
        // What the map makes of a request that its memory does not suffice for.
        let capacity = (len + extra).max(old + 1);
        if !budget.claim(bytes_of(capacity) - bytes_of(old)) {
            return false;
        }
        self.tags.reserve(extra);
        debug_assert_eq!(bytes_of(capacity), self.reserved(), "what was claimed is reserved");
        true
    }
}

/// A copy of a buffer enters its lists anew, when it is written to.
impl Clone for KeyIndex {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The memory of a map with this capacity: seven of eight slots are used, each has a byte beside its entry.
fn bytes_of(capacity: usize) -> usize {
    let slots = match capacity {
        0 => return 0,
        1..4 => 4,
        4..8 => 8,
        8..15 => 16,
        _ => (capacity * 8 / 7).next_power_of_two(),
    };
    slots * (size_of::<(Place, TagIndex)>() + 1) + 16
}
