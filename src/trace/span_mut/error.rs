//! What a span records of an error.

use std::any::type_name;
use std::error::Error;

use crate::kit::error_text::{Shown, causes};
use crate::kit::unwind_safe;
use crate::model::TagRef;

/// The type, the text and the causes of an error, read before the lock of a trace is taken: they are the
/// program's code.
#[derive(Debug)]
pub(crate) struct ErrorDetails {
    /// `None` for a `dyn Error`, of which the type is not known.
    kind: Option<&'static str>,
    message: String,
    causes: Vec<String>,
}

impl ErrorDetails {
    /// The name of the log entry that records an error (semantic conventions, "exceptions").
    pub(crate) const EVENT: &str = "exception";

    /// Reads an error for a span whose texts are cut at `most` bytes.
    pub(crate) fn of<E: Error + ?Sized>(error: &E, most: usize) -> Self {
        // A character more than fits, so that the span's store sees, and counts, what it cuts.
        let most = most.saturating_add(char::MAX.len_utf8());
        let kind = type_name::<E>();
        let kind = (!kind.starts_with("dyn ")).then_some(kind);
        Self {
            kind,
            message: unwind_safe::display(&Shown(error), most),
            causes: causes(error, most),
        }
    }

    /// The error's text.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The fields of the log entry that records the error.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, TagRef<'_>)> {
        let kind = self.kind.map(|kind| ("exception.type", TagRef::Str(kind)));
        let message = ("exception.message", TagRef::Str(&self.message));
        let has_causes = !self.causes.is_empty();
        let causes = has_causes.then_some(("exception.causes", TagRef::StringArray(&self.causes)));
        kind.into_iter().chain([message]).chain(causes)
    }
}
