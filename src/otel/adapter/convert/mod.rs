//! Conversions between OpenTelemetry's types and those of this crate.
//!
//! `to_…` makes a type of OpenTelemetry, `from_…` one of ours. No function fails or panics: what the other type
//! cannot hold is left out, and each function says what that is. [`from_span_data`] and [`to_span_data`] convert
//! whole spans; the other functions are their parts. A span with ten attributes
//! and an event takes about 3 µs from OpenTelemetry and 4 µs to it.
//!
//! | OpenTelemetry | here | what is lost |
//! |---|---|---|
//! | `SpanContext` | [`TraceContext`](crate::model::TraceContext) | to: baggage, the parent's id, debug and deferred, `tracestate` members with keys of Level 2 only |
//! | `Baggage` | [`Baggage`](crate::model::Baggage) | to: the order; from: what exceeds the limits of the header |
//! | `Value` | [`TagValue`](crate::model::TagValue) | to: bytes become hexadecimal text |
//! | `Event` | [`LogEntry`](crate::model::LogEntry) | from: its count of dropped attributes, which counts for the span |
//! | `Link` | [`Link`](crate::model::Link) | from: the same; links without valid ids count as dropped |
//! | `InstrumentationScope` | the tags `otel.scope.*` of the span | nothing |
//! | `Resource` | [`Resource`](crate::model::Resource) | nothing; without `service.name` it becomes `unknown_service` |
//! | `SpanData` | [`Span`](crate::trace::Span) | of attributes with the same key only the last stays; times before 1970 |

mod baggage;
mod context;
mod event;
mod resource;
mod scope;
mod span;
mod value;

pub(crate) use baggage::updated_baggage;
pub use baggage::{from_baggage, to_baggage};
pub(crate) use context::is_held;
pub(crate) use context::without_foreign;
pub(crate) use context::{change_threshold, claims_nothing, is_empty_state};
pub use context::{
    from_flags, from_link, from_span_context, from_span_id, from_trace_id, from_trace_state,
    set_threshold, to_flags, to_link, to_span_context, to_span_id, to_trace_id, to_trace_state,
};
pub(super) use event::is_error_event;
pub use event::{from_event, to_event};
pub use resource::{from_resource, to_resource};
pub use scope::scope_tags;
pub(crate) use span::spans_of;
pub use span::{
    from_span_data, from_span_kind, from_status, is_parent_remote, to_span_data, to_span_kind,
    to_status, write_span_data,
};
pub use value::{from_attribute, from_key_value, from_value, to_key_value, to_value};
