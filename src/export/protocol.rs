//! How OTLP is spoken.

/// How OTLP is spoken.
///
/// Complete: OTLP has these three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OtlpProtocol {
    /// gRPC with protobuf. `OTEL_EXPORTER_OTLP_PROTOCOL`: `grpc`.
    Grpc,
    /// HTTP with protobuf, the default. `OTEL_EXPORTER_OTLP_PROTOCOL`: `http/protobuf`.
    #[default]
    HttpProtobuf,
    /// HTTP with JSON, for peers that take nothing else: it costs several times what protobuf costs.
    /// `OTEL_EXPORTER_OTLP_PROTOCOL`: `http/json`.
    HttpJson,
}

impl OtlpProtocol {
    /// The endpoint of the protocol unless the program names another.
    #[must_use]
    pub const fn default_endpoint(self) -> &'static str {
        match self {
            Self::Grpc => "http://localhost:4317",
            Self::HttpProtobuf | Self::HttpJson => "http://localhost:4318/v1/traces",
        }
    }
}
