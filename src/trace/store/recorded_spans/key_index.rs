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
#[derive(Debug)]
pub(super) struct KeyIndex {
    tags: HashMap<Place, TagIndex, RandomState>,
    /// The list that was looked at last, as far as it is entered.
    latest: ColumnList<TagIndex>,
}

/// What an entry of the index is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
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
    /// The key is absent, and entered for the tag that is added next.
    Entered(Place),
    /// The list has to be walked: the budget has no room for its entries, or two keys have one hash.
    Unknown,
}

/// The tags and the text of a buffer.
#[derive(Clone, Copy)]
pub(super) struct TagColumn<'a> {
    pub(super) tags: &'a [TagRecord],
    pub(super) text: &'a str,
}

impl Place {
    /// The hash by which the last tag of a list stands in the index that was entered.
    const LAST_ENTERED: u32 = 0;

    const fn mark_of(list: TagIndex) -> Self {
        Self { list, hash: Self::LAST_ENTERED }
    }
}

impl TagColumn<'_> {
    fn get(&self, at: TagIndex) -> Option<&TagRecord> {
        self.tags.get(at.as_usize())
    }

    /// How many tags a list has up to the one that stands there.
    fn count_to(&self, last: TagIndex) -> usize {
        self.get(last).map_or(0, |tag| tag.position as usize + 1)
    }
}

impl Default for KeyIndex {
    fn default() -> Self {
        Self { tags: HashMap::default(), latest: ColumnList::EMPTY }
    }
}

impl KeyIndex {
    /// Removes all entries and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.tags.clear();
        self.latest = ColumnList::EMPTY;
    }

    /// The memory it has reserved, in bytes.
    pub(super) fn reserved(&self) -> usize {
        bytes_of(self.tags.capacity())
    }

    fn place_of(&self, list: TagIndex, key: &str) -> Place {
        Place { list, hash: self.tags.hasher().hash_one(key) as u32 | 1 }
    }

    /// Looks for a key in a list, whose newest tags are entered first. A key that is absent is entered for the tag that
    /// is added next, where one `may_be_added`.
    pub(super) fn find(
        &mut self,
        list: ColumnList<TagIndex>,
        key: &str,
        may_be_added: bool,
        column: TagColumn<'_>,
        budget: &mut MemoryBudget,
    ) -> KeyLookup {
        if !self.enter(list, column, budget) {
            return KeyLookup::Unknown;
        }
        let place = self.place_of(list.first, key);
        let next = TagIndex::after(column.tags.len()).filter(|_| may_be_added);
        let Some(next) = next.filter(|_| self.reserve(1, budget)) else {
            return self.tags.get(&place).map_or(KeyLookup::Absent, |at| column.look(*at, key));
        };
        let entry = self.tags.entry(place).or_insert(next);
        let found = column.look(*entry, key);
        if found == KeyLookup::Absent {
            *entry = next;
            self.latest.last = next;
            return KeyLookup::Entered(place);
        }
        found
    }

    /// Takes a key out that was entered for a tag which was not added; `last` is the last tag of its list.
    #[cold]
    pub(super) fn withdraw(&mut self, place: Place, last: TagIndex) {
        // An entry that leads nowhere stays, so that the map has the memory that its capacity says.
        if let Some(entry) = self.tags.get_mut(&place) {
            *entry = TagIndex::NONE;
        }
        self.latest.last = last;
    }

    /// Enters the tags of a list that were added since the last time; false when the budget has no room for them.
    #[inline]
    fn enter(
        &mut self,
        list: ColumnList<TagIndex>,
        column: TagColumn<'_>,
        budget: &mut MemoryBudget,
    ) -> bool {
        let is_entered = self.latest.first == list.first && self.latest.last == list.last;
        is_entered || self.enter_new(list, column, budget)
    }

    #[cold]
    fn enter_new(
        &mut self,
        list: ColumnList<TagIndex>,
        column: TagColumn<'_>,
        budget: &mut MemoryBudget,
    ) -> bool {
        if self.latest.first != list.first && !self.change_list(list.first, budget) {
            return false;
        }
        let new = column.count_to(list.last) - column.count_to(self.latest.last);
        if !self.reserve(new, budget) {
            return false;
        }
        let mut at = column.get(self.latest.last).map_or(list.first, |last| last.next);
        while let Some(tag) = column.get(at) {
            let place = self.place_of(list.first, tag.key.read(column.text));
            // Of two keys with one hash the first stays; the second is found by walking.
            let entry = self.tags.entry(place).or_insert(at);
            if column.get(*entry).is_none() {
                *entry = at;
            }
            at = tag.next;
        }
        self.latest.last = list.last;
        debug_assert!(self.reserved() <= budget.used(), "the index is counted");
        true
    }

    /// Goes on with another list, and remembers how far this one is entered; false when the budget has no room for that.
    fn change_list(&mut self, first: TagIndex, budget: &mut MemoryBudget) -> bool {
        if self.latest.last != TagIndex::NONE {
            if !self.reserve(1, budget) {
                return false;
            }
            self.tags.insert(Place::mark_of(self.latest.first), self.latest.last);
        }
        let entered = self.tags.get(&Place::mark_of(first));
        self.latest = ColumnList { first, last: entered.copied().unwrap_or(TagIndex::NONE) };
        true
    }

    #[inline]
    fn reserve(&mut self, extra: usize, budget: &mut MemoryBudget) -> bool {
        self.tags.capacity() - self.tags.len() >= extra || self.grow(extra, budget)
    }

    #[cold]
    fn grow(&mut self, extra: usize, budget: &mut MemoryBudget) -> bool {
        let old = self.tags.capacity();
        // What the map makes of a request that its memory does not suffice for.
        let capacity = (self.tags.len() + extra).max(old + 1);
        if !budget.claim(bytes_of(capacity) - bytes_of(old)) {
            return false;
        }
        self.tags.reserve(extra);
        debug_assert_eq!(bytes_of(capacity), self.reserved(), "what was claimed is reserved");
        true
    }
}

impl TagColumn<'_> {
    /// What a tag that an entry leads to says of a key.
    #[inline]
    fn look(&self, at: TagIndex, key: &str) -> KeyLookup {
        match self.get(at) {
            None => KeyLookup::Absent,
            Some(tag) if tag.key.is(key, self.text) => KeyLookup::At(at),
            Some(_) => KeyLookup::Unknown,
        }
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
