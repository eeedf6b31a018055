//! Why a batch was not sent.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

/// Why a batch was not sent, and whether sending it again makes sense.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::export::ExportError;
/// let busy = ExportError::retryable("the collector answered 503").after(Duration::from_secs(2));
/// assert!(busy.is_retryable());
/// assert_eq!(busy.retry_after(), Some(Duration::from_secs(2)));
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ExportError {
    message: Cow<'static, str>,
    fate: Fate,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug)]
enum Fate {
    Retry { after: Option<Duration> },
    Refused,
    Partial { rejected_spans: u64 },
}

impl ExportError {
    fn new(message: Cow<'static, str>, fate: Fate) -> Self {
        Self { message, fate, source: None }
    }

    /// The batch may be accepted later: the peer was down, busy or slow.
    pub fn retryable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(message.into(), Fate::Retry { after: None })
    }

    /// The batch will never be accepted.
    pub fn permanent(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(message.into(), Fate::Refused)
    }

    /// The batch was accepted but for some of its spans, which must not be sent again.
    pub fn partial(rejected_spans: u64, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(message.into(), Fate::Partial { rejected_spans })
    }

    /// This error with the time the peer asked to wait before the next try.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        if let Fate::Retry { after } = &mut self.fate {
            *after = Some(wait);
        }
        self
    }

    /// This error with what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether sending the same batch again makes sense.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self.fate, Fate::Retry { .. })
    }

    /// How long the peer asked to wait before the next try.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.fate {
            Fate::Retry { after } => after,
            _ => None,
        }
    }

    /// How many spans of a batch that was accepted otherwise were rejected.
    #[must_use]
    pub const fn rejected_spans(&self) -> Option<u64> {
        match self.fate {
            Fate::Partial { rejected_spans } => Some(rejected_spans),
            _ => None,
        }
    }
}
