//! The OTLP exporter that the environment asks for.

use super::exporters::{ConfigError, pem};
use super::otlp::{OtlpEncoding, OtlpSettings};
use crate::export::{Exporter, OtlpError, OtlpExporter, OtlpProtocol};

pub(super) const IS_THERE: bool = true;

/// Makes it.
///
/// # Errors
/// When a file cannot be read, or the exporter refuses its settings.
pub(super) fn make(settings: &OtlpSettings) -> Result<Option<Box<dyn Exporter>>, ConfigError> {
    let protocol = match settings.encoding {
        OtlpEncoding::Grpc => OtlpProtocol::Grpc,
        OtlpEncoding::HttpProtobuf => OtlpProtocol::HttpProtobuf,
        OtlpEncoding::HttpJson => OtlpProtocol::HttpJson,
    };
    let mut builder = OtlpExporter::builder(protocol)
        .with_endpoint(settings.endpoint.clone())
        .with_timeout(settings.timeout);
    for (name, value) in &settings.headers {
        builder = builder.with_header(name.clone(), value.clone());
    }
    if settings.gzip {
        builder = builder.with_gzip();
    }
    if let Some(path) = &settings.certificate {
        builder = builder.with_ca_certificate(pem("OTEL_EXPORTER_OTLP_CERTIFICATE", path)?);
    }
    if let Some((certificate, key)) = &settings.client_identity {
        let certificate = pem("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate)?;
        builder =
            builder.with_client_identity(certificate, pem("OTEL_EXPORTER_OTLP_CLIENT_KEY", key)?);
    }
    match builder.build() {
        Ok(exporter) => Ok(Some(Box::new(exporter))),
        Err(error) => Err(refused(error, settings)),
    }
}

fn refused(error: OtlpError, settings: &OtlpSettings) -> ConfigError {
    let is_tls = matches!(error, OtlpError::TlsFeature { .. } | OtlpError::NoRoots { .. });
    let (name, source) = ("otlp", Box::new(error));
    if is_tls && settings.assumes_tls {
        ConfigError::NoScheme { name, source }
    } else {
        ConfigError::Exporter { name, source }
    }
}
