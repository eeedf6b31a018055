//! Why a batch was not sent.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::mem;
use std::time::Duration;

use super::Batch;
use crate::kit::error_text::debug_without_secrets;
use crate::kit::secret::without_secrets;

/// Why a batch was not sent, and whether sending it again makes sense.
///
/// Credentials of URLs and the values of the usual secret keys, `api_key=…`, do not show in its texts, also where an exporter
/// of the program puts them into the message or a source. The [`source`](Error::source) itself is as the exporter gave it.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::export::{Batch, ExportError};
/// use tailtrace::testing::{span, trace};
///
/// let batch = Batch::from(trace(span("checkout")));
/// let busy = ExportError::retryable("the collector answered 503", batch);
/// let busy = busy.after(Duration::from_secs(2));
/// assert!(busy.is_retryable());
/// assert_eq!(busy.retry_after(), Some(Duration::from_secs(2)));
/// assert_eq!(busy.into_left().map(|left| left.span_count()), Some(1));
/// ```
pub struct ExportError(Box<Inner>);

struct Inner {
    message: String,
    kind: Kind,
    rejected_spans: u64,
    source: Option<Box<dyn Error + Send + Sync>>,
}

enum Kind {
    Retryable { left: Batch, after: Option<Duration> },
    Permanent,
    Partial,
}

impl ExportError {
    fn new(message: Cow<'static, str>, kind: Kind, rejected_spans: u64) -> Self {
        // What a client said may have the URL in it that it was given.
        let message = without_secrets(&message);
        Self(Box::new(Inner { message, kind, rejected_spans, source: None }))
    }

    /// What is left of the batch may be accepted later: the peer was down, busy or slow.
    ///
    /// Delivery tries again exactly what is left. Spans of the batch that are not in `left` count as
    /// sent, except those that [were rejected](Self::with_rejected_spans). With nothing left there is nothing to
    /// try again: what the exporter has not [marked](Batch::mark_accepted) counts as
    /// [refused](crate::ledger::Reason::Refused) then.
    pub fn retryable(message: impl Into<Cow<'static, str>>, left: Batch) -> Self {
        let left = left.reclaimed();
        Self::new(message.into(), Kind::Retryable { left, after: None }, 0)
    }

    /// The batch will never be accepted; or a flush or a shutdown failed.
    pub fn permanent(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(message.into(), Kind::Permanent, 0)
    }

    /// The batch was accepted but for some of its spans, which must not be sent again.
    pub fn partial(rejected_spans: u64, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(message.into(), Kind::Partial, rejected_spans)
    }

    /// This error with the time the peer asked to wait before the next try.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        if let Kind::Retryable { after, .. } = &mut self.0.kind {
            *after = Some(wait);
        }
        self
    }

    /// This error with how many spans of the batch were rejected for good before it failed.
    #[must_use]
    pub fn with_rejected_spans(mut self, spans: u64) -> Self {
        self.0.rejected_spans = spans;
        self
    }

    /// This error with what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Whether sending again what is left makes sense.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self.0.kind, Kind::Retryable { .. })
    }

    /// How long the peer asked to wait before the next try.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.0.kind {
            Kind::Retryable { after, .. } => after,
            _ => None,
        }
    }

    /// How many spans of a batch were rejected where the rest was accepted or may be later.
    #[must_use]
    pub const fn rejected_spans(&self) -> Option<u64> {
        match self.0.kind {
            Kind::Partial => Some(self.0.rejected_spans),
            Kind::Retryable { .. } if self.0.rejected_spans > 0 => Some(self.0.rejected_spans),
            _ => None,
        }
    }

    /// What is left of the batch and may be sent again.
    #[must_use]
    pub const fn left(&self) -> Option<&Batch> {
        match &self.0.kind {
            Kind::Retryable { left, .. } => Some(left),
            _ => None,
        }
    }

    /// Takes out what is left of the batch and may be sent again.
    #[must_use]
    pub fn into_left(mut self) -> Option<Batch> {
        self.is_retryable().then(|| self.take_left())
    }

    /// Takes what is left out of an error that is still to be told.
    pub(crate) fn take_left(&mut self) -> Batch {
        match &mut self.0.kind {
            Kind::Retryable { left, .. } => mem::take(left),
            _ => Batch::default(),
        }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

debug_without_secrets!(ExportError);

impl Error for ExportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}
