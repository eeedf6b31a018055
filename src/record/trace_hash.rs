//! The hash by which the traces of a recorder are spread over shards.

use crate::model::TraceId;

/// A hash of a trace id. Ids from elsewhere need not be random in any part, so all parts count.
#[derive(Clone, Copy, Debug)]
pub(super) struct TraceHash(u64);

impl TraceHash {
    #[inline]
    pub(super) fn new(id: TraceId) -> Self {
        let bits = id.to_bits();
        Self(((bits >> 64) as u64 ^ bits as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The index of one of `shards` of the foreign traces,
    #[inline]
    pub(super) fn foreign_shard(self, shards: usize) -> usize {
        (self.0 >> 32) as usize & (shards - 1)
    }
}
