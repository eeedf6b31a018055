//! The address of a message bus.

use crate::kit::secret::Secret;
use crate::model::SettingError;

/// A URL in its parts, `scheme://user:password@host:port/path`, of which only what is harmless is shown.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) scheme: String,
    pub(super) user: Option<Secret<String>>,
    pub(super) password: Option<Secret<String>>,
    pub(super) host: String,
    pub(super) port: u16,
    /// What follows the `/` behind the port.
    pub(super) path: String,
}

impl Address {
    /// Reads a URL of one of these schemes.
    ///
    /// # Errors
    /// When it is none. The error does not show a password.
    pub(super) fn read(
        text: &str,
        schemes: &[&str],
        default_port: u16,
    ) -> Result<Self, SettingError> {
        let refused = |why: &str| {
            let shown = Secret::url(text);
            let cure = format!("use {}://host:{default_port}", schemes.join(":// or "));
            SettingError::new(format_args!("the address {shown} has {why}: {cure}"))
        };
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(|| refused("no scheme"))?;
        let scheme = scheme.to_ascii_lowercase();
        if !schemes.contains(&scheme.as_str()) {
            return Err(refused("another scheme"));
        }
        // Behind `?` and `#` there are options of clients, which have methods here.
        if rest.contains(['?', '#']) {
            return Err(refused("options behind `?` or `#`, which are not read"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place).ok_or_else(|| refused("no host, or a broken port"))?;
        let (user, password) = match login {
            None => (None, None),
            Some(login) => match login.split_once(':') {
                Some((user, password)) => (Some(user), Some(password)),
                None => (Some(login), None),
            },
        };
        let decoded = |text: Option<&str>| match text.filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => match percent_decoded(text) {
                Some(text) => Ok(Some(Secret::hidden(text))),
                None => Err(refused("a user or a password with a broken `%`")),
            },
        };
        Ok(Self {
            user: decoded(user)?,
            password: decoded(password)?,
            host: host.to_owned(),
            port: port.unwrap_or(default_port),
            path: path.to_owned(),
            scheme,
        })
    }

    /// The address without user and password.
    pub(super) fn shown(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// A host, in brackets if it is an address of IPv6, and a port.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    let at = match place.rfind(']') {
        Some(end) => end + 1,
        None => place.find(':').unwrap_or(place.len()),
    };
    let (host, rest) = place.split_at_checked(at)?;
    let is_plain = host.bytes().all(|byte| byte.is_ascii_graphic()) && !host.is_empty();
    match rest.strip_prefix(':') {
        _ if !is_plain => None,
        None if rest.is_empty() => Some((host, None)),
        None => None,
        Some(port) => Some((host, Some(port.parse().ok()?))),
    }
}

/// The text with each `%` and two hexadecimal digits replaced by their byte.
fn percent_decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Address, SettingError> {
        Address::read(text, &["nats", "tls"], 4222)
    }

    #[test]
    fn an_address_is_read_in_its_parts() {
        let address = read("tls://us%40er:p%3ass:w@bus.example:1234/5").unwrap();
        let secret =
            |secret: &Option<Secret<String>>| secret.as_ref().map(|one| one.expose().clone());
        assert_eq!(secret(&address.user).as_deref(), Some("us@er"));
        assert_eq!(secret(&address.password).as_deref(), Some("p:ss:w"));
        assert_eq!((&*address.host, address.port, &*address.path), ("bus.example", 1234, "5"));
        assert_eq!(address.shown(), "tls://bus.example:1234");
        let plain = read("NATS://[::1]").unwrap();
        assert_eq!((&*plain.host, plain.port, plain.user.is_none()), ("[::1]", 4222, true));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for text in [
            "bus:4222",
            "http://u:s3cret@bus",
            "nats://u:s3cret@bus:port",
            "nats://u:s3cret@",
            "nats://u:s3cret%@bus",
            "nats://u:s3cret@bus?tls=off",
            "nats://u:s3cret@[::1]x",
            "nats://bus:99999",
            "",
        ] {
            let refused = read(text).unwrap_err().to_string();
            assert!(!refused.contains("s3cret") && refused.contains("nats://"), "{refused}");
        }
        assert!(!format!("{:?}", read("nats://u:s3cret@bus").unwrap()).contains("s3cret"));
    }
}
