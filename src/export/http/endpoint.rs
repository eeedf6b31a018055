//! Where requests go.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use http::Uri;
use http::uri::Scheme;

use super::error::HttpError;
use crate::kit::secret::shown_url;

/// A checked endpoint.
#[derive(Clone)]
pub(in crate::export) struct Endpoint {
    pub(in crate::export) uri: Uri,
    /// How messages name it: without its query, which may hold secrets.
    pub(in crate::export) shown: String,
    pub(in crate::export) is_https: bool,
    /// The socket of Unix that requests go to, in place of host and port.
    pub(super) socket: Option<PathBuf>,
}

/// Where requests go, and what messages say about it.
#[derive(Clone, Debug)]
pub(in crate::export) struct Peer {
    pub(in crate::export) endpoint: Endpoint,
    /// What is expected there: "a collector".
    pub(in crate::export) name: &'static str,
    /// What is spoken there: "OTLP".
    pub(in crate::export) language: &'static str,
    /// How the other protocol is chosen, HTTP or gRPC, where both can be.
    pub(in crate::export) other_cure: Option<&'static str>,
}

impl Endpoint {
    /// The endpoint as it is. Of a socket of Unix, whose URL names no other path, `path` is asked for.
    pub(in crate::export) fn exact(text: &str, path: &str) -> Result<Self, HttpError> {
        match text.trim().strip_prefix("unix:") {
            Some(socket) => Self::at_socket(text, socket, path),
            None => Self::read(text, |path| path.to_owned()),
        }
    }

    /// The endpoint at `path` below a URL.
    #[cfg(feature = "otlp")]
    pub(in crate::export) fn below(text: &str, path: &str) -> Result<Self, HttpError> {
        match text.trim().strip_prefix("unix:") {
            Some(socket) => Self::at_socket(text, socket, path),
            None => Self::read(text, |base| format!("{}{path}", base.trim_end_matches('/'))),
        }
    }

    /// The endpoint behind `unix:/path`, `unix:path` or `unix:///path`.
    fn at_socket(text: &str, socket: &str, path: &str) -> Result<Self, HttpError> {
        let socket = match socket.strip_prefix("//") {
            Some(rest) if !rest.starts_with('/') => "",
            Some(rest) => rest,
            None => socket,
        };
        let refused = |cure| HttpError::Endpoint { endpoint: shown_url(text), cure };
        if socket.is_empty() || socket.contains(['?', '#', '@']) {
            return Err(refused("write a path such as unix:/run/collector.sock"));
        }
        let uri = Uri::builder().scheme(Scheme::HTTP).authority("localhost").path_and_query(path);
        let uri = uri.build().map_err(|_| refused(NOT_A_URL))?;
        let shown = format!("unix:{socket}");
        Ok(Self { uri, shown, is_https: false, socket: Some(PathBuf::from(socket)) })
    }

    /// Whether requests leave the machine and can be read on the way.
    pub(super) fn is_plain_text_abroad(&self) -> bool {
        if self.is_https || self.socket.is_some() {
            return false;
        }
        let host = self.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) => !address.to_canonical().is_loopback(),
            Err(_) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                host != "localhost" && !host.ends_with(".localhost")
            }
        }
    }

    fn read(text: &str, path: impl FnOnce(&str) -> String) -> Result<Self, HttpError> {
        let refuse = |cure| HttpError::Endpoint { endpoint: shown_url(text), cure };
        let text = text.trim();
        // Looked for first: text with credentials in it is not repeated, however wrong the rest is.
        if let Some(host) = host_behind_credentials(text) {
            return Err(HttpError::Credentials { host });
        }
        let whole: Uri = text.parse().map_err(|_| refuse(NOT_A_URL))?;
        let (Some(scheme), Some(authority)) = (whole.scheme(), whole.authority()) else {
            return Err(refuse("begin it with http:// or https://"));
        };
        let is_https = *scheme == Scheme::HTTPS;
        if !is_https && *scheme != Scheme::HTTP {
            return Err(refuse("begin it with http:// or https://"));
        }
        if authority.host().is_empty() {
            return Err(refuse("name a host"));
        }
        let has_port = authority.host().len() < authority.as_str().len();
        if has_port && authority.port_u16().is_none() {
            return Err(refuse("use a port from 1 to 65535"));
        }
        let path = path(whole.path());
        let shown = format!("{scheme}://{authority}{}", path.trim_end_matches('/'));
        let path_and_query = match whole.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let uri = Uri::builder()
            .scheme(scheme.clone())
            .authority(authority.clone())
            .path_and_query(path_and_query)
            .build()
            .map_err(|_| refuse(NOT_A_URL))?;
        Ok(Self { uri, shown, is_https, socket: None })
    }
}

