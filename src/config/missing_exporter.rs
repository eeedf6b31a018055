//! In place of an exporter whose feature is off.

use super::error::ConfigError;
use crate::export::Exporter;

pub(super) const IS_THERE: bool = false;

/// Makes no exporter, whatever its settings say.
///
/// # Errors
/// Never.
pub(super) fn make<S>(_: &S) -> Result<Option<Box<dyn Exporter>>, ConfigError> {
    Ok(None)
}
