//! The Zipkin exporter that the environment asks for.

use super::exporters::ConfigError;
use super::zipkin::ZipkinSettings;
use crate::export::Exporter;
use crate::export::zipkin::ZipkinExporter;

pub(super) const IS_THERE: bool = true;

/// Makes it.
///
/// # Errors
/// When the exporter refuses its settings.
pub(super) fn make(settings: &ZipkinSettings) -> Result<Option<Box<dyn Exporter>>, ConfigError> {
    let builder = ZipkinExporter::builder()
        .with_endpoint(settings.endpoint.clone())
        .with_timeout(settings.timeout);
    match builder.build() {
        Ok(exporter) => Ok(Some(Box::new(exporter))),
        Err(error) => {
            let source = Box::new(error.into_cause());
            Err(ConfigError::Exporter { name: "zipkin", source })
        }
    }
}
