//! The crate's own log: the one place that speaks through `tracing`.

/// Tells the operator something they would want to know, at the warning level, target `tailtrace`.
pub(crate) fn warn(message: &str) {
    tracing::warn!(target: "tailtrace", "{message}");
}

/// Tells the operator that things are well again, at the information level, target `tailtrace`.
pub(crate) fn info(message: &str) {
    tracing::info!(target: "tailtrace", "{message}");
}
