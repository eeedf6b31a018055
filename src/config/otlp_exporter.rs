//! The OTLP exporter that the environment asks for.

use super::error::{ConfigError, pem};
use super::otlp::OtlpSettings;
use super::url::has_tls;
use crate::export::{Exporter, HttpError, OtlpExporter};

pub(super) const IS_THERE: bool = true;

/// Makes the exporter.
///
/// # Errors
/// When a file cannot be read, or the exporter refuses its settings.
pub(super) fn make(settings: &OtlpSettings) -> Result<Option<Box<dyn Exporter>>, ConfigError> {
    let mut builder = OtlpExporter::builder()
        .with_protocol(settings.protocol)
        .with_endpoint(settings.endpoint.clone())
        .with_timeout(settings.timeout)
        .with_gzip(settings.gzip);
    for (name, value) in &settings.headers {
        builder = builder.with_header(name.clone(), value.clone());
    }
    if let Some(proxy) = &settings.proxy {
        builder = builder.with_proxy(proxy.expose().clone());
    }
    let with_tls = has_tls(&settings.endpoint);
    if let Some(path) = settings.certificate.as_ref().filter(|_| with_tls) {
        builder = builder.with_ca_certificate(pem("OTEL_EXPORTER_OTLP_CERTIFICATE", path)?);
    }
    if let Some((certificate, key)) = settings.client_identity.as_ref().filter(|_| with_tls) {
        let certificate = pem("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate)?;
        builder =
            builder.with_client_identity(certificate, pem("OTEL_EXPORTER_OTLP_CLIENT_KEY", key)?);
    }
    match builder.build() {
        Ok(exporter) => Ok(Some(Box::new(exporter))),
        Err(error) => Err(refused(error, settings)),
    }
}

fn refused(error: HttpError, settings: &OtlpSettings) -> ConfigError {
    let name = "otlp";
    match settings.endpoint_variable {
        Some(variable) if error.is_about_tls() && settings.assumes_tls => {
            ConfigError::NoScheme { name, variable, source: Box::new(error) }
        }
        Some(variable) if error.is_about_tls() => {
            ConfigError::Tls { name, variable, source: Box::new(error) }
        }
        _ => ConfigError::Exporter { name, source: Box::new(error) },
    }
}
