//! Which headers an exporter can send: one rule for builders and for the environment.

/// Longer names no client of HTTP takes.
const LONGEST_NAME: usize = 32 * 1024;

/// What the client sets itself.
const RESERVED: [&str; 6] =
    ["connection", "content-encoding", "content-length", "content-type", "te", "transfer-encoding"];

/// Why a header cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Name,
    Value,
    /// The header belongs to the protocol.
    Reserved,
}

/// The name of a header as it is sent.
///
/// # Errors
/// When the header cannot be sent.
pub(crate) fn checked_name(name: &str, value: &str) -> Result<String, HeaderFault> {
    let name = name.trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_token) {
        return Err(HeaderFault::Name);
    }
    let name = name.to_ascii_lowercase();
    if RESERVED.contains(&&*name) || name.starts_with("grpc-") {
        return Err(HeaderFault::Reserved);
    }
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Ok(name)
    } else {
        Err(HeaderFault::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_token_with_printable_text_that_is_not_the_protocol_s_own() {
        assert_eq!(checked_name(" X-Api-Key ", "s ecret").as_deref(), Ok("x-api-key"));
        for name in ["", "two words", "a:", "é"] {
            assert_eq!(checked_name(name, ""), Err(HeaderFault::Name), "{name}");
        }
        for name in ["Content-Type", "te", "grpc-timeout", "CONNECTION"] {
            assert_eq!(checked_name(name, ""), Err(HeaderFault::Reserved), "{name}");
        }
        for value in ["\t", "a\r\nb", "é", "\u{7f}"] {
            assert_eq!(checked_name("a", value), Err(HeaderFault::Value), "{value:?}");
        }
    }
}
