//! Where requests go.

use http::Uri;
use http::uri::{Authority, Scheme};

use super::{OtlpError, OtlpProtocol};
use crate::model::text::excerpt;

/// The path at which collectors take traces by HTTP.
const TRACES: &str = "/v1/traces";

/// A checked endpoint.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) uri: Uri,
    /// How messages name it: without its query, which may hold secrets.
    pub(super) shown: String,
    pub(super) is_https: bool,
}

impl Endpoint {
    /// The endpoint as it is.
    pub(super) fn exact(text: &str) -> Result<Self, OtlpError> {
        Self::read(text, |path| path.to_owned())
    }

    /// The endpoint of a collector, of which traces are one of its signals.
    pub(super) fn base(text: &str, protocol: OtlpProtocol) -> Result<Self, OtlpError> {
        Self::read(text, |path| match protocol {
            OtlpProtocol::Grpc => path.to_owned(),
            OtlpProtocol::HttpProtobuf | OtlpProtocol::HttpJson => {
                format!("{}{TRACES}", path.trim_end_matches('/'))
            }
        })
    }

    fn read(text: &str, path: impl FnOnce(&str) -> String) -> Result<Self, OtlpError> {
        let refuse = |cure| OtlpError::Endpoint { endpoint: excerpt(text), cure };
        let text = text.trim();
        let whole: Uri = text.parse().map_err(|_| refuse(NOT_A_URL))?;
        let (Some(scheme), Some(authority)) = (whole.scheme(), whole.authority()) else {
            return Err(refuse("begin it with http:// or https://"));
        };
        let is_https = *scheme == Scheme::HTTPS;
        if !is_https && *scheme != Scheme::HTTP {
            return Err(refuse("begin it with http:// or https://"));
        }
        if authority.as_str().contains('@') {
            return Err(OtlpError::Credentials { host: host_of(authority) });
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
        Ok(Self { uri, shown, is_https })
    }
}

const NOT_A_URL: &str = "write a URL such as http://localhost:4318/v1/traces";

fn host_of(authority: &Authority) -> String {
    let text = authority.as_str();
    excerpt(text.rsplit_once('@').map_or(text, |(_, host)| host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_endpoint_stays_as_it_is_and_a_base_gets_the_path() {
        let exact = |text| Endpoint::exact(text).unwrap().uri.to_string();
        let base = |text| Endpoint::base(text, OtlpProtocol::HttpJson).unwrap().uri.to_string();
        assert_eq!(exact("http://a:1/x?y=1"), "http://a:1/x?y=1");
        assert_eq!(exact(" http://a "), "http://a/");
        assert_eq!(base("http://a:1"), "http://a:1/v1/traces");
        assert_eq!(base("http://a:1/x/?y=1"), "http://a:1/x/v1/traces?y=1");
        let grpc = Endpoint::base("https://a:1", OtlpProtocol::Grpc).unwrap();
        assert_eq!((grpc.uri.to_string(), grpc.is_https), ("https://a:1/".to_owned(), true));
        assert_eq!(
            Endpoint::exact("http://[::1]:4318/v1?key=secret").unwrap().shown,
            "http://[::1]:4318/v1"
        );
    }

    #[test]
    fn what_is_no_endpoint_is_refused_by_name_with_the_cure() {
        let refused = |text| Endpoint::exact(text).unwrap_err().to_string();
        for text in ["localhost:4318", "collector", "ftp://a", "/v1/traces", "unix:/run/otel"] {
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
