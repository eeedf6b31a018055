//! The crate's own log: the one place that speaks through `tracing`.

use super::guarded;

/// Tells the operator something they would want to know, at the warning level, target `tailtrace`.
///
/// The program's own subscriber hears it; should that panic, nothing is said.
pub(crate) fn warn(message: &str) {
    guarded::call(|| tracing::warn!(target: "tailtrace", "{message}"));
}

/// Tells the operator that things are well again, at the information level, target `tailtrace`.
///
/// The program's own subscriber hears it; should that panic, nothing is said.
pub(crate) fn info(message: &str) {
    guarded::call(|| tracing::info!(target: "tailtrace", "{message}"));
}
