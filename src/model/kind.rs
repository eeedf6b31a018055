//! The role and the status of a span.

use std::borrow::Cow;

/// The role of a span in a call between processes.
///
/// OpenTelemetry: `SpanKind`. The default is [`Internal`](Self::Internal). The list is complete, as
/// OpenTelemetry's is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// Work inside the process.
    #[default]
    Internal,
    /// Handling a request from another process.
    Server,
    /// A request to another process.
    Client,
    /// Putting a message where another process will find it.
    Producer,
    /// Handling such a message.
    Consumer,
}

impl SpanKind {
    /// The kind in lower case, as it stands in files and on the console.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// How the work of a span ended, as far as the program has set it.
///
/// OpenTelemetry: `Status`. `Ok` is final; `Unset` never replaces anything; of several errors the
/// last one stands. The list is complete, as OpenTelemetry's is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// The program has not set a status.
    #[default]
    Unset,
    /// The work went well, as the program has confirmed.
    Ok,
    /// The work failed.
    Error {
        /// What happened, for a person; may be empty.
        description: Cow<'static, str>,
    },
}

impl Status {
    /// An error with a description.
    pub fn error(description: impl Into<Cow<'static, str>>) -> Self {
        Self::Error { description: description.into() }
    }

    /// Whether this is [`Status::Error`].
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self, Self::Error { .. })
    }
}
