//! In a build without OTLP.

use super::exporters::ConfigError;
use super::otlp::OtlpSettings;
use crate::export::Exporter;

pub(super) const IS_THERE: bool = false;

/// Nothing.
///
/// # Errors
/// Never.
pub(super) fn make(_: &OtlpSettings) -> Result<Option<Box<dyn Exporter>>, ConfigError> {
    Ok(None)
}
