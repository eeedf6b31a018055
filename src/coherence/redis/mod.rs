//! Redis as a bus: publish and subscribe by RESP3, on one connection.

mod settings;
mod transport;

use std::borrow::Cow;

use async_trait::async_trait;

use super::address::Address;
use super::bus::{BusConnection, BusError, KeepBus};
#[cfg(feature = "tls")]
use super::bus_tls::BusTls;
use crate::model::SettingError;
use settings::RedisSettings;

const PORT: u16 = 6379;

/// Coherence over the publish and subscribe of a Redis server, 6.0 or newer.
///
/// Uses the channel `tailtrace.GROUP` and stores nothing. A user of the server's access lists needs
/// `+subscribe +publish +ping +hello &tailtrace.GROUP`. In a Redis Cluster each message goes to all nodes;
/// one small server beside it is cheaper.
///
/// The connection is made, and made again, by the pipeline's thread of coherence.
///
/// ```
/// use tailtrace::coherence::{Coherence, RedisBus};
///
/// let bus = RedisBus::new("redis://bus:6379")?; // Only parses.
/// let coherence = Coherence::new(bus).with_group("prod");
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RedisBus(RedisSettings);

impl RedisBus {
    /// The bus at `redis://host:6379`, or `rediss://host:6379` with TLS.
    ///
    /// User and password may stand before the host: `redis://user:password@host`, or `redis://:password@host`, with `%`
    /// and two digits for each character that has a meaning in addresses. Nothing shows them. Connects to nothing.
    ///
    /// # Errors
    /// When it is no such address, or TLS needs the feature `tls`.
    pub fn new(server: &str) -> Result<Self, SettingError> {
        let server = Address::read(server, &["redis", "rediss"], PORT)?;
        transport::check_scheme(&server)?;
        Ok(Self(RedisSettings {
            server,
            #[cfg(feature = "tls")]
            tls: BusTls::default(),
        }))
    }

    /// Trusts servers that have a certificate of this authority, in the form of PEM, and no other servers.
    ///
    /// # Errors
    /// When it cannot be read, or the address has no TLS.
    #[cfg(feature = "tls")]
    pub fn with_ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Result<Self, SettingError> {
        BusTls::check_address(self.has_tls(), "rediss")?;
        self.0.tls = self.0.tls.with_ca(pem.into())?;
        Ok(self)
    }

    /// Shows this certificate, with those that lead to its authority, to servers that ask for one, and proves it by its
    /// key; both in the form of PEM.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together, or the address has no TLS.
    #[cfg(feature = "tls")]
    pub fn with_client_identity(
        mut self,
        certificate_pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Result<Self, SettingError> {
        BusTls::check_address(self.has_tls(), "rediss")?;
        self.0.tls = self.0.tls.with_identity(certificate_pem.into(), key_pem.into())?;
        Ok(self)
    }

    #[cfg(feature = "tls")]
    fn has_tls(&self) -> bool {
        self.0.server.scheme == "rediss"
    }
}

#[async_trait]
impl KeepBus for RedisBus {
    fn name(&self) -> Cow<'static, str> {
        self.0.server.shown().into()
    }

    async fn connect(&self, group: &str) -> Result<BusConnection, BusError> {
        transport::connect(&self.0, group).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_is_named_without_its_password() {
        let bus = RedisBus::new("redis://shop:s3cret@a").unwrap();
        assert_eq!(bus.name(), "redis://a:6379");
        assert!(!format!("{bus:?}").contains("s3cret"));
    }

    #[test]
    fn tls_needs_its_feature() {
        assert_eq!(RedisBus::new("rediss://bus").is_ok(), cfg!(feature = "tls"));
    }
}
