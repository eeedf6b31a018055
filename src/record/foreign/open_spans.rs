//! The open spans of one trace of another tracer.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::place_index::PlaceIndex;
use crate::model::SpanId;

/// More spans than this are found by an index; few are found faster from the end of the list, for the span that
/// ends is usually among the last that started.
const FEW: usize = 64;

/// Spans that have started and not ended.
///
/// A trace of one span, of which there may be very many, holds no more than that.
#[derive(Default)]
pub(super) enum OpenForeignSpans {
    #[default]
    None,
    One {
        id: SpanId,
        is_root: bool,
    },
    Many(Box<OpenList>),
}

/// More open spans than one, or a list that had more.
#[derive(Default)]
pub(super) struct OpenList {
    ids: Vec<SpanId>,
    /// Those among them that are local roots.
    roots: Vec<SpanId>,
    /// Where they stand, from the moment at which there are more than a few until there are none.
    places: PlaceIndex,
    hasher: RandomState,
}

impl OpenForeignSpans {
    /// Adds a span, which may use the memory of a list that another trace is done with.
    #[inline(always)]
    pub(super) fn push(&mut self, id: SpanId, is_root: bool, spare: &mut Option<Box<OpenList>>) {
        if let Self::Many(list) = self {
            list.push(id, is_root);
        } else {
            self.push_to_few(id, is_root, spare);
        }
    }

    /// Adds a span to one or none.
    #[inline(never)]
    fn push_to_few(&mut self, id: SpanId, is_root: bool, spare: &mut Option<Box<OpenList>>) {
        if let Self::One { id: first, is_root: is_first_root } = *self {
            let mut list = spare.take().unwrap_or_default();
            list.push(first, is_first_root);
            list.push(id, is_root);
            *self = Self::Many(list);
        } else {
            *self = Self::One { id, is_root };
        }
    }

    /// Takes a span out: whether it is a local root; `None` when it is not there.
    #[inline(always)]
    pub(super) fn remove(&mut self, id: SpanId) -> Option<bool> {
        match self {
            Self::One { id: only, is_root } if *only == id => {
                let is_root = *is_root;
                *self = Self::None;
                Some(is_root)
            }
            Self::Many(list) => list.remove(id),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::One { .. } => false,
            Self::Many(list) => list.ids.is_empty(),
        }
    }

    /// Whether a local root is among them.
    #[inline]
    pub(super) fn has_root(&self) -> bool {
        match self {
            Self::None => false,
            Self::One { is_root, .. } => *is_root,
            Self::Many(list) => !list.roots.is_empty(),
        }
    }

    /// Removes all spans; the memory of their list, unless it is worth giving back.
    #[inline]
    pub(super) fn clear(&mut self) -> Option<Box<OpenList>> {
        let Self::Many(mut list) = std::mem::take(self) else { return None };
        if list.ids.capacity() > FEW || list.places.has_memory() {
            return None;
        }
        list.ids.clear();
        list.roots.clear();
        Some(list)
    }
}

impl OpenList {
    #[inline]
    fn push(&mut self, id: SpanId, is_root: bool) {
        self.ids.push(id);
        if is_root {
            self.roots.push(id);
        }
        if self.ids.len() > FEW || !self.places.is_empty() {
            self.note_last();
        }
    }

    #[inline(always)]
    fn remove(&mut self, id: SpanId) -> Option<bool> {
        // Nearly always the last that started, and below the root.
        if self.places.is_empty() && self.ids.last() == Some(&id) && !self.roots.contains(&id) {
            self.ids.pop();
            return Some(false);
        }
        self.find_and_remove(id)
    }

    #[inline(never)]
    fn find_and_remove(&mut self, id: SpanId) -> Option<bool> {
        let at = if self.places.is_empty() {
            self.ids.iter().rposition(|open| *open == id)?
        } else {
            self.place_of(id)?
        };
        self.ids.swap_remove(at);
        if !self.places.is_empty() {
            self.note_move(at);
        }
        let root = self.roots.iter().position(|root| *root == id);
        root.map(|root| self.roots.swap_remove(root));
        Some(root.is_some())
    }

    #[cold]
    fn note_last(&mut self) {
        let noted = if self.places.is_empty() { 0 } else { self.ids.len() - 1 };
        for (place, id) in self.ids.iter().enumerate().skip(noted) {
            self.places.insert(self.hasher.hash_one(id), place);
        }
    }

    #[cold]
    fn place_of(&mut self, id: SpanId) -> Option<usize> {
        let hash = self.hasher.hash_one(id);
        let place = self.places.find(hash, |place| self.ids.get(place) == Some(&id))?;
        self.places.remove(hash, place);
        Some(place)
    }

    /// Notes that the span which was the last took the place of one that was removed.
    #[cold]
    fn note_move(&mut self, to: usize) {
        if let Some(moved) = self.ids.get(to) {
            self.places.moved(self.hasher.hash_one(moved), self.ids.len(), to);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_knows_what_a_list_knows(steps in prop::collection::vec((any::<bool>(), 1_u64..300), 0..600)) {
            let mut spans = OpenForeignSpans::default();
            let mut naive = Vec::<(SpanId, bool)>::new();
            for (starts, number) in steps {
                let id = SpanId::from_bits(number).unwrap();
                let known = naive.iter().position(|(known, _)| *known == id);
                if starts && known.is_none() {
                    spans.push(id, number % 3 == 0, &mut None);
                    naive.push((id, number % 3 == 0));
                } else {
                    let expected = known.map(|at| naive.remove(at).1);
                    prop_assert_eq!(spans.remove(id), expected);
                }
                prop_assert_eq!(spans.is_empty(), naive.is_empty());
                prop_assert_eq!(spans.has_root(), naive.iter().any(|(_, is_root)| *is_root));
            }
        }

        #[test]
        fn every_span_of_one_id_can_end(others in 0_u64..100, twins in 1_usize..5) {
            let mut spans = OpenForeignSpans::default();
            let twin = SpanId::from_bits(1_000).unwrap();
            for number in 1..=others {
                spans.push(SpanId::from_bits(number).unwrap(), false, &mut None);
            }
            for _ in 0..twins {
                spans.push(twin, true, &mut None);
            }
            for _ in 0..twins {
                prop_assert_eq!(spans.remove(twin), Some(true));
            }
            prop_assert_eq!(spans.remove(twin), None);
            for number in 1..=others {
                prop_assert_eq!(spans.remove(SpanId::from_bits(number).unwrap()), Some(false));
            }
            prop_assert!(spans.is_empty());
        }
    }
}
