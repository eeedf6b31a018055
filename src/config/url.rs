//! The addresses of collectors.

/// A URL in its parts.
#[derive(Debug, PartialEq)]
pub(super) struct Url<'a> {
    /// `http://` or `https://` as written; empty when there is no scheme.
    scheme: &'a str,
    /// Host and port.
    authority: &'a str,
    /// From the first `/` on.
    path: &'a str,
    /// From the `?` on.
    query: &'a str,
}

impl<'a> Url<'a> {
    /// Reads a URL of HTTP, with or without the scheme; `None` when it is another scheme's, or could
    /// not be sent to.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = match text.find("://") {
            None => text.split_at(0),
            Some(at) => text.split_at_checked(at + 3)?,
        };
        let is = |known: &str| scheme.eq_ignore_ascii_case(known);
        if !(scheme.is_empty() || is("http://") || is("https://")) {
            return None;
        }
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (before, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let (authority, path) = before.split_at(before.find('/').unwrap_or(before.len()));
        is_authority(authority).then_some(Self { scheme, authority, path, query })
    }

    pub(super) fn has_scheme(&self) -> bool {
        !self.scheme.is_empty()
    }

    /// The whole of it, with a `/` where it has no path.
    pub(super) fn as_is(&self) -> String {
        let Self { scheme, authority, path, query } = self;
        let path = if path.is_empty() { "/" } else { path };
        format!("{scheme}{authority}{path}{query}")
    }

    /// The URL of something below it.
    pub(super) fn below(&self, name: &str) -> String {
        let Self { scheme, authority, path, query } = self;
        format!("{scheme}{authority}{}/{name}{query}", path.trim_end_matches('/'))
    }

    /// Scheme, host and port alone, with a scheme for where there is none.
    pub(super) fn origin(&self, scheme: &str) -> String {
        let scheme = if self.has_scheme() { self.scheme } else { scheme };
        format!("{scheme}{}", self.authority)
    }
}

/// Whether the text is a host with or without a port.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or("none"))),
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    // Credentials in a URL would show in messages; they belong into headers.
    !host.is_empty() && !text.contains('@') && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// An address that names a socket of Unix, as it is.
pub(super) fn unix_socket(text: &str) -> Option<String> {
    text.starts_with("unix:").then(|| text.to_owned())
}

/// Whether requests to this URL go over TLS.
pub(super) fn has_tls(endpoint: &str) -> bool {
    endpoint.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_is(text: &str) -> Option<String> {
        Url::read(text).map(|url| url.as_is())
    }

    #[test]
    fn a_url_without_a_path_gets_the_root() {
        assert_eq!(as_is("http://host:4318").as_deref(), Some("http://host:4318/"));
        assert_eq!(as_is("https://host/a/b?c=d").as_deref(), Some("https://host/a/b?c=d"));
        assert_eq!(as_is("http://host?key=1#part").as_deref(), Some("http://host/?key=1"));
    }

    #[test]
    fn a_name_is_appended_below_the_path() {
        let below = |text| Url::read(text).unwrap().below("v1/traces");
        assert_eq!(below("http://host:4318"), "http://host:4318/v1/traces");
        assert_eq!(below("http://host/"), "http://host/v1/traces");
        assert_eq!(below("http://host/collector/"), "http://host/collector/v1/traces");
        assert_eq!(below("HTTPS://host/a?key=1"), "HTTPS://host/a/v1/traces?key=1");
    }

    #[test]
    fn what_could_not_be_sent_to_is_refused() {
        for text in [
            "",
            "http://",
            "http:///path",
            "ftp://host",
            "://host",
            "http://ho st",
            "http://host:x",
            "http://host:65536",
            "http://:80",
            "http://[::1",
            "http://[::1]x",
            "unix:///a",
            "http://é",
        ] {
            assert_eq!(as_is(text), None, "{text}");
        }
        for text in ["http://[::1]:4318", "http://[::1]", "host:1", "http://1.2.3.4:1/"] {
            assert!(as_is(text).is_some(), "{text}");
        }
    }

    #[test]
    fn the_origin_has_a_scheme_always() {
        let origin = |text| Url::read(text).unwrap().origin("https://");
        assert_eq!(origin("host:4317"), "https://host:4317");
        assert_eq!(origin("http://host:4317/path"), "http://host:4317");
    }
}
