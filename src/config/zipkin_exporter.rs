//! The Zipkin exporter that the environment asks for.

use super::error::ConfigError;
use super::zipkin::{ENDPOINT, ZipkinSettings};
use crate::export::zipkin::ZipkinExporter;
use crate::export::{Exporter, HttpError};

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
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: HttpError) -> ConfigError {
    let name = "zipkin";
    if error.is_about_tls() {
        // The default endpoint has none.
        return ConfigError::Tls { name, variable: ENDPOINT, source: Box::new(error) };
    }
    ConfigError::Exporter { name, source: Box::new(error) }
}
