//! Writing several tags at once.

use std::borrow::Cow;

use super::ColumnWriter;
use crate::trace::store::index::{ColumnIndex, ColumnList, TagIndex};
use crate::trace::store::recorded_spans::Value;
use crate::trace::store::recorded_spans::prepared_tags::{PreparedTags, static_key};

impl ColumnWriter<'_> {
    /// Sets several tags of a list; how many were dropped.
    #[inline]
    pub(in super::super) fn set_tags(
        &mut self,
        list: &mut ColumnList<TagIndex>,
        prepared: &PreparedTags,
        limit: u16,
    ) -> u32 {
        let fits = list.is_empty()
            && prepared.tags.len() <= usize::from(limit)
            && prepared.is_plain(self.limits);
        let mut dropped = 0;
        if !(fits && self.append(list, prepared)) {
            for tag in &prepared.tags {
                dropped += u32::from(!self.set_tag(
                    list,
                    Cow::Borrowed(static_key(tag)),
                    prepared.read(tag.value),
                    limit,
                ));
            }
        }
        for (key, value) in &prepared.rare {
            dropped += u32::from(!self.set_tag(list, key.clone(), value.as_ref(), limit));
        }
        dropped
    }

    /// Makes plain tags the whole of an empty list; false, and nothing changes, when they do not fit the budget.
    #[inline]
    fn append(&mut self, list: &mut ColumnList<TagIndex>, prepared: &PreparedTags) -> bool {
        let PreparedTags { tags, text, .. } = prepared;
        let arena = &mut self.details.text;
        let Ok(base) = u32::try_from(arena.len()) else { return false };
        let Some(first) = TagIndex::after(self.details.tags.len()) else { return false };
        if tags.is_empty()
            || !self.budget.reserve_text(arena, text.len())
            || !self.budget.reserve(&mut self.details.tags, tags.len(), 4)
        {
            return tags.is_empty();
        }
        arena.push_str(text);
        let column = &mut self.details.tags;
        column.extend_from_slice(tags);
        for tag in column.iter_mut().skip(first.as_usize()) {
            tag.next = TagIndex::new(tag.next.get() + first.get());
            if let Value::Text(range) = &mut tag.value {
                range.start += base;
            }
        }
        // The last one leads nowhere.
        if let Some(last) = column.last_mut() {
            last.next = TagIndex::NONE;
        }
        let last = TagIndex::new(first.get() + tags.len() as u32 - 1);
        *list = ColumnList { first, last };
        true
    }
}
