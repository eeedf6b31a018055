//! How to reach NATS.

use crate::coherence::address::Address;
#[cfg(feature = "tls")]
use crate::coherence::bus_tls::BusTls;
use crate::kit::secret::Secret;

/// What a connection needs to know.
#[derive(Clone, Debug)]
pub(super) struct NatsSettings {
    /// Servers of one cluster.
    pub(super) servers: Vec<Address>,
    pub(super) login: NatsLogin,
    #[cfg(feature = "tls")]
    pub(super) tls: BusTls,
}

/// Who the program is.
#[derive(Clone, Debug)]
pub(super) enum NatsLogin {
    /// What stands in the address, if anything.
    OfAddress,
    NKey(Secret<String>),
    Credentials(Secret<String>),
}
