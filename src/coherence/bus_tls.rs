//! What a bus needs for TLS.

use rustls::ClientConfig;

use super::bus::BusError;
use crate::kit::secret::Secret;
use crate::kit::tls::{TlsError, client_config};
use crate::model::SettingError;

/// Whom a client of a bus trusts, and who it is.
#[derive(Clone, Debug, Default)]
pub(super) struct BusTls {
    ca: Option<Secret<Vec<u8>>>,
    identity: Option<ClientIdentity>,
}

/// Who a client is, in PEM.
#[derive(Clone, Debug)]
struct ClientIdentity {
    certificate: Secret<Vec<u8>>,
    key: Secret<Vec<u8>>,
}

impl BusTls {
    pub(super) fn with_ca(mut self, pem: Vec<u8>) -> Result<Self, SettingError> {
        self.ca = Some(Secret::hidden(pem));
        self.checked()
    }

    pub(super) fn with_identity(
        mut self,
        certificate: Vec<u8>,
        key: Vec<u8>,
    ) -> Result<Self, SettingError> {
        let certificate = Secret::hidden(certificate);
        self.identity = Some(ClientIdentity { certificate, key: Secret::hidden(key) });
        self.checked()
    }

    /// Refuses what is set for TLS beside an address without it: the program means to be defended, and would not be.
    ///
    /// # Errors
    /// When no address of a server has TLS.
    pub(super) fn check_address(has_tls: bool, scheme: &str) -> Result<(), SettingError> {
        if has_tls {
            return Ok(());
        }
        Err(SettingError::new(format_args!(
            "certificates are set and the bus has no TLS: use {scheme}://, or leave them out"
        )))
    }

    fn checked(self) -> Result<Self, SettingError> {
        match self.config_or_error() {
            Err(TlsError::Unusable { what, cause }) => {
                Err(SettingError::new(format_args!("{what} cannot be used: {cause}")))
            }
            // The authority may be named later.
            Err(TlsError::NoRoots) | Ok(_) => Ok(self),
        }
    }

    pub(super) fn config(&self) -> Result<ClientConfig, BusError> {
        self.config_or_error().map_err(|error| match error {
            TlsError::NoRoots => BusError::new(
                "TLS without an authority that is trusted: name a CA certificate, or enable the feature \
                 `tls-native-roots` or `tls-webpki-roots`",
            ),
            TlsError::Unusable { what, cause } => {
                BusError::new(format!("{what} cannot be used: {cause}"))
            }
        })
    }

    fn config_or_error(&self) -> Result<ClientConfig, TlsError> {
        let ca = self.ca.as_ref().map(|pem| pem.expose().as_slice());
        let identity = self.identity.as_ref();
        let pems =
            |own: &'_ ClientIdentity| (own.certificate.expose().clone(), own.key.expose().clone());
        let identity = identity.map(pems);
        client_config(ca, identity.as_ref().map(|(chain, key)| (&**chain, &**key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_certificate_is_refused_without_a_byte_of_it() {
        let refused = BusTls::default().with_ca(b"s3cret".to_vec()).unwrap_err().to_string();
        assert!(refused.contains("CA certificate") && !refused.contains("s3cret"), "{refused}");
        let trusting = BusTls { ca: None, identity: None };
        assert!(
            !format!("{:?}", trusting.with_identity(b"s3cret".to_vec(), b"s3cret".to_vec()))
                .contains("s3cret")
        );
    }
}
