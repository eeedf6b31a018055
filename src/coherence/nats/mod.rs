//! NATS as a bus: core publish and subscribe, at most once.

mod settings;
mod transport;

use std::borrow::Cow;

use async_trait::async_trait;

use super::address::Address;
use super::bus::{BusConnection, BusError, KeepBus};
#[cfg(feature = "tls")]
use super::bus_tls::BusTls;
use crate::kit::secret::Secret;
use crate::model::SettingError;
use settings::{NatsLogin, NatsSettings};

const PORT: u16 = 4222;

/// Coherence over a NATS server, or a cluster of them.
///
/// Uses core NATS, subject `tailtrace.GROUP`, and nothing that is stored: no `JetStream`. Publish and subscribe on this
/// subject are the permissions that a user needs. Messages are in the notices' own form; what the server is told of the
/// program is the name `tailtrace`.
///
/// The connection is made, and made again, by the pipeline's thread of coherence.
///
/// ```
/// use tailtrace::coherence::{Coherence, NatsBus};
///
/// let bus = NatsBus::new("nats://bus:4222")?; // Only parses.
/// let coherence = Coherence::new(bus).with_group("prod");
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NatsBus(NatsSettings);

impl NatsBus {
    /// The bus at `nats://host:4222`, or `tls://host:4222`; several servers of one cluster are separated by commas.
    ///
    /// User and password, or a token, may stand before the host: `nats://user:password@host`, `nats://token@host`, with
    /// `%` and two digits for each character that has a meaning in addresses. Nothing shows them. Connects to nothing.
    ///
    /// # Errors
    /// When it is no such address, or TLS needs the feature `tls`.
    pub fn new(servers: &str) -> Result<Self, SettingError> {
        let servers = servers
            .split(',')
            .map(|server| Address::read(server, &["nats", "tls"], PORT))
            .collect::<Result<Vec<Address>, _>>()?;
        transport::check_schemes(&servers)?;
        Ok(Self(NatsSettings {
            servers,
            login: NatsLogin::OfAddress,
            #[cfg(feature = "tls")]
            tls: BusTls::default(),
        }))
    }

    /// Proves who the program is by an nkey: the seed of a user, which begins with `SU`.
    #[must_use]
    pub fn with_nkey(mut self, seed: impl Into<String>) -> Self {
        self.0.login = NatsLogin::NKey(Secret::hidden(seed.into()));
        self
    }

    /// Proves who the program is by the text of a credentials file: a JWT and an nkey.
    ///
    /// # Errors
    /// When the text is none.
    pub fn with_credentials(mut self, text: impl Into<String>) -> Result<Self, SettingError> {
        let text = text.into();
        transport::check_credentials(&text)?;
        self.0.login = NatsLogin::Credentials(Secret::hidden(text));
        Ok(self)
    }

    /// Trusts servers that have a certificate of this authority, in the form of PEM, and no other servers.
    ///
    /// # Errors
    /// When it cannot be read, or the address has no TLS.
    #[cfg(feature = "tls")]
    pub fn with_ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Result<Self, SettingError> {
        BusTls::check_address(self.has_tls(), "tls")?;
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
        BusTls::check_address(self.has_tls(), "tls")?;
        self.0.tls = self.0.tls.with_identity(certificate_pem.into(), key_pem.into())?;
        Ok(self)
    }

    #[cfg(feature = "tls")]
    fn has_tls(&self) -> bool {
        self.0.servers.iter().any(|server| server.scheme == "tls")
    }
}

#[async_trait]
impl KeepBus for NatsBus {
    fn name(&self) -> Cow<'static, str> {
        let servers: Vec<String> = self.0.servers.iter().map(Address::shown).collect();
        servers.join(",").into()
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
        let bus = NatsBus::new("nats://shop:s3cret@a:1,nats://b").unwrap();
        assert_eq!(bus.name(), "nats://a:1,nats://b:4222");
        assert!(!format!("{:?}", bus.with_nkey("SUs3cret")).contains("s3cret"));
        let refused = NatsBus::new("nats://b").unwrap().with_credentials("s3cret").unwrap_err();
        assert!(!refused.to_string().contains("s3cret"), "{refused}");
    }

    #[test]
    fn tls_needs_its_feature() {
        assert_eq!(NatsBus::new("tls://bus").is_ok(), cfg!(feature = "tls"));
    }
}
