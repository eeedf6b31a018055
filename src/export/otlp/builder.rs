//! What can be set about the exporter.

use arc_swap::ArcSwapOption;

use http::Uri;

use super::fields::ForeignMembers;
use super::grpc::GrpcClient;
use super::transport::Transport;
use super::{MOST_REQUESTED, OtlpExporter};
use crate::export::OtlpProtocol;
use crate::export::http::{
    Client, Content, Endpoint, GRPC_PORT, HttpError, Options, Peer, http_options,
};
use crate::kit::fork::ForkLock;
use crate::kit::secret::Secret;

/// The user agent of requests: the distribution in front of the exporter (specification, "OTLP
/// exporter": user agent).
const USER_AGENT: &str = concat!(
    "tailtrace/",
    env!("CARGO_PKG_VERSION"),
    " OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION")
);

/// The path at which collectors take traces by HTTP.
const TRACES: &str = "/v1/traces";

/// What is expected at the endpoint unless an exporter knows better.
const COLLECTOR: &str = "a collector";

/// How an operator and a program choose gRPC.
const GRPC_CURE: &str =
    "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or `with_protocol(OtlpProtocol::Grpc)` in the program";

/// How they choose HTTP.
const HTTP_CURE: &str = "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or in the program \
                         `with_protocol(OtlpProtocol::HttpProtobuf)` and a URL that ends in /v1/traces";

/// Makes an [`OtlpExporter`].
///
/// A setting has the name of its `OTEL_EXPORTER_OTLP_*` variable; the chapter
/// [configuration](crate::manual::configuration) has a table of those.
///
/// ```
/// use tailtrace::OtlpExporter;
/// use tailtrace::export::OtlpProtocol;
///
/// let builder = OtlpExporter::builder().with_base_endpoint("http://collector:4318");
/// assert_eq!(builder.build()?.endpoint(), "http://collector:4318/v1/traces");
/// let grpc = OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc);
/// let refused = grpc.with_endpoint("collector:4317").build();
/// assert!(refused.is_err_and(|error| error.to_string().contains("begin it with http://")));
/// # Ok::<(), tailtrace::export::HttpError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct OtlpExporterBuilder {
    protocol: OtlpProtocol,
    endpoint: EndpointSetting,
    pub(in crate::export) options: Options,
    peer: &'static str,
    foreign: ForeignMembers,
}

#[derive(Clone, Debug)]
enum EndpointSetting {
    Default,
    Exact(Secret<String>),
    Base(Secret<String>),
}

impl OtlpExporter {
    /// Makes an exporter with the defaults, to this URL.
    ///
    /// It speaks gRPC where the port is 4317, and HTTP with protobuf elsewhere, to the path `/v1/traces`
    /// where the URL has none.
    ///
    /// ```
    /// use tailtrace::OtlpExporter;
    /// let exporter = OtlpExporter::new("http://collector:4318")?;
    /// assert_eq!(exporter.endpoint(), "http://collector:4318/v1/traces");
    /// # Ok::<(), tailtrace::export::HttpError>(())
    /// ```
    ///
    /// # Errors
    /// When it is no URL that requests can be sent to, or when `https://` needs a feature that is off.
    pub fn new(endpoint: impl AsRef<str>) -> Result<Self, HttpError> {
        let endpoint = endpoint.as_ref().trim();
        let url: Uri = endpoint.parse().unwrap_or_default();
        let has_path = !matches!(url.path(), "" | "/");
        let builder = Self::builder();
        match url.port_u16() {
            Some(GRPC_PORT) => builder.with_protocol(OtlpProtocol::Grpc).with_endpoint(endpoint),
            _ if has_path => builder.with_endpoint(endpoint),
            _ => builder.with_base_endpoint(endpoint),
        }
        .build()
    }

    /// Prepares an exporter that speaks HTTP with protobuf to `http://localhost:4318/v1/traces` unless
    /// told otherwise.
    pub fn builder() -> OtlpExporterBuilder {
        OtlpExporterBuilder {
            protocol: OtlpProtocol::default(),
            endpoint: EndpointSetting::Default,
            options: Options::default(),
            peer: COLLECTOR,
            foreign: ForeignMembers::OnRoot,
        }
    }
}

impl OtlpExporterBuilder {
    /// Sets how the exporter speaks. Default HTTP with protobuf.
    pub fn with_protocol(mut self, protocol: OtlpProtocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets the URL that requests are sent to, as it is: by HTTP with its path, which is `/v1/traces` at
    /// most collectors. By gRPC a path comes before that of the method.
    ///
    /// `unix:/path` is a socket of Unix; by HTTP it is asked for `/v1/traces`.
    ///
    /// Default `http://localhost:4318/v1/traces`, and `http://localhost:4317` by gRPC.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = EndpointSetting::Exact(Secret::url(url));
        self
    }

