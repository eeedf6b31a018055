//! The open spans of a layer, by the ids of the registry.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;

use super::open::OpenSpan;
use crate::kit::guarded::lock;

const SHARDS: usize = 64;

/// The open spans of one layer.
///
/// It stands beside the registry's extensions: looking a span up costs a third, inserting one does not
/// allocate, and no lock of the registry is ever held while we work. Our locks guard plain data: no
/// user code runs under them.
#[derive(Debug)]
pub(super) struct Table(Box<[Shard; SHARDS]>);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(Mutex<HashMap<u64, OpenSpan, BuildHasherDefault<Mixed>>>);

impl Default for Table {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| Shard::default())))
    }
}

impl Table {
    #[inline]
    fn shard(&self, id: u64) -> &Shard {
        // The hash uses the upper bits for itself.
        &self.0[(mix(id) >> 24) as usize % SHARDS]
    }

    /// Puts a span in; what an id that was not given back stood for.
    #[inline]
    pub(super) fn insert(&self, id: u64, span: OpenSpan) -> Option<OpenSpan> {
        lock(&self.shard(id).0).insert(id, span)
    }

    #[inline]
    pub(super) fn remove(&self, id: u64) -> Option<OpenSpan> {
        lock(&self.shard(id).0).remove(&id)
    }

    /// Works on a span; `None` when it is not there. What `work` does must not be user code.
    #[inline]
    pub(super) fn with<R>(&self, id: u64, work: impl FnOnce(&mut OpenSpan) -> R) -> Option<R> {
        lock(&self.shard(id).0).get_mut(&id).map(work)
    }

    /// Takes out all there is.
    pub(super) fn drain(&self) -> Vec<OpenSpan> {
        let all = self.0.iter().flat_map(|shard| std::mem::take(&mut *lock(&shard.0)));
        all.map(|(_, span)| span).collect()
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.with(id, |_| ()).is_some()
    }
}

/// Ids of a registry are made of small numbers in different bits.
#[inline]
fn mix(id: u64) -> u64 {
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

#[derive(Debug, Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    #[inline]
    fn write_u64(&mut self, id: u64) {
        self.0 = mix(id);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mix(self.0 ^ u64::from(*byte));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
