//! Tools that know nothing of tracing.
//!
//! Randomness enters the crate here and nowhere else, so that a test can seed it.

pub(crate) mod carried;
mod edits;
pub(crate) mod error_text;
mod folded_product;
pub(crate) mod fork;
pub(crate) mod glob;
pub(crate) mod header_rule;
pub(crate) mod internal_log;
pub(crate) mod name_table;
pub(crate) mod named_file;
mod random;
pub(crate) mod reentrancy;
pub(crate) mod secret;
pub(crate) mod standard_stream;
pub(crate) mod striped_counter;
pub(crate) mod sync;
pub(crate) mod thread_stripe;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod type_name;
pub(crate) mod unwind_safe;
pub(crate) mod unwinding;
mod with_fields;

pub(crate) use edits::edits;
pub(crate) use error_text::debug_like_display;
pub(crate) use folded_product::folded_product;
pub use random::Random;
pub(crate) use with_fields::with_fields;
