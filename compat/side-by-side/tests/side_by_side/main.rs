//! What the layer has in common with `tracing-opentelemetry` 0.34, and how it differs.
//!
//! Each claim of the manual's chapter on switching is a test here. A difference shows both sides, so
//! that it is noticed when either changes.

mod contexts;
mod errors;
mod events;
mod instrument;
mod options;
mod parents;
mod special_fields;
mod values;
