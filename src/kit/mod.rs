//! Tools that know nothing of tracing.
