//! In a build without Zipkin.

use super::exporters::ConfigError;
use super::zipkin::ZipkinSettings;
use crate::export::Exporter;

pub(super) const IS_THERE: bool = false;

/// Nothing.
///
/// # Errors
/// Never.
pub(super) fn make(_: &ZipkinSettings) -> Result<Option<Box<dyn Exporter>>, ConfigError> {
    Ok(None)
}
