//! `OTEL_EXPORTER_OTLP_*`: where traces go, and how. Pure.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "http-client")]
use super::builder_checks as checks;
use super::key_value_list::{self, Headers};
#[cfg(not(feature = "http-client"))]
use super::missing_checks as checks;
use super::proxies::Proxies;
use super::url::{Url, has_tls, unix_socket};
use super::variables::Variables;
use crate::export::OtlpProtocol;
use crate::kit::secret::Secret;

/// What `OTEL_EXPORTER_OTLP_*` says about traces.
///
/// Each setting has a variable for all signals and one with `TRACES_` in its name, which goes first.
/// [`Settings::pipeline`](super::Settings::pipeline) makes the exporter from it; look at it to check a
/// deployment, or to make one of your own.
///
/// ```
/// use tailtrace::config;
/// let vars = |name: &str| match name {
///     "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("https://collector.example:4318".to_owned()),
///     _ => None,
/// };
/// let settings = config::from_vars(&vars);
/// assert_eq!(settings.otlp().endpoint, "https://collector.example:4318/v1/traces");
/// ```
///
/// Specification: OpenTelemetry, "OpenTelemetry Protocol Exporter".
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtlpSettings {
    /// The protocol of the exporter. Default `http/protobuf`.
    pub protocol: OtlpProtocol,
    /// Where it sends to: for HTTP the whole URL, for gRPC scheme, host and port. Default
    /// `http://localhost:4318/v1/traces`, and `http://localhost:4317` for gRPC.
    pub endpoint: String,
    /// The headers of each request, names in lower case. Default nothing.
    pub headers: Vec<(String, String)>,
    /// How long one request may take; zero is no limit. Default 10 s.
    pub timeout: Duration,
    /// Whether requests are compressed with gzip. Default no.
    pub gzip: bool,
    /// The PEM file of the authorities that the server's certificate is checked with.
    pub certificate: Option<PathBuf>,
    /// The PEM files of the client's certificate and of its key, where the server asks for one.
    pub client_identity: Option<(PathBuf, PathBuf)>,
    /// Whether the endpoint has `https://` only because it was given without a scheme.
    pub(super) assumes_tls: bool,
    /// The variable that gives the endpoint, if one does.
    pub(super) endpoint_variable: Option<&'static str>,
    /// The proxy on the way to the endpoint.
    pub(super) proxy: Option<Secret<String>>,
}

impl fmt::Debug for OtlpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values of headers are often secrets, and a key may stand where its path belongs.
        let headers: Vec<_> =
            self.headers.iter().map(|(name, _)| Secret::header_name(&**name)).collect();
        let identity = self.client_identity.as_ref();
        let identity =
            identity.map(|(certificate, key)| (Secret::path(certificate), Secret::path(key)));
        f.debug_struct("OtlpSettings")
            .field("protocol", &self.protocol)
            .field("endpoint", &Secret::url(&*self.endpoint))
            .field("headers", &headers)
            .field("timeout", &self.timeout)
            .field("gzip", &self.gzip)
            .field("certificate", &self.certificate.as_ref().map(Secret::path))
            .field("client_identity", &identity)
            .field("proxy", &self.proxy)
            .finish()
    }
}

const PROTOCOLS: &[(&str, OtlpProtocol)] = &[
    ("http/protobuf", OtlpProtocol::HttpProtobuf),
    ("http/json", OtlpProtocol::HttpJson),
    ("grpc", OtlpProtocol::Grpc),
];

/// The names of a setting: for traces alone, and for all signals.
#[derive(Clone, Copy)]
struct Names(&'static str, &'static str);