/// Whether an exporter can send to an endpoint, TLS aside.
pub(crate) fn is_endpoint(text: &str) -> bool {
    Endpoint::exact(text, "/").is_ok()
}

const NOT_A_URL: &str = "write a URL such as http://localhost:4318/v1/traces";

/// The host of an endpoint with a user's name or password before it.
fn host_behind_credentials(text: &str) -> Option<String> {
    let (before, _) = text.split_once(['?', '#']).unwrap_or((text, ""));
    let (_, behind) = before.rsplit_once('@')?;
    let host = behind.split('/').next().unwrap_or_default();
    Some(shown_url(host))
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "otlp")]
    fn a_base_gets_the_path() {
        let base = |text| Endpoint::below(text, "/v1/traces").unwrap().uri.to_string();
        assert_eq!(base("http://a:1"), "http://a:1/v1/traces");
        assert_eq!(base("http://a:1/x/?y=1"), "http://a:1/x/v1/traces?y=1");
    }

    #[test]
    fn an_exact_endpoint_stays_as_it_is() {
        let exact = |text| Endpoint::exact(text, "/").unwrap().uri.to_string();
        assert_eq!(exact("http://a:1/x?y=1"), "http://a:1/x?y=1");
        assert_eq!(exact(" http://a "), "http://a/");
        let https = Endpoint::exact("https://a:1", "/").unwrap();
        assert_eq!((https.uri.to_string(), https.is_https), ("https://a:1/".to_owned(), true));
        assert_eq!(
            Endpoint::exact("http://[::1]:4318/v1?key=secret", "/").unwrap().shown,
            "http://[::1]:4318/v1"
        );
    }

    #[test]
    fn a_socket_of_unix_is_a_path_and_is_asked_for_the_default_one() {
        for text in ["unix:/run/otel.sock", " unix:///run/otel.sock"] {
            let socket = Endpoint::exact(text, "/v1/traces").unwrap();
            assert_eq!(socket.uri.to_string(), "http://localhost/v1/traces");
            assert_eq!(socket.socket.as_deref(), Some("/run/otel.sock".as_ref()));
            assert_eq!((&*socket.shown, socket.is_https), ("unix:/run/otel.sock", false));
        }
        for text in ["unix:", "unix://", "unix://host/path", "unix:/run/x?key=1"] {
            let told = Endpoint::exact(text, "/").unwrap_err().to_string();
            assert!(told.contains("unix:/run"), "{told}");
        }
    }

    #[test]
    fn only_what_leaves_the_machine_in_plain_text_can_be_read_on_the_way() {
        let is_abroad = |text| Endpoint::exact(text, "/").unwrap().is_plain_text_abroad();
        for text in
            ["http://collector:4318", "http://10.0.0.1", "http://[fe80::1]:1", "http://localhosts"]
        {
            assert!(is_abroad(text), "{text}");
        }
        for text in [
            "https://collector:4318",
            "http://LOCALHOST",
            "http://a.localhost:1",
            "http://127.9.9.9",
            "http://[::1]:4318",
            "http://[::ffff:127.0.0.1]",
            "unix:/run/otel.sock",
        ] {
            assert!(!is_abroad(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_by_name_with_the_cure() {
        let refused = |text| Endpoint::exact(text, "/").unwrap_err().to_string();
        for text in ["localhost:4318", "collector", "ftp://a", "/v1/traces"] {
            let told = refused(text);
            assert!(told.contains(text) && told.contains("http://"), "{told}");
        }
        assert!(refused("http://a:99999999").contains("use a port"));
        assert!(refused("http://a:").contains("use a port"));
        for text in ["", "http://", "http://a b"] {
            assert!(refused(text).contains("http://"), "{}", refused(text));
        }
        let told = refused("http://user:secret@collector:4318");
        assert!(told.contains("collector:4318") && !told.contains("secret"), "{told}");
    }
}
