//! The parts of a request's URL, without its secrets.

use std::fmt;

use http::request::Parts;
use http::uri::Scheme;
use http::{Version, header};

use super::redaction::Redaction;
use crate::kit::secret::REDACTED;

/// The server that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    credentials: Option<&'a str>,
    /// With the brackets of an IPv6 address.
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// The authority of the URL, or else of the `Host` header.
    pub(super) fn of(parts: &'a Parts) -> Option<Self> {
        let of_url = parts.uri.authority().map(http::uri::Authority::as_str);
        let host = || parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        Self::parse(of_url.or_else(host)?)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (credentials, host_and_port) = match text.trim().rsplit_once('@') {
            Some((credentials, rest)) => (Some(credentials), rest),
            None => (None, text.trim()),
        };
        // The colons inside the brackets of an IPv6 address separate no port.
        let host_end = host_and_port.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match host_and_port.get(host_end..)?.rfind(':') {
            Some(colon) => host_and_port.split_at_checked(host_end + colon)?,
            None => (host_and_port, ""),
        };
        let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
        (!host.is_empty()).then_some(Self { credentials, host, port })
    }

    /// The host's name or address, without brackets.
    pub(super) fn address(&self) -> &'a str {
        let inside = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inside.unwrap_or(self.host)
    }

    /// The port that the request names, or the default one of its scheme.
    pub(super) fn port(&self, scheme: Option<&Scheme>) -> Option<u16> {
        self.port.or_else(|| match scheme? {
            scheme if *scheme == Scheme::HTTP => Some(80),
            scheme if *scheme == Scheme::HTTPS => Some(443),
            _ => None,
        })
    }
}

/// The whole URL of a request, without credentials and secret values.
pub(super) struct FullUrl<'a> {
    pub(super) parts: &'a Parts,
    pub(super) authority: Option<Authority<'a>>,
    pub(super) redaction: &'a Redaction,
}

impl fmt::Display for FullUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = &self.parts.uri;
        if let Some(Authority { credentials, host, port }) = self.authority {
            if let Some(scheme) = uri.scheme_str() {
                write!(f, "{scheme}:")?;
            }
            f.write_str("//")?;
            match credentials.map(|credentials| credentials.contains(':')) {
                Some(true) => write!(f, "{REDACTED}:{REDACTED}@")?,
                Some(false) => write!(f, "{REDACTED}@")?,
                None => {}
            }
            f.write_str(host)?;
            port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
        }
        f.write_str(&self.redaction.path(uri.path()))?;
        let query = uri.query().and_then(|query| self.redaction.query(query));
        query.map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// A version of HTTP as `network.protocol.version` spells it.
pub(super) fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    fn parts(uri: &str, host: Option<&str>) -> Parts {
        let mut request = Request::get(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn host_and_port_come_from_the_url_or_else_from_the_host_header() {
        let found = |uri, host| {
            let parts = parts(uri, host);
            let authority = Authority::of(&parts)?;
            let port = authority.port(parts.uri.scheme());
            Some((authority.address().to_owned(), port))
        };
        let some = |address: &str, port| Some((address.to_owned(), port));
        assert_eq!(found("/", Some("shop.example:8080")), some("shop.example", Some(8080)));
        assert_eq!(found("/", Some(" shop.example ")), some("shop.example", None));
        assert_eq!(found("https://a.example/", Some("b")), some("a.example", Some(443)));
        assert_eq!(found("http://a.example:81/", None), some("a.example", Some(81)));
        assert_eq!(found("http://a.example/", None), some("a.example", Some(80)));
        assert_eq!(found("ftp://a.example/", None), some("a.example", None));
        assert_eq!(found("/", Some("[::1]:80")), some("::1", Some(80)));
        assert_eq!(found("/", Some("[::1]")), some("::1", None));
        assert_eq!(found("/", Some("u:p@h:1")), some("h", Some(1)));
        assert_eq!(found("/", Some("h:70000")), some("h", None));
        assert_eq!(found("/", Some("")), None);
        assert_eq!(found("/", Some(":80")), None);
        assert_eq!(found("/", None), None);
    }

    #[test]
    fn a_full_url_has_neither_credentials_nor_secret_values() {
        let full = |uri, host| {
            let parts = parts(uri, host);
            let redaction = &Redaction::new();
            FullUrl { parts: &parts, authority: Authority::of(&parts), redaction }.to_string()
        };
        assert_eq!(full("https://a.example/p?q=1", None), "https://a.example/p?q=1");
        assert_eq!(
            full("http://u:p@a:81/?sig=1", None),
            "http://REDACTED:REDACTED@a:81/?sig=REDACTED"
        );
        assert_eq!(full("http://token@[::1]:81/", None), "http://REDACTED@[::1]:81/");
        assert_eq!(full("/p", Some("a.example")), "//a.example/p");
        assert_eq!(full("/p", None), "/p");
    }

    proptest! {
        #[test]
        fn no_host_header_breaks_the_parser(host in "[a-c:@\\[\\].0-9 é]{0,12}") {
            if let Some(authority) = Authority::parse(&host) {
                prop_assert!(host.contains(authority.host) && !authority.host.is_empty());
                prop_assert!(host.contains(authority.address()));
            }
        }
    }
}