impl Names {
    /// Reads both, so that both are checked, and takes the first that says something.
    fn read<T>(self, mut read: impl FnMut(&'static str) -> Option<T>) -> Option<T> {
        let own = read(self.0);
        let general = read(self.1);
        own.or(general)
    }
}

macro_rules! names {
    ($setting:literal) => {
        Names(
            concat!("OTEL_EXPORTER_OTLP_TRACES_", $setting),
            concat!("OTEL_EXPORTER_OTLP_", $setting),
        )
    };
}

impl OtlpSettings {
    pub(super) fn read(vars: &mut Variables<'_>, proxies: &Proxies) -> Self {
        let protocol = names!("PROTOCOL").read(|name| vars.choice(name, PROTOCOLS));
        let protocol = protocol.unwrap_or_default();
        let named = named_endpoint(vars, protocol);
        let endpoint_variable = named.as_ref().map(|named| named.variable);
        let assumes_tls = named.as_ref().is_some_and(|named| named.assumes_tls);
        let endpoint =
            named.map_or_else(|| protocol.default_endpoint().to_owned(), |named| named.endpoint);
        let refuses_tls = endpoint_variable.is_some() && !has_tls(&endpoint);
        Self {
            protocol,
            endpoint_variable,
            headers: names!("HEADERS").read(|name| headers(vars, name)).unwrap_or_default(),
            timeout: (names!("TIMEOUT").read(|name| vars.millis(name)))
                .unwrap_or(Duration::from_secs(10)),
            gzip: (names!("COMPRESSION").read(|name| vars.choice(name, COMPRESSIONS)))
                .unwrap_or(false),
            certificate: certificate(vars, refuses_tls),
            client_identity: client_identity(vars, refuses_tls),
            assumes_tls,
            proxy: proxies.for_endpoint(&endpoint, vars),
            endpoint,
        }
    }
}

const COMPRESSIONS: &[(&str, bool)] = &[("gzip", true), ("none", false)];

/// The endpoint that a variable gives.
struct NamedEndpoint {
    variable: &'static str,
    endpoint: String,
    /// Whether it has TLS only for want of a scheme.
    assumes_tls: bool,
}

fn named_endpoint(vars: &mut Variables<'_>, protocol: OtlpProtocol) -> Option<NamedEndpoint> {
    let insecure = names!("INSECURE").read(|name| vars.flag(name)).unwrap_or(false);
    let names = names!("ENDPOINT");
    if protocol == OtlpProtocol::Grpc {
        // It decides only where the endpoint does not say itself.
        let scheme = if insecure { "http://" } else { "https://" };
        let cure = "use a URL such as http://localhost:4317";
        let read = |text: &str| {
            let socket = unix_socket(text).map(|socket| (socket, false));
            let url = || {
                let url = Url::read(text)?;
                Some((url.origin(scheme), !insecure && !url.has_scheme()))
            };
            socket.or_else(url).filter(|(endpoint, _)| checks::accepts_endpoint(endpoint))
        };
        return names.read(|variable| {
            let (endpoint, assumes_tls) = vars.address(variable, cure, read)?;
            Some(NamedEndpoint { variable, endpoint, assumes_tls })
        });
    }
    let cure = "use a URL with http:// or https://, such as http://localhost:4318";
    let read = |text: &str, url: fn(&Url<'_>) -> String| {
        let url = || Url::read(text).filter(Url::has_scheme).as_ref().map(url);
        unix_socket(text).or_else(url).filter(|endpoint| checks::accepts_endpoint(endpoint))
    };
    let whole = |text: &str| read(text, |url| url.as_is());
    let base = |text: &str| read(text, |url| url.below("v1/traces"));
    names.read(|variable| {
        let read: &dyn Fn(&str) -> Option<String> =
            if variable == names.0 { &whole } else { &base };
        let endpoint = vars.address(variable, cure, read)?;
        Some(NamedEndpoint { variable, endpoint, assumes_tls: false })
    })
}

/// The headers of one variable. What is wrong is told by its place only: the rest may be a secret.
fn headers(vars: &mut Variables<'_>, variable: &str) -> Option<Vec<(String, String)>> {
    let text = vars.text(variable)?;
    match key_value_list::parse_headers(&text) {
        Ok(Headers { sendable, fault }) => {
            if let Some(fault) = fault {
                vars.warn(variable, &format!(" is read but for what cannot be sent: {fault}"));
            }
            Some(sendable)
        }
        Err(error) => {
            let cure = "use name=value,.. with what is not plain percent-encoded";
            vars.warn(variable, &format!(" is ignored: {error}; {cure}"));
            None
        }
    }
}

const NO_TLS: &str =
    " is ignored: the endpoint has no TLS; use https://, or leave the certificate out";

fn certificate(vars: &mut Variables<'_>, refuses_tls: bool) -> Option<PathBuf> {
    let (path, variable) =
        names!("CERTIFICATE").read(|name| vars.path(name).map(|path| (path, name)))?;
    if refuses_tls {
        vars.warn(variable, NO_TLS);
        return None;
    }
    Some(path)
}

fn client_identity(vars: &mut Variables<'_>, refuses_tls: bool) -> Option<(PathBuf, PathBuf)> {
    let mut file = |names: Names| names.read(|name| vars.path(name).map(|path| (path, name)));
    match (file(names!("CLIENT_CERTIFICATE")), file(names!("CLIENT_KEY"))) {
        (Some((certificate, _)), Some((key, _))) if !refuses_tls => Some((certificate, key)),
        (Some((_, variable)), Some(_)) => {
            vars.warn(variable, NO_TLS);
            None
        }
        (Some((_, variable)), None) => {
            let about = " is ignored: it needs its key; set OTEL_EXPORTER_OTLP_CLIENT_KEY too";
            vars.warn(variable, about);
            None
        }
        (None, Some((_, variable))) => {
            let cure = "set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE too";
            vars.warn(variable, &format!(" is ignored: it needs its certificate; {cure}"));
            None
        }
        (None, None) => None,
    }
}
