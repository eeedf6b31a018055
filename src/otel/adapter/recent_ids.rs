//! Ids that were announced a short while ago.
//!
//! Up to line 0.31 there are releases of `tracing-opentelemetry` that start and end a span of the SDK when
//! the span of `tracing` closes: children before their parents. What is known of a parent until then are
//! its ids, in a context that records nothing. The trace must wait for the parent all the same, so its
//! first child announces it.

#[cfg(before_0_32)]
use std::collections::{HashMap, VecDeque};
#[cfg(before_0_32)]
use std::hash::Hash;
#[cfg(before_0_32)]
use std::ops::DerefMut;
#[cfg(before_0_32)]
use std::sync::Arc;

#[cfg(before_0_32)]
use crate::record::bridge::ContextLock;

/// Remembers ids and who announced each: what they name, or something that refers to it. Clones share
/// the ids.
#[cfg(before_0_32)]
#[derive(Clone)]
pub(super) struct RecentIds<K>(Arc<ContextLock<IdQueue<K>>>);

/// The ids in the order in which they were announced.
#[cfg(before_0_32)]
struct IdQueue<K> {
    /// Whether an id is expected: announced by another, and not by itself yet.
    expected: HashMap<K, bool>,
    order: VecDeque<K>,
}

#[cfg(before_0_32)]
impl<K> Default for IdQueue<K> {
    fn default() -> Self {
        Self { expected: HashMap::new(), order: VecDeque::new() }
    }
}

/// With more ids than this, the oldest is forgotten.
#[cfg(before_0_32)]
const MAX_IDS: usize = 16_384;

#[cfg(before_0_32)]
impl<K: Copy + Eq + Hash> RecentIds<K> {
    /// Whether children may start before their parents on this line.
    pub(super) const IS_NEEDED: bool = true;

    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    fn lock(&self) -> impl DerefMut<Target = IdQueue<K>> {
        self.0.lock()
    }

    /// Announces an id that will announce itself later; true when it was unknown until now.
    pub(super) fn announce_ahead(&self, id: K) -> bool {
        let mut queue = self.lock();
        let is_new = !queue.expected.contains_key(&id);
        if is_new {
            queue.push(id, true);
        }
        is_new
    }

    /// Announces an id for itself; false when it was announced ahead, which holds once.
    pub(super) fn announce(&self, id: K) -> bool {
        let mut queue = self.lock();
        match queue.expected.get_mut(&id) {
            Some(is_expected) => !std::mem::take(is_expected),
            None => {
                queue.push(id, false);
                true
            }
        }
    }

    /// Whether an id was announced in either way.
    pub(super) fn contains(&self, id: K) -> bool {
        self.lock().expected.contains_key(&id)
    }
}

#[cfg(before_0_32)]
impl<K: Copy + Eq + Hash> IdQueue<K> {
    fn push(&mut self, id: K, is_expected: bool) {
        if self.order.len() >= MAX_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.expected.remove(&oldest);
        }
        self.expected.insert(id, is_expected);
        self.order.push_back(id);
        debug_assert_eq!(
            self.expected.len(),
            self.order.len(),
            "an id stands in both or in neither"
        );
    }
}

/// Newer lines announce every span when it starts, so that there is nothing to remember.
#[cfg(not(before_0_32))]
#[derive(Clone)]
pub(super) struct RecentIds<K>(std::marker::PhantomData<fn() -> K>);

#[cfg(not(before_0_32))]
#[allow(clippy::unused_self, reason = "older lines look into what they remember")]
impl<K> RecentIds<K> {
    /// Whether children may start before their parents on this line.
    pub(super) const IS_NEEDED: bool = false;

    pub(super) fn new() -> Self {
        Self(std::marker::PhantomData)
    }

    pub(super) fn announce_ahead(&self, _: K) -> bool {
        false
    }

    pub(super) fn announce(&self, _: K) -> bool {
        true
    }

    pub(super) fn contains(&self, _: K) -> bool {
        false
    }
}
