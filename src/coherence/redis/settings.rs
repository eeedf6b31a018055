//! How to reach Redis.

use crate::coherence::address::Address;
#[cfg(feature = "tls")]
use crate::coherence::bus_tls::BusTls;

/// What a connection needs to know.
#[derive(Clone, Debug)]
pub(super) struct RedisSettings {
    pub(super) server: Address,
    #[cfg(feature = "tls")]
    pub(super) tls: BusTls,
}
