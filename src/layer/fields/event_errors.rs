//! What an event says about errors.

use super::error_field::ErrorField;
use crate::model::Status;

/// What an event says about errors.
#[derive(Debug, Default)]
pub(super) struct EventErrors {
    /// Whether the entry is called `exception`, because the event has an error but no message.
    pub(super) is_exception: bool,
    /// The span's status, if the event makes it an error.
    pub(super) status: Option<Status>,
    /// Whether the event was made to set the status, as that of `#[instrument(err)]` is. Otherwise a
    /// description that the span has already stays.
    pub(super) is_status_explicit: bool,
    /// The error that becomes tags of the span as well.
    pub(super) of_span: Option<ErrorField>,
}
