//! What a program asks of the layer, in the words of both.

// Apart, because the two extension traits cannot be in scope together: their methods have the same names.
mod ours;
mod theirs;

use tracing::Span;

use crate::seen::Value;

/// What a span can do beyond `tracing`.
pub trait Peer {
    /// Puts the span under the remote parent; on failure the name of the error.
    fn set_parent(&self, span: &Span) -> Result<(), String>;
    /// The ids of the span's trace and its own.
    fn context(&self, span: &Span) -> Option<(String, String)>;
    /// Links the span to the remote one.
    fn add_link(&self, span: &Span, tags: &[(&'static str, Value)]);
    fn set_tag(&self, span: &Span, key: &'static str, value: Value);
    /// `None` for ok, else the description of the error.
    fn set_status(&self, span: &Span, error: Option<&'static str>);
    fn log_event(&self, span: &Span, name: &'static str, fields: &[(&'static str, Value)]);
}

/// `tracing-opentelemetry`.
#[derive(Debug)]
pub struct Theirs;

/// tailtrace.
#[derive(Debug)]
pub struct Ours;

fn name_of(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// The elements of an array.
fn whole(values: Vec<Value>) -> Vec<i64> {
    let number = |value| match value {
        Value::I64(value) => value,
        other => panic!("the tests set arrays of whole numbers only, not {other:?}"),
    };
    values.into_iter().map(number).collect()
}
