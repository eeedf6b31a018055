//! Spans that are told of late.
//!
//! Up to line 0.31 there are releases of `tracing-opentelemetry` that start and end a span of the SDK when
//! the span of `tracing` closes: children before their parents. What is known of a parent until then are
//! its ids, in a context that records nothing. The trace must wait for it all the same.

#[cfg(before_0_32)]
use std::collections::{HashMap, VecDeque};
#[cfg(before_0_32)]
use std::hash::Hash;
#[cfg(before_0_32)]
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ids that were told of lately, and whether somebody else told of them first. Clones share them.
#[cfg(before_0_32)]
#[derive(Clone)]
pub(super) struct Early<K>(Arc<Mutex<Known<K>>>);

#[cfg(before_0_32)]
struct Known<K> {
    ids: HashMap<K, bool>,
    order: VecDeque<K>,
}

/// The oldest of more are forgotten.
#[cfg(before_0_32)]
const MOST: usize = 16_384;

#[cfg(before_0_32)]
impl<K: Copy + Eq + Hash> Early<K> {
    pub(super) const IS_NEEDED: bool = true;

    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Known { ids: HashMap::new(), order: VecDeque::new() })))
    }

    fn known(&self) -> MutexGuard<'_, Known<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody else tells of it; true when it was unknown until now.
    pub(super) fn mention(&self, id: K) -> bool {
        let mut known = self.known();
        let is_new = !known.ids.contains_key(&id);
        if is_new {
            known.insert(id, true);
        }
        is_new
    }

    /// It tells of itself; false when somebody else did so before.
    pub(super) fn arrive(&self, id: K) -> bool {
        let mut known = self.known();
        match known.ids.get_mut(&id) {
            Some(is_early) => !std::mem::take(is_early),
            None => {
                known.insert(id, false);
                true
            }
        }
    }

    pub(super) fn knows(&self, id: K) -> bool {
        self.known().ids.contains_key(&id)
    }
}

#[cfg(before_0_32)]
impl<K: Copy + Eq + Hash> Known<K> {
    fn insert(&mut self, id: K, is_early: bool) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        self.ids.insert(id, is_early);
        self.order.push_back(id);
    }
}

/// Newer lines tell of every span when it starts.
#[cfg(not(before_0_32))]
#[derive(Clone)]
pub(super) struct Early<K>(std::marker::PhantomData<fn() -> K>);

#[cfg(not(before_0_32))]
#[allow(clippy::unused_self, reason = "older lines have something to look into")]
impl<K> Early<K> {
    pub(super) const IS_NEEDED: bool = false;

    pub(super) fn new() -> Self {
        Self(std::marker::PhantomData)
    }

    pub(super) fn mention(&self, _: K) -> bool {
        false
    }

    pub(super) fn arrive(&self, _: K) -> bool {
        true
    }

    pub(super) fn knows(&self, _: K) -> bool {
        false
    }
}
