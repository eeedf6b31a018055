//! The open spans of one trace of another tracer.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::model::SpanId;

/// More spans than this are found by a map; few are found faster from the end of the list, for the span that
/// ends is usually among the last that started.
const FEW: usize = 64;

/// Spans that have started and not ended.
#[derive(Default)]
pub(in crate::record) struct OpenForeignSpans {
    list: Vec<Open>,
    /// Where they stand, from the moment at which there are more than a few until there are none.
    places: HashMap<SpanId, usize, RandomState>,
}

struct Open {
    id: SpanId,
    is_root: bool,
}

impl OpenForeignSpans {
    #[inline]
    pub(in crate::record) fn push(&mut self, id: SpanId, is_root: bool) {
        self.list.push(Open { id, is_root });
        if self.list.len() > FEW {
            self.note_last();
        }
    }

    #[cold]
    fn note_last(&mut self) {
        let noted = if self.places.is_empty() { 0 } else { self.list.len() - 1 };
        let fresh = self.list.iter().enumerate().skip(noted);
        self.places.extend(fresh.map(|(at, open)| (open.id, at)));
    }

    /// Takes a span out: whether it is a local root; `None` when it is not there.
    #[inline]
    pub(in crate::record) fn remove(&mut self, id: SpanId) -> Option<bool> {
        let at = if self.places.is_empty() {
            self.list.iter().rposition(|open| open.id == id)?
        } else {
            self.place_of(id)?
        };
        let Open { is_root, .. } = self.list.swap_remove(at);
        if !self.places.is_empty() {
            self.note_move(at);
        }
        Some(is_root)
    }

    #[cold]
    fn place_of(&mut self, id: SpanId) -> Option<usize> {
        // Of several spans with one id, which a broken generator makes, the map knows one.
        let noted = self.places.remove(&id);
        noted.or_else(|| self.list.iter().rposition(|open| open.id == id))
    }

    #[cold]
    fn note_move(&mut self, at: usize) {
        if let Some(moved) = self.list.get(at) {
            self.places.insert(moved.id, at);
        }
        if self.list.is_empty() {
            self.places.clear();
        }
    }

    #[inline]
    pub(in crate::record) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(in crate::record) fn clear(&mut self) {
        self.list.clear();
        self.places.clear();
    }

    /// Whether its memory is too small to be worth giving back.
    pub(in crate::record) fn is_small(&self) -> bool {
        self.list.capacity() <= FEW && self.places.capacity() == 0
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
                    spans.push(id, number % 3 == 0);
                    naive.push((id, number % 3 == 0));
                } else {
                    let expected = known.map(|at| naive.remove(at).1);
                    prop_assert_eq!(spans.remove(id), expected);
                }
                prop_assert_eq!(spans.is_empty(), naive.is_empty());
            }
        }

        #[test]
        fn every_span_of_one_id_can_end(others in 0_u64..100, twins in 1_usize..5) {
            let mut spans = OpenForeignSpans::default();
            let twin = SpanId::from_bits(1_000).unwrap();
            for number in 1..=others {
                spans.push(SpanId::from_bits(number).unwrap(), false);
            }
            for _ in 0..twins {
                spans.push(twin, true);
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
