//! What is wrong with a certificate or a key, without a byte of it.
//!
//! The errors of the libraries repeat what they could not read, and that may be the key.

use rustls::Error;
use rustls::pki_types::pem;

/// Why there is no `item` in a text that should be PEM.
pub(super) fn of_pem(error: &pem::Error, item: &str) -> String {
    match error {
        pem::Error::NoItemsFound => {
            format!("there is no {item} in it; give it in the form of PEM")
        }
        pem::Error::IllegalSectionStart { .. } => format!(
            "the line that begins the {item} is broken; keep the line breaks of the PEM text, which \
             are often lost in variables of the environment"
        ),
        pem::Error::MissingSectionEnd { .. } => {
            format!(
                "the line that ends the {item} is missing; give the whole PEM text with its line breaks"
            )
        }
        pem::Error::Base64Decode(_) => {
            format!(
                "the {item} is damaged between its first line and its last; copy the PEM text again"
            )
        }
        pem::Error::SectionTooLarge => format!("the {item} is too large; give one {item} in PEM"),
        _ => format!("the {item} cannot be read; give it in the form of PEM"),
    }
}

/// Why the certificates and keys do not serve TLS.
pub(super) fn of_tls(error: &Error) -> String {
    let cause = match error {
        Error::InvalidCertificate(_) => {
            "a certificate is malformed or of a kind that is not supported"
        }
        Error::NoCertificatesPresented => {
            "there is no certificate; give the chain that belongs to the key"
        }
        Error::InconsistentKeys(_) => "the key does not belong to the certificate; give the pair",
        _ => "the key or a certificate is malformed or of a kind that is not supported",
    };
    cause.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_of_what_could_not_be_read_is_told() {
        let secret = || b"S3CRET".to_vec();
        for error in [
            pem::Error::IllegalSectionStart { line: secret() },
            pem::Error::MissingSectionEnd { end_marker: secret() },
            pem::Error::Base64Decode("S3CRET".to_owned()),
        ] {
            let told = of_pem(&error, "private key");
            assert!(
                told.contains("private key") && !told.contains("S3CRET") && !told.contains("83"),
                "{told}"
            );
        }
        assert!(!of_tls(&Error::General("S3CRET".to_owned())).contains("S3CRET"));
    }
}
