//! Setting tags of lists that are too long to be walked.

use super::{ColumnWriter, Key};
use crate::model::TagRef;
use crate::trace::store::index::{ColumnIndex, ColumnList, TagIndex};
use crate::trace::store::recorded_spans::DetailColumns;
use crate::trace::store::recorded_spans::key_index::{KeyLookup, TagColumn};

impl ColumnWriter<'_> {
    /// Sets a tag of a list that is too long to be walked each time.
    #[inline(never)]
    pub(super) fn set_tag_of_long<K: Key>(
        &mut self,
        list: &mut ColumnList<TagIndex>,
        key: K,
        value: TagRef<'_>,
        limit: u16,
    ) -> bool {
        let last = list.last;
        let count = self.details.tags.get(last.as_usize()).map_or(0, |last| last.position + 1);
        let may_be_added = count < u32::from(limit);
        match self.look_up(*list, key.as_str(), may_be_added) {
            KeyLookup::At(at) => self.replace(at, value),
            KeyLookup::Absent => may_be_added && self.push_tag(list, key, value, count),
            KeyLookup::Entered(place) => {
                let is_added = self.push_tag(list, key, value, count);
                if !is_added {
                    self.details.rare.get_or_insert_default().keys.withdraw(place, last);
                }
                is_added
            }
            KeyLookup::Unknown => match self.walk_to(list.first, key.as_str()) {
                Some(at) => self.replace(at, value),
                None => may_be_added && self.push_tag(list, key, value, count),
            },
        }
    }

    /// What the index knows of a key in a long list.
    fn look_up(&mut self, list: ColumnList<TagIndex>, key: &str, may_be_added: bool) -> KeyLookup {
        let DetailColumns { tags, text, rare, .. } = &mut *self.details;
        let column = TagColumn { tags, text };
        let keys = &mut rare.get_or_insert_default().keys;
        keys.find(list, key, may_be_added, column, self.budget)
    }
}
