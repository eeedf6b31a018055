//! What a span or an event says: its fields, its metadata, and what they mean for the record.
//!
//! Nothing here knows the registry, its layers, or how open spans are found: the functions read what
//! `tracing` hands over and write it into a span that the caller has found and locked.

mod buffer;
mod error_field;
mod event;
mod event_errors;
mod metadata;
mod span;
mod value_limit;
mod visitor;

pub(super) use buffer::FieldBuffer;
pub(super) use event::EventRecord;
pub(super) use span::{read_span_fields, read_span_metadata, write_span_fields};
pub(super) use value_limit::ValueLimit;