    /// Sets the URL of a collector, to which HTTP adds `/v1/traces`.
    pub fn with_base_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = EndpointSetting::Base(Secret::url(url));
        self
    }

    /// Sets whether the members of other systems in the trace state leave with the local root alone, which is the
    /// span that the caller's header came to. Default on.
    ///
    /// OTLP has the trace state on every span: the 8 kB that a caller may send become 800 kB for a trace of 100
    /// spans. The member `ot`, with the threshold of sampling, stands on every span either way.
    pub fn with_foreign_trace_state_on_root_only(mut self, only_root: bool) -> Self {
        self.foreign = if only_root { ForeignMembers::OnRoot } else { ForeignMembers::OnAll };
        self
    }

    /// Sets what is expected at the endpoint, for messages.
    #[cfg(feature = "jaeger")]
    pub(in crate::export) fn with_peer(mut self, peer: &'static str) -> Self {
        self.peer = peer;
        self
    }

    /// Makes the exporter. It connects with the first batch.
    ///
    /// # Errors
    /// When the endpoint, a header or a certificate cannot be used, or when `https://` needs a feature
    /// that is off.
    pub fn build(self) -> Result<OtlpExporter, HttpError> {
        let Self { protocol, endpoint, options, peer, foreign } = self;
        let socket_path = if protocol == OtlpProtocol::Grpc { "/" } else { TRACES };
        let exact = |url: &str| Endpoint::exact(url, socket_path);
        let endpoint = match (&endpoint, protocol) {
            (EndpointSetting::Default, _) => exact(protocol.default_endpoint()),
            (EndpointSetting::Exact(url), _) => exact(url.expose()),
            (EndpointSetting::Base(url), OtlpProtocol::Grpc) => exact(url.expose()),
            (EndpointSetting::Base(url), _) => Endpoint::below(url.expose(), TRACES),
        }?;
        let target = endpoint.shown.clone();
        let is_grpc = protocol == OtlpProtocol::Grpc;
        let other_cure = Some(match (peer, is_grpc) {
            (COLLECTOR, true) => HTTP_CURE,
            (COLLECTOR, false) => GRPC_CURE,
            (_, true) => "name its port 4318, or the path /v1/traces behind another",
            (_, false) => "name its port 4317, or another without a path",
        });
        let peer = Peer { endpoint, name: peer, language: "OTLP", other_cure };
        let by_http = |media_type, empty| {
            let content = Content { media_type, empty };
            Client::new(peer.clone(), content, USER_AGENT, &options, MOST_REQUESTED)
        };
        let transport = match protocol {
            OtlpProtocol::Grpc => Transport::Grpc(GrpcClient::new(
                peer.clone(),
                USER_AGENT,
                &options,
                MOST_REQUESTED,
            )?),
            OtlpProtocol::HttpProtobuf => Transport::Http(by_http("application/x-protobuf", "")?),
            OtlpProtocol::HttpJson => Transport::Http(by_http("application/json", "{}")?),
        };
        Ok(OtlpExporter {
            protocol,
            foreign,
            target,
            transport: ArcSwapOption::from_pointee(transport),
            buffer: ForkLock::default(),
            last_remark: ForkLock::default(),
        })
    }
}

http_options!(OtlpExporterBuilder, options);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_specification() {
        let endpoint = |protocol| {
            let builder = OtlpExporter::builder().with_protocol(protocol);
            builder.build().unwrap().target
        };
        assert_eq!(endpoint(OtlpProtocol::HttpProtobuf), "http://localhost:4318/v1/traces");
        assert_eq!(endpoint(OtlpProtocol::HttpJson), "http://localhost:4318/v1/traces");
        assert_eq!(endpoint(OtlpProtocol::Grpc), "http://localhost:4317");
        assert_eq!(OtlpExporter::builder().options.timeout, Duration::from_secs(10));
    }

    #[test]
    fn the_short_constructor_reads_the_protocol_and_the_path_off_the_url() {
        let read = |url| {
            let exporter = OtlpExporter::new(url).unwrap();
            (exporter.protocol, exporter.target)
        };
        let http = |url: &str| (OtlpProtocol::HttpProtobuf, url.to_owned());
        assert_eq!(read("http://a:4318"), http("http://a:4318/v1/traces"));
        assert_eq!(read("http://a/"), http("http://a/v1/traces"));
        assert_eq!(read("http://a/otlp"), http("http://a/otlp"));
        assert_eq!(read(" http://a:4317"), (OtlpProtocol::Grpc, "http://a:4317".to_owned()));
        assert!(OtlpExporter::new("a:4317").is_err());
    }

    #[test]
    fn a_secret_does_not_show() {
        let builder = OtlpExporter::builder().with_header("api-key", "secret");
        assert!(!format!("{builder:?}").contains("secret"));
    }
}
