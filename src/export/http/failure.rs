//! Why a request failed.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::endpoint::Peer;
use crate::export::escape::escape;
use crate::export::{Batch, ExportError};
use crate::kit::error_text::causes;

/// How much of the text of a peer, of the system or of a library is told on.
const MOST_QUOTED: usize = 200;

/// Why a request failed, and whether sending it again makes sense.
#[derive(Debug)]
pub(in crate::export) struct RequestError {
    pub(in crate::export) message: String,
    pub(in crate::export) is_retryable: bool,
    /// How long the peer asked to wait before the next try.
    pub(in crate::export) retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl RequestError {
    pub(in crate::export) fn retryable(message: String, retry_after: Option<Duration>) -> Self {
        Self { message, is_retryable: true, retry_after, source: None }
    }

    pub(in crate::export) fn permanent(message: String) -> Self {
        Self { message, is_retryable: false, retry_after: None, source: None }
    }

    /// The error of an exporter for which `left` of the batch could be sent again.
    pub(in crate::export) fn into_export_error(self, left: Batch) -> ExportError {
        let Self { message, is_retryable, retry_after, source } = self;
        let error = match (is_retryable, retry_after) {
            (false, _) => ExportError::permanent(message),
            (true, None) => ExportError::retryable(message, left),
            (true, Some(wait)) => ExportError::retryable(message, left).after(wait),
        };
        match source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// The failure to connect, or of a connection that broke before the answer came: both may be better at
/// the next try.
pub(in crate::export) fn connection_failure<E>(
    peer: &Peer,
    protocol: &str,
    is_connect: bool,
    error: E,
) -> RequestError
where
    E: Error + Send + Sync + 'static,
{
    let Peer { endpoint, name, language } = peer;
    let target = &endpoint.shown;
    let cause = causes(&error, MOST_QUOTED).pop().unwrap_or_else(|| error.to_string());
    let message = if is_connect && is_refused(&error) {
        format!("connection refused at {target}; is {name} listening for {language} there?")
    } else if is_connect {
        format!("cannot connect to {target}: {cause}; check its address, and the network between")
    } else {
        format!(
            "the connection to {target} broke before an answer came: {cause}; does {name} take {language} by {protocol} there?"
        )
    };
    let source = Some(error.into());
    RequestError { message, is_retryable: true, retry_after: None, source }
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io.kind() == io::ErrorKind::ConnectionRefused;
        }
        next = error.source();
    }
    false
}

/// The beginning of a peer's text, with every character that could do harm written out.
pub(in crate::export) fn quoted(text: &str) -> String {
    let text = text.trim();
    let end = text.char_indices().nth(MOST_QUOTED).map_or(text.len(), |(end, _)| end);
    let shown = escape(text.get(..end).unwrap_or_default());
    if end < text.len() { format!("{shown}…") } else { shown.into_owned() }
}
