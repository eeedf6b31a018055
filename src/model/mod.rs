//! The words of the crate.
