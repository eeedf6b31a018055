//! The Zipkin exporter that the environment asks for.

use super::error::ConfigError;
use super::zipkin::ZipkinSettings;
use crate::export::Exporter;
use crate::export::zipkin::ZipkinExporter;

pub(super) const IS_THERE: bool = true;

/// Makes the exporter.
///
/// # Errors
/// When the exporter refuses its settings.
pub(super) fn make(settings: &ZipkinSettings) -> Result<Option<Box<dyn Exporter>>, ConfigError> {
    let mut builder = ZipkinExporter::builder()
        .with_endpoint(settings.endpoint.clone())
        .with_timeout(settings.timeout);
    if let Some(proxy) = &settings.proxy {
        builder = builder.with_proxy(proxy.expose().clone());
    }
    match builder.build() {
        Ok(exporter) => Ok(Some(Box::new(exporter))),
        Err(error) => Err(ConfigError::Exporter { name: "zipkin", source: Box::new(error) }),
    }
}
